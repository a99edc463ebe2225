#include "check/check.h"
#include "check/range.h"
#include "check/table.h"

#include <string.h>

size_t check_rows_count(void)
{
	return N_CHECK_ROWS;
}

const struct check_row *check_row_at(size_t i)
{
	return i < N_CHECK_ROWS ? &check_rows[i] : NULL;
}

void check_levels_default(struct check_levels *ret)
{
	*ret = (struct check_levels){ 0 };
	for (size_t i = 0; i < N_CHECK_ROWS; i++) {
		ret->warn[i] = check_rows[i].warn;
		ret->crit[i] = check_rows[i].crit;
	}
}

static size_t row_of(const char *name, size_t len)
{
	for (size_t i = 0; i < N_CHECK_ROWS; i++)
		if (strlen(check_rows[i].name) == len && memcmp(check_rows[i].name, name, len) == 0)
			return i;
	return N_CHECK_ROWS;
}

const char *check_levels_parse(const char *text, struct range levels[static MAX_CHECKS],
			       size_t *ret_len, const struct check_row **ret_row)
{
	enum { MAX_RANGE = 64 };

	for (;;) {
		size_t len = strcspn(text, ","), name = strcspn(text, "=,");
		size_t row = row_of(text, name);
		char range[MAX_RANGE];

		*ret_len = len;
		*ret_row = row < N_CHECK_ROWS ? &check_rows[row] : NULL;
		if (!*ret_row || text[name] != '=' || len - name > sizeof(range))
			return text;
		memcpy(range, text + name + 1, len - name - 1);
		range[len - name - 1] = '\0';
		if (!range_parse(range, check_rows[row].unit, &levels[row]))
			return text;
		if (!text[len])
			return NULL;
		text += len + 1;
	}
}
