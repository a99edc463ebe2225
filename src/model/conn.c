#include "model/conn.h"

const char *owner_status_name(enum owner_status s)
{
	static const char *const names[] = {
		[OWNER_KNOWN] = "known",   [OWNER_NONE] = "none",
		[OWNER_HIDDEN] = "hidden", [OWNER_UNACCEPTED] = "unaccepted",
		[OWNER_ATTRIBUTED] = "attributed",
	};

	return names[s];
}

const char *ends_by_name(enum ends_by e)
{
	static const char *const names[] = {
		[ENDS_UNKNOWN] = "unknown",           [ENDS_TIMEWAIT] = "timewait",
		[ENDS_FIN_TIMEOUT] = "fin-timeout",   [ENDS_RETRIES] = "retries",
		[ENDS_KEEPALIVE] = "keepalive",       [ENDS_USER_TIMEOUT] = "user-timeout",
		[ENDS_NEVER] = "never",
	};

	return names[e];
}

const char *certainty_name(enum certainty c)
{
	static const char *const names[] = {
		[CERTAINTY_POSSIBLE] = "possible",
		[CERTAINTY_LIKELY] = "likely",
		[CERTAINTY_CERTAIN] = "certain",
	};

	return names[c];
}
