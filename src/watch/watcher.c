#include "watch/watcher.h"

#include <stdlib.h>
#include <string.h>

/* How it works: a sample remembers of each picture what rates are made of. They are kept for WINDOW_MS.
 * Something fills up if it has grown in both parts of SHORTEST_MS at least, in each with half its pace or
 * more. Where owners were not searched the newest sockets have none yet: such a picture shows what was
 * known of their growth at the last one that did. Where searches are rare, those that growth is told of
 * are kept for longer. */

enum {
	WINDOW_MS = 30000,
	MAX_SAMPLES = 128, /* of shorter pauses than a quarter of a second, the window gets shorter */
	SHORTEST_MS = 3000,
	FEWEST = 5, /* below, nobody has to hurry */
	FEWEST_SEARCHES = 3,
};

struct sampled_owner {
	pid_t pid;
	uint64_t start_ticks;
	uint64_t close_waits, held;
	struct frame_owner growth; /* its has_rate, gain, is_filling and left_ms */
};

struct sample {
	int64_t at_ms;
	uint64_t n[STATE_MAX];
	struct sampled_owner *owners; /* [n_owners], by pid; NULL: they were not searched */
	size_t n_owners;
};

struct watcher {
	struct sample samples[MAX_SAMPLES]; /* oldest first */
	size_t n_samples;
	const struct look *look; /* of the picture in work, as all below */
	struct frame_owner *owners;
	size_t n_owners, cap_owners;
	uint64_t n[STATE_MAX];
};

struct watcher *watcher_new(void)
{
	struct watcher *w = calloc(1, sizeof(*w));

	if (!w)
		arena_die();
	return w;
}

void watcher_free(struct watcher *w)
{
	for (size_t i = 0; i < w->n_samples; i++)
		free(w->samples[i].owners);
	free(w->owners);
	free(w);
}

void watcher_begin(struct watcher *w, const struct look *look)
{
	w->look = look;
	w->n_owners = 0;
	memset(w->n, 0, sizeof(w->n));
}

static enum frame_owner_kind kind_of(const struct conn *c)
{
	if (c->owner == OWNER_HIDDEN)
		return c->basis == BASIS_NOT_LOOKED ? FRAME_NEW : FRAME_HIDDEN;
	if (c->n_holders == 0)
		return FRAME_KERNEL;
	return conn_proc(c) ? FRAME_PROCESS : FRAME_SEVERAL;
}

/* Few hold sockets that are being closed, and neighbours in a dump are often of the same one. */
static struct frame_owner *owner_of(struct watcher *w, const struct conn *c)
{
	enum frame_owner_kind kind = kind_of(c);
	const struct proc *p = kind == FRAME_PROCESS ? conn_proc(c) : NULL;

	for (size_t i = w->n_owners; i-- > 0;)
		if (w->owners[i].kind == kind && w->owners[i].proc == p)
			return &w->owners[i];
	if (w->n_owners == w->cap_owners) {
		w->cap_owners = w->cap_owners ? w->cap_owners * 2 : 64;
		w->owners = xrealloc_array(w->owners, w->cap_owners, sizeof(*w->owners));
	}
	w->owners[w->n_owners] = (struct frame_owner){ .kind = kind, .proc = p, .status = c->owner };
	return &w->owners[w->n_owners++];
}

static void offer_age(struct frame_owner *o, const struct conn *c)
{
	if (c->age.known && (!o->oldest.known || c->age.ms > o->oldest.ms))
		o->oldest = c->age;
}

void watcher_conn(struct watcher *w, const struct conn *c)
{
	struct frame_owner *o = owner_of(w, c);
	uint8_t state = c->sock->state;

	/* They stand in this order. */
	if (c->owner < o->status)
		o->status = c->owner;
	o->n[state]++;
	o->n_held += state == STATE_CLOSE_WAIT && c->owner == OWNER_KNOWN;
	w->n[state]++;
	if (state == STATE_CLOSE_WAIT || state == STATE_FIN_WAIT_2)
		offer_age(o, c);
}

/* What was before. */

static void drop_oldest(struct watcher *w)
{
	free(w->samples[0].owners);
	w->n_samples--;
	memmove(&w->samples[0], &w->samples[1], w->n_samples * sizeof(w->samples[0]));
}

static int by_pid(const void *va, const void *vb)
{
	const struct sampled_owner *a = va, *b = vb;

	return (a->pid > b->pid) - (a->pid < b->pid);
}

static void keep_owners(const struct watcher *w, struct sample *s)
{
	s->owners = xrealloc_array(NULL, w->n_owners + 1, sizeof(*s->owners));
	for (size_t i = 0; i < w->n_owners; i++)
		if (w->owners[i].kind == FRAME_PROCESS)
			s->owners[s->n_owners++] = (struct sampled_owner){
				w->owners[i].proc->pid, w->owners[i].proc->start_ticks,
				w->owners[i].n[STATE_CLOSE_WAIT], w->owners[i].n_held, w->owners[i] };
	qsort(s->owners, s->n_owners, sizeof(*s->owners), by_pid);
}

/* The i-th sample that has owners and the ones behind it; NULL: there are not so many. */
static const struct sample *with_owners(const struct watcher *w, size_t i)
{
	for (size_t k = 0; k < w->n_samples; k++)
		if (w->samples[k].owners && i-- == 0)
			return &w->samples[k];
	return NULL;
}

static bool is_over(const struct watcher *w, int64_t now_ms)
{
	const struct sample *oldest = &w->samples[0];

	if (w->n_samples == MAX_SAMPLES)
		return true;
	return w->n_samples > 0 && oldest->at_ms < now_ms - WINDOW_MS &&
	       (!oldest->owners || with_owners(w, FEWEST_SEARCHES));
}

static void keep_sample(struct watcher *w)
{
	int64_t now_ms = w->look->host.uptime_ms;
	struct sample s = { .at_ms = now_ms };

	while (is_over(w, now_ms))
		drop_oldest(w);
	memcpy(s.n, w->n, sizeof(s.n));
	if (w->look->owners_looked)
		keep_owners(w, &s);
	w->samples[w->n_samples++] = s;
}

/* NULL: it had none then. */
static const struct sampled_owner *owner_then(const struct sample *s, const struct proc *p)
{
	const struct sampled_owner key = { .pid = p->pid };
	const struct sampled_owner *o = bsearch(&key, s->owners, s->n_owners, sizeof(key), by_pid);

	return o && o->start_ticks == p->start_ticks ? o : NULL;
}

static uint64_t close_waits_then(const struct sample *s, const struct proc *p)
{
	const struct sampled_owner *o = owner_then(s, p);

	return o ? o->close_waits : 0;
}

static uint64_t held_then(const struct sample *s, const struct proc *p)
{
	const struct sampled_owner *o = owner_then(s, p);

	return o ? o->held : 0;
}

static int64_t tenths_a_second(uint64_t before, uint64_t now, int64_t ms)
{
	return ((int64_t)now - (int64_t)before) * 10000 / ms;
}

/* The last sample before this picture; NULL: there is none, or no time has passed. */
static const struct sample *last_sample(const struct watcher *w)
{
	const struct sample *s = w->n_samples ? &w->samples[w->n_samples - 1] : NULL;

	return s && s->at_ms < w->look->host.uptime_ms ? s : NULL;
}

static size_t n_with_owners(const struct watcher *w)
{
	size_t n = 0;

	while (with_owners(w, n))
		n++;
	return n;
}

/* The sample with owners nearest to the middle between the first one and now. */
static const struct sample *middle_sample(const struct watcher *w, int64_t first_ms)
{
	int64_t middle_ms = first_ms + (w->look->host.uptime_ms - first_ms) / 2;
	const struct sample *s, *found = NULL;

	for (size_t i = 0; (s = with_owners(w, i)); i++)
		if (!found || llabs(s->at_ms - middle_ms) < llabs(found->at_ms - middle_ms))
			found = s;
	return found;
}

static void judge_filling(const struct watcher *w, struct frame_owner *o)
{
	const struct sample *first = with_owners(w, 0), *middle = middle_sample(w, first->at_ms);
	int64_t ms = w->look->host.uptime_ms - first->at_ms, half_ms = middle->at_ms - first->at_ms;
	uint64_t now = o->n_held, used = o->proc->has_fds ? o->proc->n_fds : now;

	if (ms < SHORTEST_MS || o->proc->fd_limit == 0)
		return;
	uint64_t then = held_then(first, o->proc), half = held_then(middle, o->proc);
	/* A part must be long enough to say something. */
	if (now < then + FEWEST || half_ms < ms / 8)
		return;
	uint64_t early = (now - then) * (uint64_t)half_ms / (uint64_t)ms, late = now - then - early;
	if (half < then + early / 2 || now < half + late / 2)
		return;
	uint64_t room = o->proc->fd_limit > used ? o->proc->fd_limit - used : 0;
	o->is_filling = true;
	o->left_ms = (uint64_t)((__uint128_t)room * (uint64_t)ms / (now - then));
}

static int most_first(const void *va, const void *vb)
{
	const struct frame_owner *a = va, *b = vb;
	uint64_t na = a->n[STATE_CLOSE_WAIT], nb = b->n[STATE_CLOSE_WAIT];

	if (na != nb)
		return na < nb ? 1 : -1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->proc && b->proc ? (a->proc->pid > b->proc->pid) - (a->proc->pid < b->proc->pid) : 0;
}

static void take_growth(struct frame_owner *o, const struct sample *last)
{
	const struct sampled_owner *then = owner_then(last, o->proc);

	if (!then)
		return;
	o->has_rate = then->growth.has_rate;
	o->gain = then->growth.gain;
	o->is_filling = then->growth.is_filling;
	o->left_ms = then->growth.left_ms;
}

static void fill_owners(struct watcher *w)
{
	size_t n = n_with_owners(w);
	const struct sample *last = n ? with_owners(w, n - 1) : NULL;
	int64_t ms = last ? w->look->host.uptime_ms - last->at_ms : 0;

	for (size_t i = 0; ms > 0 && i < w->n_owners; i++) {
		struct frame_owner *o = &w->owners[i];

		if (o->kind != FRAME_PROCESS)
			continue;
		if (!w->look->owners_looked) {
			take_growth(o, last);
			continue;
		}
		o->has_rate = true;
		o->gain = tenths_a_second(close_waits_then(last, o->proc), o->n[STATE_CLOSE_WAIT], ms);
		judge_filling(w, o);
	}
	if (w->n_owners)
		qsort(w->owners, w->n_owners, sizeof(*w->owners), most_first);
}

void watcher_end(struct watcher *w, const struct findings *findings, struct frame *ret)
{
	const struct sample *last = last_sample(w);
	struct frame f = { .look = w->look, .findings = findings, .has_rates = last != NULL,
			   .n_owners = w->n_owners };

	fill_owners(w);
	memcpy(f.n, w->n, sizeof(f.n));
	for (size_t i = 0; last && i < STATE_MAX; i++)
		f.rate[i] = tenths_a_second(last->n[i], w->n[i], w->look->host.uptime_ms - last->at_ms);
	f.owners = arena_array(w->look->arena, w->n_owners + 1, sizeof(*f.owners));
	if (w->n_owners)
		memcpy(f.owners, w->owners, w->n_owners * sizeof(*f.owners));
	keep_sample(w);
	*ret = f;
}
