#pragma once

/* Before a stranger's bytes are parsed: nothing more can be opened, connected or run, whoever started
 * the program.
 *
 * Captures are opened first; then root becomes nobody, every capability and every way back goes
 * (no_new_privs), Landlock closes the file system and a seccomp filter the rest. Each step that this
 * kernel or container does not know is left out; what was achieved still holds. Cannot be undone.
 * Source: capabilities(7), landlock(7), seccomp(2). */

#include <stdbool.h>

/* Loads what later calls would open: time zone, catalogue of messages. Then closes the door. */
void sandbox_enter(void);
