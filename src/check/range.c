#include "check/range.h"

#include <string.h>

/* How it works: numbers are read digit by digit, because strtod() obeys the locale. More than three
 * decimals would be rounded away silently, so they are an error. */

/* A thousand years of milliseconds, and far from the end of the type. */
#define LARGEST INT64_C(31622400000000)

struct suffix {
	const char *text;
	int64_t factor;
};

static const struct suffix of_counts[] = { { "", 1 }, { 0 } };
static const struct suffix of_shares[] = { { "", 1 }, { "%", 1 }, { 0 } };
static const struct suffix of_rates[] = { { "", 1 }, { "/min", 1 }, { "/s", 60 }, { 0 } };
static const struct suffix of_times[] = {
	{ "", 1 },     { "s", 1 },      { "sec", 1 },  { "m", 60 },
	{ "min", 60 }, { "h", 3600 },   { "d", 86400 }, { 0 },
};

static const struct suffix *suffixes_of(enum check_unit unit)
{
	switch (unit) {
	case CHECK_COUNT:
		return of_counts;
	case CHECK_SECONDS:
		return of_times;
	case CHECK_PERCENT:
		return of_shares;
	case CHECK_A_MINUTE:
		return of_rates;
	}
	return of_counts;
}

/* Thousandths; the rest of the text is left in *at. */
static bool read_number(const char **at, int64_t *ret)
{
	const char *s = *at;
	int64_t n = 0;
	size_t digits = 0, decimals = 0;

	for (; *s >= '0' && *s <= '9'; s++, digits++)
		if ((n = n * 10 + (*s - '0')) > LARGEST)
			return false;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9' && decimals < 3; s++, decimals++)
			n = n * 10 + (*s - '0');
	if (digits == 0 || (s > *at && s[-1] == '.'))
		return false;
	for (; decimals < 3; decimals++)
		n *= 10;
	*at = s;
	*ret = n;
	return true;
}

static bool is_rest(const char *at, const char *end, const char *wanted)
{
	size_t n = strlen(wanted);

	return (size_t)(end - at) == n && memcmp(at, wanted, n) == 0;
}

/* One end, from `at` up to `end`. */
static bool read_end(const char *at, const char *end, enum check_unit unit, int64_t *ret)
{
	bool is_negative = *at == '-';
	int64_t n = 0;

	at += is_negative;
	if (!read_number(&at, &n))
		return false;
	if (unit == CHECK_SECONDS && is_rest(at, end, "ms")) {
		if (n % 1000)
			return false; /* a fraction of a millisecond */
		*ret = is_negative ? -(n / 1000) : n / 1000;
		return true;
	}
	for (const struct suffix *s = suffixes_of(unit); s->text; s++) {
		if (!is_rest(at, end, s->text))
			continue;
		if (__builtin_mul_overflow(n, s->factor, &n) || n > LARGEST)
			return false;
		*ret = is_negative ? -n : n;
		return true;
	}
	return false;
}

bool range_parse(const char *text, enum check_unit unit, struct range *ret)
{
	struct range r = { .is_set = true, .end = RANGE_HIGHEST };
	const char *at = text, *end, *colon;

	if (*at == '@') {
		r.is_inside = true;
		at++;
	}
	end = at + strlen(at);
	colon = strchr(at, ':');
	if (!colon) {
		if (!read_end(at, end, unit, &r.end))
			return false;
	} else {
		if (is_rest(at, colon, "~"))
			r.start = RANGE_LOWEST;
		else if (at < colon && !read_end(at, colon, unit, &r.start))
			return false;
		if (colon + 1 < end && !read_end(colon + 1, end, unit, &r.end))
			return false;
		if (at == colon && colon + 1 == end)
			return false; /* ":" says nothing */
	}
	if (r.start > r.end)
		return false;
	*ret = r;
	return true;
}

bool range_alerts(const struct range *r, int64_t value)
{
	bool is_within = value >= r->start && value <= r->end;

	return r->is_set && is_within == r->is_inside;
}

bool range_can_alert(const struct range *r, int64_t low, int64_t high)
{
	if (!r->is_set)
		return false;
	return r->is_inside ? low <= r->end && high >= r->start : low < r->start || high > r->end;
}
