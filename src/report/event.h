#pragma once

/* What happened to a connection, as one line of text or JSON. */

#include "model/event.h"
#include "util/buf.h"

/* "10:23:45.123 RST 10.0.0.1:80 leaky[812] > 10.0.0.2:1234: rst-after-close (likely)" */
void event_put(struct buf *b, const struct event *e, bool ascii);
void event_put_json(struct buf *b, const struct event *e);
