#pragma once

/* The post-mortem for people: summary, then (after the findings) a row a connection. */

#include "report/state.h"

void text_pcap_begin(struct report *r);
void text_pcap_row(struct report *r, const struct conn *c);
/* One line about a connection below a finding, into r->line. */
void text_pcap_example(struct report *r, const struct conn *c);
void text_pcap_end(struct report *r);
