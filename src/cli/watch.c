#include "cli/looks.h"
#include "cli/packets.h"
#include "cli/run.h"
#include "cli/screen.h"
#include "live/gone.h"
#include "report/event.h"
#include "report/watch.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/io.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

/* How it works: one loop waits for the clock, for signals and for keys. At each tick of the clock a
 * look is taken and shown: on a full screen, as lines that are appended (only what has changed since
 * the look before), or as JSON, one line a look. */

enum { MAX_EVENTS = 1000 }; /* of the newest, for the screen */

struct watching {
	const struct options *o;
	struct looks *looks;
	struct screen *screen; /* NULL: lines */
	bool is_json, ascii;
	struct frame frame;
	bool has_frame;
	uint64_t n_looks;
	char **said; /* [n_said]: what stood in the lines of the last look */
	size_t n_said;
	struct packets packets;
	int gone_fd; /* -1: not asked for */
	char *events[MAX_EVENTS]; /* [n_events], oldest first */
	size_t n_events;
	int clock_fd, signal_fd;
	struct fail fail; /* why it ended */
	bool has_failed;
	bool is_cut; /* not all of it could be written */
};

/* As write_all(). The signals that end the watch are blocked: where its reader does not read on, nothing would.
 * What poll(2) calls writable takes PIPE_BUF without waiting; a file always is. */
static int write_until_ended(const struct watching *w, const char *at, size_t n)
{
	enum { GRACE_MS = 500 }; /* for a reader who is only slow */
	struct pollfd fds[] = {
		{ .fd = STDOUT_FILENO, .events = POLLOUT },
		{ .fd = w->signal_fd, .events = POLLIN },
	};

	while (n > 0) {
		size_t part = n < PIPE_BUF ? n : PIPE_BUF;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (!fds[0].revents && fds[1].revents && poll(fds, 1, GRACE_MS) == 0)
			return -EINTR;
		if (!fds[0].revents)
			continue;
		int error = write_all(STDOUT_FILENO, at, part);
		if (error)
			return error;
		at += part;
		n -= part;
	}
	return 0;
}

/* A line that was lost leaves a hole, so it is the last one. */
static bool print(struct watching *w, const struct buf *b)
{
	w->is_cut = w->is_cut || !was_written(write_until_ended(w, buf_text(b), b->n));
	return !w->is_cut;
}

/* Lines. */

static void put_clock(struct buf *b, int64_t ns)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	char text[16];

	if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%T", &tm) > 0)
		buf_puts(b, text);
}

static bool was_said(const struct watching *w, const char *text)
{
	for (size_t i = 0; i < w->n_said; i++)
		if (strcmp(w->said[i], text) == 0)
			return true;
	return false;
}

/* `key` is what must have changed for the line to be worth saying again. */
struct line {
	char *key;
	struct buf text;
};

static void put_new_lines(struct watching *w, struct line *lines, size_t n, struct buf *b)
{
	for (size_t i = 0; i < n; i++)
		if (!was_said(w, lines[i].key))
			buf_printf(b, "  %s\n", buf_text(&lines[i].text));
	for (size_t i = 0; i < w->n_said; i++)
		free(w->said[i]);
	w->said = xrealloc_array(w->said, n + 1, sizeof(*w->said));
	for (size_t i = 0; i < n; i++) {
		w->said[i] = lines[i].key;
		buf_free(&lines[i].text);
	}
	w->n_said = n;
}

static char *kept_text(struct buf *b)
{
	char *text = strdup(buf_text(b));

	if (!text)
		arena_die();
	buf_clear(b);
	return text;
}

static void show_lines(struct watching *w, struct buf *b)
{
	const struct frame *f = &w->frame;
	size_t n = 0, all = f->n_owners + f->findings->n;
	AUTO_FREE struct line *lines = xrealloc_array(NULL, all + 1, sizeof(*lines));
	AUTO_BUF key = { 0 };

	put_clock(b, f->look->host.time_ns);
	buf_puts(b, "  ");
	watch_put_states(b, f);
	buf_putc(b, '\n');
	for (size_t i = 0; i < f->n_owners; i++, n++) {
		lines[n] = (struct line){ 0 };
		watch_put_owner(&lines[n].text, &f->owners[i], true, w->ascii);
		watch_put_owner(&key, &f->owners[i], false, w->ascii);
		lines[n].key = kept_text(&key);
	}
	for (size_t i = 0; i < f->findings->n; i++) {
		const struct finding *finding = &f->findings->at[i];

		/* Notes say that all is well. */
		if (finding->severity == SEVERITY_NOTE)
			continue;
		lines[n] = (struct line){ 0 };
		watch_put_finding(&lines[n].text, finding, w->ascii);
		/* Its numbers stand in the owner's line. */
		buf_printf(&key, "%s %d %d", finding->text->id, (int)finding->severity,
			   finding->subject.proc ? (int)finding->subject.proc->pid : 0);
		lines[n++].key = kept_text(&key);
	}
	put_new_lines(w, lines, n, b);
}

/* Pictures. */

static void draw(struct watching *w)
{
	const struct look *look = w->frame.look;
	AUTO_BUF title = { 0 };

	buf_puts(&title, _("tcpwhy watch   "));
	if (look->host.name) {
		buf_puts(&title, look->host.name);
		buf_puts(&title, "   ");
	}
	put_clock(&title, look->host.time_ns);
	buf_printf(&title, _("   every %g s"), (double)w->o->delay_ms / 1000);
	if (look->gaps.n > 0)
		buf_printf(&title, _("   not seen: %zu"), look->gaps.n);
	screen_draw(w->screen, &w->frame,
		    &(struct screen_news){ .title = buf_text(&title),
					   .events = (const char *const *)w->events,
					   .n_events = w->n_events });
}

/* Events. */

static void keep_event(struct watching *w, struct buf *line)
{
	if (w->n_events == MAX_EVENTS) {
		free(w->events[0]);
		memmove(&w->events[0], &w->events[1], --w->n_events * sizeof(w->events[0]));
	}
	w->events[w->n_events++] = kept_text(line);
}

static bool show_event(struct watching *w, struct event *e)
{
	AUTO_BUF b = { 0 };

	e->from_owner = looks_who(w->looks, e->from, e->to);
	e->to_owner = e->kind == EVENT_GONE ? NULL : looks_who(w->looks, e->to, e->from);
	if (w->is_json) {
		event_put_json(&b, e);
		return print(w, &b);
	}
	event_put(&b, e, w->ascii);
	if (w->screen) {
		keep_event(w, &b);
		return true;
	}
	buf_putc(&b, '\n');
	return print(w, &b);
}

static bool take_packets(struct watching *w)
{
	struct event e;
	bool is_over;

	while (packets_take(&w->packets, &e, &is_over))
		if (!show_event(w, &e))
			return false;
	if (!is_over)
		return true;
	fail_set(&w->fail, w->o->interface, "%s", _("nothing more can be captured"));
	w->has_failed = true;
	return false;
}

static void take_gone(void *ctx, const struct sock *s)
{
	struct watching *w = ctx;
	struct timespec now;

	/* Never connected, or refused: of that a socket has no two ends to show. */
	if (s->pair.peer.port == 0 && !addr_is_any(s->pair.peer.addr))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	struct event e = {
		.kind = EVENT_GONE,
		.at_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec,
		.from = s->pair.local,
		.to = s->pair.peer,
	};
	(void)!show_event(w, &e); /* what could not be written shows at the next look */
}

static bool show(struct watching *w)
{
	AUTO_BUF b = { 0 };

	if (w->screen) {
		draw(w);
		return true;
	}
	if (w->is_json)
		watch_put_json(&b, &w->frame);
	else
		show_lines(w, &b);
	return print(w, &b);
}

/* Without what wakes it the watch is over, and not as it should be. */
static bool lost(struct watching *w, const char *what)
{
	fail_set(&w->fail, what, "%s", strerror(errno));
	w->has_failed = true;
	return false;
}

/* false: it is over. */
static bool tick(struct watching *w)
{
	uint64_t n;

	if (read(w->clock_fd, &n, sizeof(n)) < 0 && errno != EAGAIN && errno != EINTR)
		return lost(w, "timerfd");
	if (w->screen && screen_is_frozen(w->screen))
		return true;
	w->has_failed = looks_next(w->looks, &w->frame, &w->fail) < 0;
	if (w->has_failed)
		return false;
	w->has_frame = true;
	return show(w) && (w->o->max_packets == 0 || ++w->n_looks < w->o->max_packets);
}

static bool keys(struct watching *w)
{
	if (!screen_keys(w->screen))
		return false;
	if (w->has_frame)
		draw(w);
	return true;
}

static void wait_and_show(struct watching *w)
{
	enum { CLOCK, SIGNAL, KEYS, PACKETS, GONE };
	struct pollfd fds[] = {
		[CLOCK] = { .fd = w->clock_fd, .events = POLLIN },
		[SIGNAL] = { .fd = w->signal_fd, .events = POLLIN },
		[KEYS] = { .fd = w->screen ? STDIN_FILENO : -1, .events = POLLIN },
		[PACKETS] = { .fd = w->packets.fd, .events = POLLIN },
		[GONE] = { .fd = w->gone_fd, .events = POLLIN },
	};

	while (tick(w)) {
		for (;;) {
			/* Interrupted: the terminal has another size, which is a key to ncurses. */
			bool is_interrupted = poll(fds, ARRAY_LEN(fds), -1) < 0;

			if (is_interrupted && errno != EINTR) {
				lost(w, "poll");
				return;
			}
			if (!is_interrupted && (fds[SIGNAL].revents || (fds[KEYS].revents & (POLLHUP | POLLERR))))
				return;
			if (w->screen && (is_interrupted || fds[KEYS].revents) && !keys(w))
				return;
			if (is_interrupted)
				continue;
			if (fds[PACKETS].revents && !take_packets(w))
				return;
			if (fds[GONE].revents)
				gone_read(w->gone_fd, take_gone, w);
			if ((fds[PACKETS].revents || fds[GONE].revents) && w->screen && !screen_is_frozen(w->screen))
				draw(w);
			if (fds[CLOCK].revents)
				break;
		}
	}
}

/* Signals that end a program end the watch, so that the terminal is given back. */
static int catch_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Its first tick is due at once. */
static int start_clock(uint64_t delay_ms)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct itimerspec when = {
		.it_value = { .tv_sec = (time_t)(delay_ms / 1000), .tv_nsec = (long)(delay_ms % 1000) * 1000000 },
	};

	when.it_interval = when.it_value;
	if (fd >= 0)
		timerfd_settime(fd, 0, &when, NULL);
	return fd;
}

static bool wants_screen(const struct options *o)
{
	const char *term = getenv("TERM");

	return strcmp(o->format, "text") == 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term &&
	       *term && strcmp(term, "dumb") != 0;
}

/* false: an event that was asked for cannot be had, and that is said. */
static bool open_events(struct watching *w)
{
	struct fail fail;

	if (w->o->events)
		w->gone_fd = gone_open();
	if (w->o->events && w->gone_fd < 0) {
		fail_set(&fail, "--events", "%s", strerror(-w->gone_fd));
		say_failure(&fail);
		return false;
	}
	if (!w->o->interface || packets_start(w->o, &w->packets, &fail) == 0)
		return true;
	say_failure(&fail);
	if (w->gone_fd >= 0)
		close(w->gone_fd);
	return false;
}

static void close_events(struct watching *w)
{
	packets_stop(&w->packets);
	if (w->gone_fd >= 0)
		close(w->gone_fd);
	for (size_t i = 0; i < w->n_events; i++)
		free(w->events[i]);
}

static int watch(const struct options *o, const struct filter *filter)
{
	struct report_options style;
	struct watching w = { .o = o, .is_json = strcmp(o->format, "json-lines") == 0,
			      .packets.fd = -1, .gone_fd = -1 };

	if (!open_events(&w))
		return STATUS_FAILED;

	fill_report_options(o, REPORT_WHY, &style);
	w.ascii = style.ascii;
	AUTO_FD clock_fd = start_clock(o->delay_ms);
	AUTO_FD signal_fd = catch_signals();
	if (clock_fd < 0 || signal_fd < 0) {
		fprintf(stderr, "tcpwhy: %s\n", strerror(errno)); /* untranslated: a name */
		return STATUS_FAILED;
	}
	w.clock_fd = clock_fd;
	w.signal_fd = signal_fd;
	w.looks = looks_new(o, filter);
	if (wants_screen(o))
		w.screen = screen_open(&(struct screen_style){ style.colour, style.ascii });
	w.has_failed = !begin_look(o, &w.fail);
	if (!w.has_failed)
		wait_and_show(&w);
	screen_close(w.screen);
	close_events(&w);
	if (w.is_json) {
		AUTO_BUF b = { 0 };

		watch_put_json_end(&b, !w.has_failed);
		(void)!print(&w, &b);
	}
	if (w.has_failed)
		say_failure(&w.fail);
	for (size_t i = 0; i < w.n_said; i++)
		free(w.said[i]);
	free(w.said);
	looks_free(w.looks);
	return w.has_failed || w.is_cut ? STATUS_FAILED : STATUS_OK;
}

int run_watch(const struct options *o)
{
	struct filter *filter = parse_filter(o->words, o->n_words);

	if (!filter)
		return STATUS_USAGE;
	int status = watch(o, filter);
	filter_free(filter);
	return status;
}
