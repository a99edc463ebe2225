#include "check/holders.h"
#include "check/settle.h"
#include "util/i18n.h"

#include <stdlib.h>
#include <string.h>

static int by_proc(const void *va, const void *vb)
{
	const struct held *a = va, *b = vb;

	return (a->proc->pid > b->proc->pid) - (a->proc->pid < b->proc->pid);
}

void holders_sort(struct check *k)
{
	if (k->n_held)
		qsort(k->held, k->n_held, sizeof(*k->held), by_proc);
}

struct tally {
	const struct held *at;
	uint64_t n_fds, n_socks, n_old, n_may_be;
};

/* The next process, and what it holds. */
static size_t tally_one(const struct check *k, size_t i, struct tally *ret)
{
	*ret = (struct tally){ .at = &k->held[i] };
	for (; i < k->n_held && k->held[i].proc == ret->at->proc; i++) {
		ret->n_fds += k->held[i].has_fd;
		ret->n_socks += !k->held[i].is_again;
		ret->n_old += k->held[i].is_old;
		ret->n_may_be += k->held[i].may_be_old;
	}
	return i;
}

const char holders_hidden_owners[] =
	N_("who holds some connections in CLOSE-WAIT cannot be seen; ask as root");
const char holders_hidden_ages[] = N_("the age of some connections cannot be seen");

static bool is_larger_share(const struct tally *a, const struct tally *b)
{
	return !b->at || (__uint128_t)a->n_fds * b->at->proc->fd_limit >
				 (__uint128_t)b->n_fds * a->at->proc->fd_limit;
}

/* Some programs lower their limit when they have opened all they need, which makes one connection a share of
 * a half and more: OpenSSH's to nothing. */
void holders_nofile(const struct check *k, struct check_result *r)
{
	struct tally worst = { 0 }, t;
	bool is_hidden = k->n_hidden > 0;

	for (size_t i = 0; i < k->n_held;) {
		i = tally_one(k, i, &t);
		if (t.n_fds < FEWEST)
			continue;
		if (t.at->proc->fd_limit == 0)
			is_hidden = true;
		else if (is_larger_share(&t, &worst))
			worst = t;
	}
	settle_value(r, 0);
	if (worst.at) {
		settle_share(r, worst.n_fds, worst.at->proc->fd_limit);
		settle_owner(k, r, worst.at->proc, worst.at->netns);
	}
	settle_at_most(r, is_hidden ? ALL : r->value, holders_hidden_owners);
}

void holders_count(const struct check *k, struct check_result *r)
{
	struct tally worst = { 0 }, t;
	uint64_t most = 0;

	for (size_t i = 0; i < k->n_held;) {
		i = tally_one(k, i, &t);
		if (t.n_old + t.n_may_be > most)
			most = t.n_old + t.n_may_be;
		if (t.n_old > worst.n_old)
			worst = t;
	}
	settle_value(r, (int64_t)worst.n_old * 1000);
	r->used = worst.n_old;
	finding_fact(&r->worst, "used", FACT_COUNT, (int64_t)worst.n_old);
	if (worst.at)
		settle_owner(k, r, worst.at->proc, worst.at->netns);
	most += k->n_hidden_old;
	settle_at_most(r, (int64_t)most * 1000, k->n_hidden_old ? holders_hidden_owners : holders_hidden_ages);
}

static int by_name(const void *va, const void *vb)
{
	const struct check_owner *a = va, *b = vb;
	int by_comm = strcmp(a->comm, b->comm);

	return by_comm ? by_comm : strcmp(a->unit ? a->unit : "", b->unit ? b->unit : "");
}

static int most_first(const void *va, const void *vb)
{
	const struct check_owner *a = va, *b = vb;

	if (a->n_close_wait != b->n_close_wait)
		return a->n_close_wait < b->n_close_wait ? 1 : -1;
	return by_name(va, vb);
}

void holders_owners(const struct check *k, struct check_results *ret)
{
	struct check_owner *all = arena_array(k->look->arena, k->n_held + 1, sizeof(*all));
	size_t n = 0, kept = 0;
	struct tally t;

	for (size_t i = 0; i < k->n_held;) {
		i = tally_one(k, i, &t);
		all[n++] = (struct check_owner){ t.at->proc->comm, t.at->proc->unit, t.n_socks };
	}
	if (n)
		qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 0; i < n; i++)
		if (kept > 0 && by_name(&all[kept - 1], &all[i]) == 0)
			all[kept - 1].n_close_wait += all[i].n_close_wait;
		else
			all[kept++] = all[i];
	if (kept)
		qsort(all, kept, sizeof(*all), most_first);
	ret->owners = all;
	ret->n_owners = kept;
}
