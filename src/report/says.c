#include "report/says.h"
#include "report/escape.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* Durations stand in every line of tables of any length: printf would be most of their cost. */
static void put_number(struct buf *b, uint64_t n, const char *unit)
{
	buf_u64(b, n);
	buf_puts(b, unit);
}

void says_duration(struct buf *b, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = {
		{ 86400000, N_("d") }, { 3600000, N_("h") }, { 60000, N_("min") }, { 1000, N_("s") },
	};

	if (ms < 1000) {
		put_number(b, ms, " ms");
		return;
	}
	if (ms < 10000) {
		put_number(b, ms / 1000, ".");
		put_number(b, ms % 1000 / 100, " s");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (ms < units[i].ms)
			continue;
		put_number(b, ms / units[i].ms, " ");
		buf_puts(b, _(units[i].name));
		/* Two units are enough to act on. */
		if (i + 1 < ARRAY_LEN(units) && ms % units[i].ms >= units[i + 1].ms) {
			buf_putc(b, ' ');
			put_number(b, ms % units[i].ms / units[i + 1].ms, " ");
			buf_puts(b, _(units[i + 1].name));
		}
		return;
	}
}

void says_bytes(struct buf *b, uint64_t n)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	if (n < 1024) {
		buf_printf(b, n == 1 ? _("%" PRIu64 " byte") : _("%" PRIu64 " bytes"), n);
		return;
	}
	for (n = n * 10 / 1024; n >= 10240 && unit + 1 < ARRAY_LEN(units); unit++)
		n /= 1024;
	if (n < 100 && n % 10)
		buf_printf(b, "%" PRIu64 ".%" PRIu64 " %s", n / 10, n % 10, units[unit]);
	else
		buf_printf(b, "%" PRIu64 " %s", n / 10, units[unit]);
}

void says_instant(struct buf *b, int64_t ns)
{
	time_t s = (time_t)(ns / 1000000000);
	int64_t rest = ns % 1000000000;
	struct tm tm;
	char text[64];

	if (ns == TIME_NONE) {
		buf_putc(b, '?');
		return;
	}
	if (rest < 0) {
		rest += 1000000000;
		s--;
	}
	if (!localtime_r(&s, &tm) || strftime(text, sizeof(text), "%F %T", &tm) == 0) {
		buf_putc(b, '?');
		return;
	}
	buf_printf(b, "%s.%03d", text, (int)(rest / 1000000));
}

/* 3, 4, 5, 9 -> "3-5, 9". The list need not be sorted: only neighbours are joined. */
static void put_list(struct buf *b, const struct fact *fact)
{
	enum { SHOWN = 12 }; /* ranges; more do not fit a line and help nobody */
	size_t shown = 0, i = 0;

	while (i < fact->n_list && shown < SHOWN) {
		size_t last = i;

		while (last + 1 < fact->n_list && fact->list[last + 1] == fact->list[last] + 1)
			last++;
		buf_printf(b, "%s%" PRIu32, shown ? ", " : "", fact->list[i]);
		if (last > i)
			buf_printf(b, "-%" PRIu32, fact->list[last]);
		i = last + 1;
		shown++;
	}
	if (i < fact->n_list_all)
		buf_printf(b, _(" and %" PRIu64 " more"), fact->n_list_all - i);
}

void says_fact(struct buf *b, const struct fact *fact, bool ascii)
{
	if (fact->at_least)
		buf_puts(b, _("at least "));
	if (fact->at_most)
		buf_puts(b, _("at most "));
	switch (fact->kind) {
	case FACT_COUNT:
		buf_printf(b, "%" PRId64, fact->number);
		break;
	case FACT_MS:
		says_duration(b, fact->number > 0 ? (uint64_t)fact->number : 0);
		break;
	case FACT_BYTES:
		says_bytes(b, fact->number > 0 ? (uint64_t)fact->number : 0);
		break;
	case FACT_PERCENT:
		buf_printf(b, "%" PRId64 " %%", fact->number);
		break;
	case FACT_TEXT:
		escape_terminal(b, fact->text ? fact->text : "?", ascii);
		break;
	case FACT_SENTENCE:
		buf_puts(b, fact->text ? _(fact->text) : "?");
		break;
	case FACT_LIST:
		put_list(b, fact);
		break;
	case FACT_TIME_NS:
		says_instant(b, fact->number);
		break;
	}
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
	return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

void says_endpoint(struct buf *b, struct endpoint e)
{
	char text[ENDPOINT_TEXT_MAX];

	if (e.port == 0)
		buf_puts(b, addr_format(e.addr, text));
	else
		buf_puts(b, endpoint_format(e, text));
}

static void put_place(struct buf *b, const char *name, size_t len, const struct finding *f,
		      bool ascii)
{
	const struct fact *fact = finding_find_fact(f, name, len);

	if (fact) {
		says_fact(b, fact, ascii);
	} else if (is_name(name, len, "count")) {
		buf_printf(b, "%" PRIu64, f->count);
	} else if (is_name(name, len, "oldest") && f->oldest.known) {
		if (!f->oldest.is_exact)
			buf_puts(b, _("at least "));
		says_duration(b, f->oldest.ms);
	} else if (is_name(name, len, "local") && f->subject.has_local) {
		says_endpoint(b, f->subject.local);
	} else if (is_name(name, len, "local_port") && f->subject.has_local) {
		buf_printf(b, "%u", f->subject.local.port);
	} else if (is_name(name, len, "peer") && f->subject.has_peer) {
		says_endpoint(b, f->subject.peer);
	} else if (is_name(name, len, "peer_addr") && f->subject.has_peer) {
		char text[ADDR_TEXT_MAX];

		buf_puts(b, addr_format(f->subject.peer.addr, text));
	} else if (is_name(name, len, "peer_port") && f->subject.has_peer) {
		buf_printf(b, "%u", f->subject.peer.port);
	} else if (is_name(name, len, "comm") && f->subject.proc) {
		escape_terminal(b, f->subject.proc->comm, ascii);
	} else if (is_name(name, len, "oldest")) {
		buf_puts(b, _("an unknown time"));
	} else if (is_name(name, len, "pid")) {
		buf_puts(b, "PID");
	} else if (is_name(name, len, "peer") && f->subject.is_rest) {
		buf_puts(b, _("many others"));
	} else if (is_name(name, len, "peer_addr")) {
		buf_puts(b, "ADDRESS");
	} else if (is_name(name, len, "peer_port")) {
		buf_puts(b, "PORT");
	} else {
		buf_putc(b, '?');
	}
}

static bool is_one(const char *name, size_t len, const struct finding *f)
{
	const struct fact *fact = finding_find_fact(f, name, len);

	return fact ? fact->number == 1 : is_name(name, len, "count") && f->count == 1;
}

/* "name:one|many" between the braces. */
static void put_choice(struct buf *b, const char *at, const char *colon, const char *end,
		       const struct finding *f)
{
	const char *bar = memchr(colon, '|', (size_t)(end - colon));
	const char *from = colon + 1;

	if (!bar)
		bar = end;
	if (!is_one(at, (size_t)(colon - at), f) && bar < end) {
		from = bar + 1;
		bar = end;
	}
	buf_add(b, from, (size_t)(bar - from));
}

void says_fill(struct buf *b, const char *s, const struct finding *f, bool ascii)
{
	while (*s) {
		const char *end = *s == '{' ? strchr(s, '}') : NULL;
		const char *colon;

		if (s[0] == '{' && s[1] == '{') {
			buf_putc(b, '{');
			s += 2;
			continue;
		}
		if (!end) {
			buf_putc(b, *s++);
			continue;
		}
		colon = memchr(s, ':', (size_t)(end - s));
		if (colon)
			put_choice(b, s + 1, colon, end, f);
		else
			put_place(b, s + 1, (size_t)(end - s - 1), f, ascii);
		s = end + 1;
	}
}
