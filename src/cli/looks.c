#include "cli/looks.h"
#include "join/join.h"
#include "live/fds.h"
#include "live/live.h"
#include "rules/judge.h"
#include "util/hash.h"
#include "util/index.h"
#include "watch/watcher.h"

#include <stdlib.h>
#include <time.h>

/* How it works: `found` is the last look that searched owners. A look in between borrows from it: holders
 * are found again by the inode of their socket, which the kernel gives to no other while the
 * descriptor is open. Both looks live as long as a picture points into them.
 *
 * A search reads every descriptor of the host, so it is done where it can find something new: when there
 * are sockets that the last one did not see, or a holder has ended or has more or fewer descriptors than then.
 * That a socket went to another process that had none before, while its holder kept it or opened something
 * else at once, shows in neither; for that there is a search from time to time. */

/* A search may cost this part of the time until the next one. Growth takes three to be told of, which
 * should not take minutes on a host where one takes a second. */
enum { SHARE_FIRST = 20, SHARE_NEWS = 150, SHARE_QUIET = 400, N_FIRST = 3 };

/* A look that searched owners, and where its sockets are. */
struct found {
	struct look *look; /* NULL: none yet */
	struct index by_inode;
	uint64_t *n_fds; /* [look->n_procs]: right after the search; 0: not known */
	struct index by_pair; /* filled where events are shown */
};

struct looks {
	const struct options *o;
	const struct filter *filter;
	struct watcher *watch;
	struct look *now; /* found.look, or one that borrows from it */
	struct found found;
	struct found before; /* where events are shown: of what has been closed since */
	struct findings findings;
	struct hash_key key;
	bool has_strangers; /* sockets that were not there at the last search */
	int64_t search_due_ms, quiet_due_ms;
	size_t n_searches;
};

static int64_t clock_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

struct looks *looks_new(const struct options *o, const struct filter *filter)
{
	struct looks *l = calloc(1, sizeof(*l));

	if (!l)
		arena_die();
	l->o = o;
	l->filter = filter;
	l->watch = watcher_new();
	l->key = hash_key_new();
	return l;
}

static void drop_found(struct found *f)
{
	if (f->look)
		look_free(f->look);
	index_free(&f->by_inode);
	index_free(&f->by_pair);
	free(f->n_fds);
	*f = (struct found){ 0 };
}

static void drop_now(struct looks *l)
{
	if (l->now && l->now != l->found.look)
		look_free(l->now);
	l->now = NULL;
}

void looks_free(struct looks *l)
{
	drop_now(l);
	drop_found(&l->found);
	drop_found(&l->before);
	watcher_free(l->watch);
	free(l);
}

static uint32_t wanted_states(const struct looks *l)
{
	return filter_states(l->filter, STATES_TEARDOWN) & STATES_TEARDOWN;
}

static bool has_events(const struct looks *l)
{
	return l->o->interface || l->o->events;
}

static int take_look(const struct looks *l, bool is_search, struct look **ret, struct fail *fail)
{
	struct live_request req = {
		.netns = l->o->netns,
		.all_netns = l->o->all_netns,
		/* What is about to be closed is established now. */
		.states = has_events(l) ? STATES_ALL : wanted_states(l) | STATE_BIT(STATE_LISTEN),
		.want_info = true,
		.want_host = true,
		.owners = !is_search ? OWNERS_NONE : has_events(l) ? OWNERS_ALL : OWNERS_TEARDOWN,
		.only_inet4 = l->o->only_inet4,
		.only_inet6 = l->o->only_inet6,
	};

	return live_look(&req, ret, fail);
}

static void count_fds(struct found *f)
{
	f->n_fds = xrealloc_array(NULL, f->look->n_procs + 1, sizeof(*f->n_fds));
	for (size_t i = 0; i < f->look->n_procs; i++)
		if (fds_count(f->look->procs[i]->pid, &f->n_fds[i]) < 0)
			f->n_fds[i] = 0;
}

/* Is anything else than at the last search? */
static bool has_news(const struct looks *l)
{
	const struct found *f = &l->found;
	uint64_t n;

	if (l->has_strangers)
		return true;
	for (size_t i = 0; i < f->look->n_procs; i++)
		if (fds_count(f->look->procs[i]->pid, &n) < 0 || n != f->n_fds[i])
			return true;
	return false;
}

static void remember(struct looks *l, struct look *look)
{
	struct found *f = &l->found;

	drop_now(l);
	drop_found(&l->before);
	l->before = *f;
	*f = (struct found){ .look = look };
	l->now = look;
	if (!has_events(l))
		drop_found(&l->before);
	for (size_t i = 0; i < look->n_socks; i++) {
		const struct sock *s = &look->socks[i];

		if (!s->full || !s->full->inode)
			continue;
		index_add(&f->by_inode, hash_u64(&l->key, s->full->inode), (uint32_t)i);
		if (has_events(l) && s->full->n_holders > 0)
			index_add(&f->by_pair, hash_bytes(&l->key, &s->pair, sizeof(s->pair)), (uint32_t)i);
	}
}

static const struct proc *holder_in(const struct looks *l, const struct found *f,
				    const struct pair *pair)
{
	uint64_t hash = hash_bytes(&l->key, pair, sizeof(*pair));
	uint32_t at;

	for (size_t it = index_first(&f->by_pair, hash); index_next(&f->by_pair, hash, &it, &at);)
		if (pair_equal(&f->look->socks[at].pair, pair))
			return f->look->socks[at].full->holders[0].proc;
	return NULL;
}

static bool is_local(const struct look *look, struct addr addr)
{
	for (size_t i = 0; i < look->n_socks; i++)
		if (addr_equal(look->socks[i].pair.local.addr, addr))
			return true;
	return addr_is_loopback(addr);
}

/* Of a connection too short for any look: whoever listens there has it. */
static const struct proc *listener_at(const struct look *look, struct endpoint local)
{
	for (size_t i = 0; i < look->n_socks; i++) {
		const struct sock *s = &look->socks[i];

		if (s->state == STATE_LISTEN && s->pair.local.port == local.port &&
		    s->full && s->full->n_holders > 0 &&
		    (addr_equal(s->pair.local.addr, local.addr) ||
		     (addr_is_any(s->pair.local.addr) && is_local(look, local.addr))))
			return s->full->holders[0].proc;
	}
	return NULL;
}

const struct proc *looks_who(const struct looks *l, struct endpoint local, struct endpoint peer)
{
	const struct pair pair = { local, peer };
	const struct proc *p = l->found.look ? holder_in(l, &l->found, &pair) : NULL;

	if (!p && l->before.look)
		p = holder_in(l, &l->before, &pair);
	if (!p && l->found.look)
		p = listener_at(l->found.look, local);
	return p;
}

/* false: the last search has not seen it. */
static bool borrow_holders(const struct looks *l, struct sock_full *to)
{
	uint64_t hash = hash_u64(&l->key, to->inode);
	uint32_t at;

	for (size_t it = index_first(&l->found.by_inode, hash);
	     index_next(&l->found.by_inode, hash, &it, &at);) {
		const struct sock_full *from = l->found.look->socks[at].full;

		if (from->inode != to->inode)
			continue;
		to->holders = from->holders;
		to->n_holders = from->n_holders;
		return true;
	}
	return false;
}

static void borrow(struct looks *l)
{
	for (size_t i = 0; i < l->now->n_socks; i++) {
		struct sock_full *full = l->now->socks[i].full;

		if (full && full->inode && !borrow_holders(l, full))
			l->has_strangers = true;
	}
	l->now->procs = l->found.look->procs;
	l->now->n_procs = l->found.look->n_procs;
}

static int look_again(struct looks *l, struct fail *fail)
{
	int64_t now_ms = clock_ms(CLOCK_MONOTONIC), cpu_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
	bool is_search = !l->found.look || now_ms >= l->quiet_due_ms ||
			 (now_ms >= l->search_due_ms && has_news(l));
	struct look *look;
	int error = take_look(l, is_search, &look, fail);

	if (error)
		return error;
	if (is_search) {
		remember(l, look);
		count_fds(&l->found);
		l->has_strangers = false;
		cpu_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_ms;
		l->search_due_ms = now_ms + cpu_ms * (++l->n_searches < N_FIRST ? SHARE_FIRST : SHARE_NEWS);
		l->quiet_due_ms = now_ms + cpu_ms * SHARE_QUIET;
		return 0;
	}
	drop_now(l);
	l->now = look;
	borrow(l);
	return 0;
}

static void judge_connections(struct looks *l, struct judge *judge, struct join *join)
{
	uint32_t states = wanted_states(l);

	for (size_t i = 0; i < l->now->n_socks; i++) {
		const struct sock *s = &l->now->socks[i];
		struct conn c;

		if (s->state != STATE_LISTEN && !(states & STATE_BIT(s->state)))
			continue;
		join_sock(join, s, &c);
		if (filter_needs(l->filter) & FILTER_NEEDS_RULES)
			judge_name(judge, &c);
		if (!filter_match(l->filter, &c, c.rules))
			continue;
		if (s->state == STATE_LISTEN) {
			judge_listener(judge, &c);
			continue;
		}
		watcher_conn(l->watch, &c);
		/* Who holds it is not known yet, and what nobody has asked is no finding. */
		if (c.owner != OWNER_HIDDEN || c.basis != BASIS_NOT_LOOKED)
			judge_sock(judge, &c);
	}
}

/* Of no connection, so a filter that asks for some leaves them out. */
static void judge_host_and_processes(struct looks *l, struct judge *judge)
{
	const struct look *look = l->now;

	if (l->o->n_words > 0)
		return;
	for (size_t i = 0; i < look->n_procs; i++)
		if (judge_wants_proc(look->procs[i]))
			judge_proc(judge, look, look->procs[i]);
	for (size_t i = 0; i < look->n_netns; i++)
		judge_host(judge, look, &look->netns[i]);
}

int looks_next(struct looks *l, struct frame *ret, struct fail *fail)
{
	int error = look_again(l, fail);

	if (error)
		return error;
	struct judge *judge = judge_new(l->now->arena, l->o->min_age_ms, 1);
	struct join *join = join_new(l->now);
	watcher_begin(l->watch, l->now);
	judge_connections(l, judge, join);
	judge_host_and_processes(l, judge);
	judge_end(judge, &l->findings);
	join_free(join);
	watcher_end(l->watch, &l->findings, ret);
	return 0;
}
