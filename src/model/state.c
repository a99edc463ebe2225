#include "model/state.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static const char *const names[STATE_MAX] = {
	[STATE_UNKNOWN] = "UNKNOWN",       [STATE_ESTABLISHED] = "ESTABLISHED",
	[STATE_SYN_SENT] = "SYN-SENT",     [STATE_SYN_RECV] = "SYN-RECV",
	[STATE_FIN_WAIT_1] = "FIN-WAIT-1", [STATE_FIN_WAIT_2] = "FIN-WAIT-2",
	[STATE_TIME_WAIT] = "TIME-WAIT",   [STATE_CLOSED] = "CLOSED",
	[STATE_CLOSE_WAIT] = "CLOSE-WAIT", [STATE_LAST_ACK] = "LAST-ACK",
	[STATE_LISTEN] = "LISTEN",         [STATE_CLOSING] = "CLOSING",
	[STATE_NEW_SYN_RECV] = "SYN-RECV",
};

/* Spellings that folding case and dashes does not reach. */
static const struct {
	const char *folded;
	enum state state;
} synonyms[] = {
	{ "ESTAB", STATE_ESTABLISHED }, { "SYNRECEIVED", STATE_SYN_RECV },
	{ "SYNRCVD", STATE_SYN_RECV },  { "LISTENING", STATE_LISTEN },
	{ "CLOSE", STATE_CLOSED },      { "UNCONN", STATE_CLOSED },
};

const char *state_name(enum state s)
{
	return (unsigned)s < STATE_MAX ? names[s] : names[STATE_UNKNOWN];
}

/* "fin_wait2" -> "FINWAIT2". false: too long to be a state. */
static bool fold(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '-' || *text == '_')
			continue;
		if (n + 1 >= size)
			return false;
		ret[n++] = (char)toupper((unsigned char)*text);
	}
	ret[n] = '\0';
	return true;
}

enum state state_parse(const char *text)
{
	char asked[16], known[16];

	if (!fold(text, asked, sizeof(asked)))
		return STATE_UNKNOWN;
	for (enum state s = STATE_ESTABLISHED; s <= STATE_CLOSING; s++)
		if (fold(names[s], known, sizeof(known)) && strcmp(known, asked) == 0)
			return s;
	for (size_t i = 0; i < ARRAY_LEN(synonyms); i++)
		if (strcmp(synonyms[i].folded, asked) == 0)
			return synonyms[i].state;
	return STATE_UNKNOWN;
}
