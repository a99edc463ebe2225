#include "check/check.h"
#include "cli/run.h"
#include "cli/state.h"
#include "join/join.h"
#include "live/live.h"
#include "report/check.h"
#include "rules/judge.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/io.h"
#include "util/replace.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How it works: options -> look -> join -> judge and check -> one line -> exit status 0 to 3. A timer
 * is armed over everything that may wait; its handler has the whole answer ready. Every failure is
 * an UNKNOWN on standard output, where monitoring reads it. */

static bool wants_json(const struct options *o)
{
	return strcmp(o->format, "json") == 0;
}

static bool wants_metrics(const struct options *o, enum metrics *ret)
{
	*ret = strcmp(o->format, "openmetrics") == 0 ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
	return *ret == METRICS_OPENMETRICS || strcmp(o->format, "prometheus") == 0;
}

static bool is_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

static int answer(const struct buf *b, enum check_status status)
{
	return was_written(write_all(STDOUT_FILENO, buf_text(b), b->n)) ? (int)status : CHECK_UNKNOWN;
}

static void put_failure(struct buf *b, const struct options *o, const char *object,
			const char *what)
{
	enum metrics dialect;

	if (wants_metrics(o, &dialect))
		check_put_metrics_failure(b, dialect, object, what);
	else if (wants_json(o))
		check_put_json_failure(b, object, what);
	else
		check_put_failure(b, object, what, is_ascii());
}

static int fail_check(const struct options *o, const char *object, const char *what)
{
	AUTO_BUF b = { 0 };

	put_failure(&b, o, object, what);
	return answer(&b, CHECK_UNKNOWN);
}

/* The time limit. */

static void time_is_up(int signal, siginfo_t *info, void *context)
{
	const struct buf *b = info->si_value.sival_ptr;

	(void)signal;
	(void)context;
	if (info->si_code != SI_TIMER)
		return;
	(void)!write_all(STDOUT_FILENO, b->at, b->n); /* nothing else may be called here */
	_exit(CHECK_UNKNOWN);
}

/* `last_words` must live until the timer is deleted. */
static bool arm(uint64_t ms, struct buf *last_words, timer_t *ret)
{
	struct sigaction action = { .sa_sigaction = time_is_up, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM,
				  .sigev_value.sival_ptr = last_words };
	struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 },
	};
	sigset_t alarm_only;

	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	if (sigaction(SIGALRM, &action, NULL) < 0 || sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) < 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, ret) < 0)
		return false;
	return timer_settime(*ret, 0, &when, NULL) == 0;
}

/* Thresholds. What is wrong with them, and why. */

struct wrong {
	struct buf object, what;
};

static void wrong_level(struct wrong *w, const char *part, size_t len, const struct check_row *row)
{
	buf_add(&w->object, part, len);
	if (row && row->unit == CHECK_SECONDS)
		buf_printf(&w->what, _("expected %s=RANGE, as in 5m, 30s:5m or ~:1h"), row->name);
	else if (row && row->unit == CHECK_A_MINUTE)
		buf_printf(&w->what, _("expected %s=RANGE, as in 10, 1/s or ~:"), row->name);
	else if (row)
		buf_printf(&w->what, _("expected %s=RANGE, as in 70, 10:70 or ~:70"), row->name);
	else
		buf_puts(&w->what, _("no such check; there are"));
	for (size_t i = 0; !row && i < check_rows_count(); i++)
		buf_printf(&w->what, "%s %s", i ? "," : "", check_row_at(i)->name);
}

static bool take_levels(const char *text, struct range levels[static MAX_CHECKS], struct wrong *w)
{
	const struct check_row *row;
	size_t len;
	const char *at = check_levels_parse(text, levels, &len, &row);

	if (at)
		wrong_level(w, at, len, row);
	return at == NULL;
}

/* "warning NAME=RANGE,…", "critical NAME=RANGE,…", # and the rest of a line for people. */
static bool take_line(char *line, struct check_levels *levels, struct wrong *w)
{
	static const char blank[] = " \t\r\n";
	char *rest = NULL, *word, *level;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, blank, &rest);
	if (!word)
		return true;
	level = strtok_r(NULL, blank, &rest);
	bool is_critical = strcmp(word, "critical") == 0;
	if ((!is_critical && strcmp(word, "warning") != 0) || !level ||
	    strtok_r(NULL, blank, &rest)) {
		buf_puts(&w->object, word);
		buf_puts(&w->what, _("expected a line like: warning close-wait.age=5m"));
		return false;
	}
	return take_levels(level, is_critical ? levels->crit : levels->warn, w);
}

static bool read_config(const char *path, struct check_levels *levels, struct wrong *w)
{
	AUTO_FILE f = fopen(path, "re");
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	unsigned n = 0;

	while (f && getline(&line, &size, f) >= 0) {
		n++;
		if (take_line(line, levels, w))
			continue;
		AUTO_BUF place = { 0 };
		buf_printf(&place, "%s:%u: %s", path, n, buf_text(&w->object));
		buf_clear(&w->object);
		buf_puts(&w->object, buf_text(&place));
		return false;
	}
	if (f && feof(f))
		return true;
	buf_puts(&w->object, path);
	buf_puts(&w->what, strerror(errno));
	return false;
}

/* The command line is the last word. */
static bool parse_levels(const struct options *o, struct check_levels *levels, struct wrong *w)
{
	check_levels_default(levels);
	if (o->config && !read_config(o->config, levels, w))
		return false;
	for (size_t i = 0; i < o->n_levels; i++)
		if (!take_levels(o->levels[i].text,
				 o->levels[i].is_critical ? levels->crit : levels->warn, w))
			return false;
	return true;
}

/* The look. */

static bool keep_memory(const char *path, struct check *check, struct look *look)
{
	struct memory m;

	return !check_remember(check, &m) || state_write(path, &m, look);
}

static void judge_look(const struct options *o, struct look *look,
		       const struct check_levels *levels, struct check_results *ret)
{
	enum { OLD = 10 }; /* times --min-age: beyond usual HTTP keep-alive */
	struct judge *judge = judge_new(look->arena, o->min_age_ms, 1);
	bool is_whole = !gaps_spoil(&look->gaps);
	const char *state = is_whole ? o->state : NULL;
	struct check_past past = { 0 };
	struct join *join = join_new(look);
	struct port_budgets budgets;
	struct findings findings;
	struct conn c;

	if (state)
		state_read(state, o->all_netns, look, &past);
	struct check *check = check_new(look, o->min_age_ms * OLD, &past);
	for (size_t i = 0; i < look->n_socks; i++) {
		join_sock(join, &look->socks[i], &c);
		judge_sock(judge, &c);
		check_sock(check, &c);
	}
	join_ports(join, 1, &budgets);
	for (size_t i = 0; i < budgets.n; i++) {
		join_sock(join, budgets.at[i].example, &c);
		check_ports(check, &budgets.at[i], &c);
	}
	free(budgets.at);
	judge_end(judge, &findings);
	bool is_kept = !state || keep_memory(state, check, look);
	if (!is_kept)
		check_lose(check);
	check_end(check, &findings, levels, is_whole, ret);
	ret->missing = gaps_spoiler(&look->gaps);
	/* Growth would never be seen, and nobody would miss it. */
	if (!is_kept && ret->status == CHECK_OK)
		ret->status = CHECK_UNKNOWN;
	join_free(join);
}

/* The line that would tell it is not written. */
static void say_state_gaps(const struct gaps *gaps)
{
	for (size_t i = 0; i < gaps->n; i++)
		if (strcmp(gaps->at[i].what, "state") == 0)
			say_line("tcpwhy: %s: %s; %s", gaps->at[i].object, gaps->at[i].reason, gaps->at[i].effect);
}

/* Whoever writes a file asks whether it was written; the state stands in it. */
static int keep(const struct options *o, const struct buf *b)
{
	int error = replace_with(o->output, 0644, b);

	if (error)
		say_line("tcpwhy: %s: %s", o->output, replace_reason(error));
	return error ? CHECK_UNKNOWN : CHECK_OK;
}

/* `o` says where the state is, asked for or usual. */
static int check_host(const struct options *o, const struct check_levels *levels, timer_t limit)
{
	struct live_request req = whole_look(o);
	struct check_results results;
	enum metrics dialect;
	AUTO_BUF b = { 0 };
	struct look *look;
	struct fail fail;

	if (take_look(o, &req, true, &look, &fail) < 0) {
		timer_delete(limit);
		return fail_check(o, fail.object, fail.what);
	}
	judge_look(o, look, levels, &results);
	if (wants_metrics(o, &dialect))
		check_put_metrics(&b, dialect, &results, look, o->top);
	else if (wants_json(o))
		check_put_json(&b, &results, look);
	else
		check_put_text(&b, &results, look, o->verbose, is_ascii());
	timer_delete(limit);
	if (o->output)
		say_state_gaps(&look->gaps);
	look_free(look);
	return o->output ? keep(o, &b) : answer(&b, results.status);
}

int run_check(const struct options *o)
{
	AUTO_BUF last_words = { 0 }, what = { 0 };
	struct check_levels levels;
	struct wrong wrong = { 0 };
	timer_t limit;
	int status;

	buf_printf(&what, _("not done after %llu ms (see --timeout)"),
		   (unsigned long long)o->timeout_ms);
	put_failure(&last_words, o, _("time limit"), buf_text(&what));
	if (!arm(o->timeout_ms, &last_words, &limit))
		return fail_check(o, _("time limit"), strerror(errno));
	if (parse_levels(o, &levels, &wrong)) {
		struct options with_state = *o;

		with_state.state = state_path(o);
		status = check_host(&with_state, &levels, limit);
	} else {
		timer_delete(limit);
		status = fail_check(o, buf_text(&wrong.object), buf_text(&wrong.what));
	}
	buf_free(&wrong.object);
	buf_free(&wrong.what);
	return status;
}
