#include "model/check.h"

const char *check_status_name(enum check_status s)
{
	static const char *const names[] = {
		[CHECK_OK] = "OK",
		[CHECK_WARNING] = "WARNING",
		[CHECK_CRITICAL] = "CRITICAL",
		[CHECK_UNKNOWN] = "UNKNOWN",
	};

	return names[s];
}

bool check_is_worse(enum check_status a, enum check_status b)
{
	static const int rank[] = {
		[CHECK_OK] = 0, [CHECK_UNKNOWN] = 1, [CHECK_WARNING] = 2, [CHECK_CRITICAL] = 3,
	};

	return rank[a] > rank[b];
}
