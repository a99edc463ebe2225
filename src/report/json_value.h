#pragma once

/* A small streaming JSON writer: values go into a buffer, commas come by themselves. A key of NULL
 * stands in a list. Unknown text is null. Our own keys need no escaping. */

#include "model/finding.h"
#include "util/buf.h"

#include <stdbool.h>
#include <stdint.h>

void json_open(struct buf *b, const char *key);
void json_close(struct buf *b);
void json_list(struct buf *b, const char *key);
void json_list_end(struct buf *b);
void json_text(struct buf *b, const char *key, const char *text);
void json_unsigned(struct buf *b, const char *key, uint64_t n);
void json_signed(struct buf *b, const char *key, int64_t n);
void json_unsigned_or_null(struct buf *b, const char *key, uint64_t n, bool is_known);
void json_bool(struct buf *b, const char *key, bool value);
void json_unknown(struct buf *b, const char *key);
/* A key alone: its value follows. */
void json_key(struct buf *b, const char *key);
/* 1500 -> 1.5; no key. */
void json_thousandths(struct buf *b, int64_t n);
/* Epoch seconds, to the microsecond or as fine as the source was; TIME_NONE is null. */
void json_instant(struct buf *b, const char *key, int64_t ns);
/* Whole milliseconds; TIME_NONE is null. */
void json_span_ms(struct buf *b, const char *key, int64_t ns);
void json_endpoint(struct buf *b, const char *key, const struct endpoint *e);
/* What a finding is about: port 0 stands for every port of the address and is null. */
void json_place(struct buf *b, const char *key, const struct endpoint *e, bool is_there);

/* Objects of the contract. */
void json_put_conn(struct buf *b, const struct conn *c, const char *key, bool as_packets);
void json_put_finding(struct buf *b, const struct finding *f);
void json_put_gap(struct buf *b, const char *key, const struct gap *g);
