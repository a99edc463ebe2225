#pragma once

/* One thing `tcpwhy explain` can explain: a rule, a state, a sysctl, a socket option, an errno, a counter.
 *
 * Texts are untranslated (N_()); whoever prints translates. Paragraphs are separated by an empty
 * line. */

#include "model/finding.h"

enum topic_kind { TOPIC_RULE, TOPIC_STATE, TOPIC_SYSCTL, TOPIC_SOCKOPT, TOPIC_ERRNO, TOPIC_COUNTER };

struct topic {
	enum topic_kind kind;
	const char *id;        /* "CLOSE-WAIT", "tcp_fin_timeout", "SO_LINGER", "ECONNRESET" */
	const char *const *aliases; /* other spellings, ended by NULL: "104", "10054"; NULL: none */
	const char *title;
	const char *text;
	const char *refs;      /* ";"-separated; NULL none */
	const struct rule_text *rule; /* TOPIC_RULE: its fixes and what to avoid; else NULL */
};
