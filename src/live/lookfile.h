#pragma once

/* The file `look` of a recorded folder: what the copied files do not tell. One fact a line, fields
 * separated by tabs; bytes that would break a line are written as %XX.
 *
 *	tcpwhy-look 1
 *	time_ns	1795222000000000000
 *	hz	100
 *	asked_states	0xfff
 *	owners	complete | partial | none
 *	netns	INODE	NAME			in the order of netns.0, netns.1 ...
 *	gap	WHAT	OBJECT	REASON	EFFECT	COUNT */

#include "live/root.h"
#include "model/look.h"

struct lookfile {
	enum { RECORDED_NONE, RECORDED_PARTIAL, RECORDED_COMPLETE } owners;
	uint32_t asked_states;
};

void lookfile_write(struct root *root, const struct look *look);
/* Fills time, hz, namespaces and gaps of the look. 0, or -errno with *fail filled. */
MUST_CHECK int lookfile_read(const struct root *root, struct look *look, struct lookfile *ret,
			     struct fail *fail);
/* The same from a text, which is taken apart. false: not such a file. */
MUST_CHECK bool lookfile_parse(char *text, struct look *look, struct lookfile *ret);
