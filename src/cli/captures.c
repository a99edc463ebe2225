#include "cli/captures.h"
#include "cli/run.h"
#include "util/i18n.h"

#include <stdio.h>
#include <unistd.h>

static bool opened(struct captures *c, int failed, struct capture *capture, const struct fail *fail)
{
	if (failed) {
		say_failure(fail);
		captures_close(c);
		return false;
	}
	c->infos[c->n] = capture_info(capture);
	c->at[c->n++] = capture;
	return true;
}

static struct flowtab *new_table(const struct options *o)
{
	struct flowtab *t = flowtab_new();

	if (o->max_connections)
		flowtab_limit(t, (uint32_t)o->max_connections);
	return t;
}

bool captures_open(const struct options *o, struct captures *ret)
{
	struct capture *capture = NULL;
	struct fail fail;
	int failed;

	*ret = (struct captures){ 0 };
	for (size_t i = 0; i < o->n_captures; i++) {
		failed = capture_open_file(o->captures[i], &capture, &fail);
		if (!opened(ret, failed, capture, &fail))
			return false;
	}
	if (o->interface) {
		ret->is_live = true;
		failed = capture_open_live(o->interface, o->write, &capture, &fail);
		if (!opened(ret, failed, capture, &fail))
			return false;
	}
	ret->tab = new_table(o);
	ret->other = o->two_sided ? new_table(o) : NULL;
	return true;
}

/* Where that left no TCP packet to look at, nothing was found out, and a script must not take it for a capture
 * without connections: the same as a file that cannot be read. */
static void note_cut(const struct capture_info *info, struct gaps *gaps)
{
	bool is_nothing_left = info->tcp_packets == 0;

	if (is_nothing_left)
		say_line("tcpwhy: %s: %s", info->name, info->headers_cut);
	gap_add(gaps, is_nothing_left ? "capture" : "capture-cut", info->name, info->headers_cut,
		_("their connections are missing; capture with a longer snap length (tcpdump -s 0)"));
}

static void note_damage(const struct capture_info *info, int failed, struct gaps *gaps)
{
	if (failed) {
		const char *why = info->error ? info->error : _("read error");

		say_line("tcpwhy: %s: %s", info->name, why);
		gap_add(gaps, "capture", info->name, why,
			_("what came before was used; later packets are unknown"));
	} else if (info->is_cut)
		gap_add(gaps, "capture", info->name, _("the file ends in the middle of a packet"),
			_("what came before was used; later packets are unknown"));
	if (info->dropped_by_kernel > 0)
		gap_add(gaps, "capture-drops", info->name,
			_("the kernel or the interface dropped packets before they could be read"),
			_("\"not seen\" may mean dropped"));
	if (info->headers_cut)
		note_cut(info, gaps);
	if (info->time_back)
		gap_add(gaps, "capture-time", info->name, info->time_back,
			_("times and durations across that are wrong"));
	if (info->overflow)
		gap_add(gaps, "cap", info->name, info->overflow,
			_("they are missing in this report; --max-connections keeps more"));
}

bool captures_collect(struct captures *c, const struct options *o)
{
	struct capture_progress progress = progress_for(o);

	if (!c->is_live)
		return true;
	int failed = capture_collect(c->at[c->n - 1], o->for_ms, o->max_packets,
				     progress.report ? &progress : NULL);
	if (progress.report)
		fprintf(stderr, "\r\033[K");
	if (failed)
		say_line("tcpwhy: %s: %s", c->infos[c->n - 1]->name, c->infos[c->n - 1]->error);
	return !failed;
}

bool captures_read(struct captures *c, const struct options *o, struct gaps *gaps)
{
	struct capture_progress progress = progress_for(o);
	const struct capture_progress *p = progress.report ? &progress : NULL;
	bool gave_something = false;
	int results[MAX_CAPTURES + 1];

	if (c->n == 1 || c->other)
		results[0] = capture_read(c->at[0], c->tab, o->max_packets, p);
	if (c->other)
		results[1] = capture_read(c->at[1], c->other, o->max_packets, p);
	else if (c->n > 1)
		capture_read_merged(c->at, c->n, c->tab, o->max_packets, p, results);
	for (size_t i = 0; i < c->n; i++) {
		note_damage(c->infos[i], results[i], gaps);
		gave_something |= !results[i] || c->infos[i]->packets > 0;
	}
	if (progress.report && c->n > 0)
		fprintf(stderr, "\r\033[K");
	return gave_something;
}

void captures_close(struct captures *c)
{
	for (size_t i = 0; i < c->n; i++)
		capture_close(c->at[i]);
	flowtab_free(c->tab);
	flowtab_free(c->other);
	*c = (struct captures){ 0 };
}
