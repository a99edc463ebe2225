#pragma once

/* A picture of `tcpwhy watch` in words, in columns, and as JSON. Names that came from outside are
 * escaped. */

#include "model/frame.h"
#include "util/buf.h"

/* "CLOSE-WAIT 152 +5.0/s  TIME-WAIT 2100 -3.1/s"; states without sockets and change are left out. */
void watch_put_states(struct buf *b, const struct frame *f);
/* "leaky[812]", or in words who else it is. */
void watch_put_name(struct buf *b, const struct frame_owner *o, bool ascii);
/* "leaky[812]: CLOSE-WAIT 152 +5.0/s, oldest 12m03s, EMFILE in 2m24s"; without `with_times` only
 * what does not change by itself. */
void watch_put_owner(struct buf *b, const struct frame_owner *o, bool with_times, bool ascii);
/* "PROBLEM close-wait-leaked-fd leaky[812]: 152 connections …" */
void watch_put_finding(struct buf *b, const struct finding *f, bool ascii);

/* One line of a table of 80 columns, and its heading. */
void watch_put_heading(struct buf *b);
void watch_put_row(struct buf *b, const struct frame_owner *o, bool ascii);

/* One line: what `watch` saw, and the last one. */
void watch_put_json(struct buf *b, const struct frame *f);
void watch_put_json_end(struct buf *b, bool is_complete);
