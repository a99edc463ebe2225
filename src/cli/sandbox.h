#pragma once

/* Before a stranger's bytes are parsed: nothing more can be opened, connected or run, whoever started
 * the program.
 *
 * Captures are opened first; then root becomes nobody, every capability and every way back goes
 * (no_new_privs), Landlock closes the file system and a seccomp filter the rest. A recorded look is a
 * folder of many files: that folder, or the one file of a snapshot, stays open for reading, those of
 * the files to be written for writing, and root keeps its name and the right to look into folders, of
 * which Landlock leaves but these. Where this kernel or container does not know Landlock or seccomp, that door is left
 * out; capabilities that cannot be given up are a reason not to parse. Nothing is allocated. Cannot be undone.
 * Source: capabilities(7), landlock(7), seccomp(2). */

#include "cli/calls.h"
#include "util/attr.h"

#include <stdbool.h>

enum { SANDBOX_MAX_WRITTEN = 3 };

/* Before a look at this machine, which opens files while it parses others and so cannot be closed in: no program
 * can be run, no process reached into, no socket but netlink's had, nothing written but to what is open;
 * save for what is asked for, LOOK_WRITES | LOOK_BORROWS. Root keeps the capabilities that a look takes. Call
 * sandbox_enter() when it is over. */
void sandbox_look(unsigned takes);

struct sandbox_doors {
	const char *read_folder;                     /* or file; NULL: none */
	const char *written[SANDBOX_MAX_WRITTEN];    /* files that will be replaced; NULL: none */
};

bool sandbox_has_written(const struct sandbox_doors *doors);

/* Loads what later calls would open: time zone, catalogue of messages. Then closes the door. NULL: there
 * is none but that. false: capabilities are left that were to go. */
MUST_CHECK bool sandbox_enter(const struct sandbox_doors *doors);
