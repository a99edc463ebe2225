#pragma once

/* The table of `tcpwhy list`: a heading and a row a socket, streamed. */

#include "report/state.h"

void table_begin(struct report *r);
void table_row(struct report *r, const struct conn *c);
