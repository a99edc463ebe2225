#include "cli/packets.h"
#include "cli/run.h"
#include "join/join.h"
#include "rules/judge.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "wire/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What goes through the pipe: no pointers, and less than is written at once. */
struct record {
	int64_t at_ns;
	struct endpoint from, to;
	uint32_t rule_plus_1; /* of rules_text(); 0: not named */
	uint8_t certainty;
	bool is_rst, is_again, is_first;
};

/* The child. */

struct child {
	int fd;
	struct arena *arena;
	struct judge *judge; /* only to name */
};

static uint32_t number_of(const char *rule)
{
	for (size_t i = 0; rule && i < rules_count(); i++)
		if (strcmp(rules_text(i)->id, rule) == 0)
			return (uint32_t)i + 1;
	return 0;
}

static void name_cause(const struct child *c, const struct flow *now, enum side from,
		       struct record *r)
{
	struct conn conn;

	join_flow(now, &conn);
	judge_name(c->judge, &conn);
	for (uint32_t i = 0; i < now->n_rsts; i++)
		if (now->rsts[i].from == from) {
			r->rule_plus_1 = number_of(conn.rst_causes[i].rule);
			r->certainty = (uint8_t)conn.rst_causes[i].certainty;
		}
}

static void tell(void *ctx, const struct flow *now, const struct followed_segment *s)
{
	const struct child *c = ctx;
	struct record r;

	memset(&r, 0, sizeof(r)); /* the gaps between its members, too */
	r.at_ns = s->at_ns;
	r.from = now->end[s->from].at;
	r.to = now->end[side_other(s->from)].at;
	r.is_rst = s->is_rst;
	r.is_again = s->is_again;
	r.is_first = !now->end[side_other(s->from)].fin.seen;
	if (s->is_rst)
		name_cause(c, now, s->from, &r);
	/* A full pipe loses events, never the capture. */
	(void)!write(c->fd, &r, sizeof(r));
}

static NORETURN void listen_on(const struct options *o, struct capture *device, int fd)
{
	struct child c = { .fd = fd, .arena = arena_new() };
	struct pollfd fds[] = {
		{ .fd = capture_fd(device), .events = POLLIN },
		{ .fd = fd }, /* an error: nobody reads any more */
	};
	struct fail fail;

	/* An interrupt is for the one who shows; we end when the pipe does. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	c.judge = judge_new(c.arena, o->min_age_ms, 0);
	struct follow *f = follow_new(device, tell, &c);
	if (!o->no_sandbox && !enter_sandbox(o, &fail)) {
		say_failure(&fail);
		_exit(1);
	}
	while (poll(fds, ARRAY_LEN(fds), -1) >= 0 || errno == EINTR)
		if (fds[1].revents || follow_some(f) < 0)
			break;
	_exit(0);
}

/* The one who shows. */

int packets_start(const struct options *o, struct packets *ret, struct fail *fail)
{
	struct capture *device;
	int ends[2], error = capture_open_live(o->interface, NULL, &device, fail);

	if (error)
		return error;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		error = -errno;
		fail_set(fail, o->interface, "%s", strerror(errno));
		capture_close(device);
		return error;
	}
	pid_t child = fork();
	if (child == 0) {
		close(ends[0]);
		listen_on(o, device, ends[1]);
	}
	error = child < 0 ? -errno : 0;
	close(ends[1]);
	capture_close(device);
	if (error) {
		fail_set(fail, o->interface, "%s", strerror(-error));
		close(ends[0]);
		return error;
	}
	*ret = (struct packets){ ends[0], child };
	return 0;
}

bool packets_take(struct packets *p, struct event *ret, bool *ret_is_over)
{
	struct record r;
	ssize_t n = read(p->fd, &r, sizeof(r));

	*ret_is_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (n != (ssize_t)sizeof(r))
		return false;
	*ret = (struct event){
		.kind = r.is_rst ? EVENT_RST : EVENT_FIN,
		.at_ns = r.at_ns,
		.from = r.from,
		.to = r.to,
		.is_again = r.is_again,
		.is_first = r.is_first,
	};
	if (r.rule_plus_1 > 0 && r.rule_plus_1 <= rules_count() && r.certainty <= CERTAINTY_CERTAIN) {
		ret->rule = rules_text(r.rule_plus_1 - 1)->id;
		ret->certainty = r.certainty;
	}
	return true;
}

void packets_stop(struct packets *p)
{
	if (p->fd < 0)
		return;
	close(p->fd); /* which ends it */
	while (waitpid(p->child, NULL, 0) < 0 && errno == EINTR)
		;
	p->fd = -1;
}
