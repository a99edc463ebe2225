/* Thresholds and durations, as a command line or a configuration file has them. What is a range must come
 * back the same when it is written as monitoring writes it. */

#include "check/check.h"
#include "check/range.h"
#include "report/check.h"
#include "util/buf.h"
#include "util/duration.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A time comes back as seconds, a share without its sign: a plain number in any case. */
static void write_again(const struct range *r)
{
	AUTO_BUF text = { 0 };
	struct range again;

	check_put_range(&text, r);
	if (!range_parse(buf_text(&text), CHECK_COUNT, &again))
		abort();
	for (int64_t value = -1000000; value <= 1000000; value += 250000)
		if (range_alerts(r, value) != range_alerts(&again, value))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct check_levels levels;
	const struct check_row *row;
	struct range range;
	uint64_t ms;
	size_t len;

	check_levels_default(&levels);
	const char *wrong = check_levels_parse(text, levels.warn, &len, &row);
	if (wrong && (wrong < text || wrong + len > text + strlen(text)))
		abort();
	for (int unit = CHECK_COUNT; unit <= CHECK_A_MINUTE; unit++)
		if (range_parse(text, (enum check_unit)unit, &range))
			write_again(&range);
	if (duration_parse(text, &ms) && ms > UINT64_C(1000) * 366 * 86400000)
		abort();
	free(text);
	return 0;
}
