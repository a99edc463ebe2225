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
	uint64_t n_fds, n_old, n_may_be;
};

/* The next process, and what it holds. */
static size_t tally_one(const struct check *k, size_t i, struct tally *ret)
{
	*ret = (struct tally){ .at = &k->held[i] };
	for (; i < k->n_held && k->held[i].proc == ret->at->proc; i++) {
		ret->n_fds += k->held[i].has_fd;
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

/* What one process holds. */
struct span {
	const struct held *at;
	size_t n;
};

static int compare_names(const char *comm_a, const char *unit_a, const char *comm_b, const char *unit_b)
{
	int by_comm = strcmp(comm_a, comm_b);

	return by_comm ? by_comm : strcmp(unit_a ? unit_a : "", unit_b ? unit_b : "");
}

static int by_name(const void *va, const void *vb)
{
	const struct proc *a = ((const struct span *)va)->at->proc, *b = ((const struct span *)vb)->at->proc;

	return compare_names(a->comm, a->unit, b->comm, b->unit);
}

static int by_number(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

/* What fork() passed on is held by several, and still one connection. */
static uint64_t n_conns(const struct span *spans, size_t n_spans)
{
	uint64_t n = 0, found = 0;

	for (size_t i = 0; i < n_spans; i++)
		n += spans[i].n;
	uint64_t *conns = xrealloc_array(NULL, n, sizeof(*conns));
	n = 0;
	for (size_t i = 0; i < n_spans; i++)
		for (size_t k = 0; k < spans[i].n; k++)
			conns[n++] = spans[i].at[k].conn;
	qsort(conns, n, sizeof(*conns), by_number);
	for (size_t i = 0; i < n; i++)
		found += i == 0 || conns[i] != conns[i - 1];
	free(conns);
	return found;
}

static int most_first(const void *va, const void *vb)
{
	const struct check_owner *a = va, *b = vb;

	if (a->n_close_wait != b->n_close_wait)
		return a->n_close_wait < b->n_close_wait ? 1 : -1;
	return compare_names(a->comm, a->unit, b->comm, b->unit);
}

void holders_owners(const struct check *k, struct check_results *ret)
{
	struct check_owner *all = arena_array(k->look->arena, k->n_held + 1, sizeof(*all));
	struct span *spans = xrealloc_array(NULL, k->n_held + 1, sizeof(*spans));
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < k->n_held; n++) {
		spans[n] = (struct span){ .at = &k->held[i] };
		for (; i < k->n_held && k->held[i].proc == spans[n].at->proc; i++)
			spans[n].n++;
	}
	if (n)
		qsort(spans, n, sizeof(*spans), by_name);
	for (size_t i = 0, next; i < n; i = next) {
		const struct proc *p = spans[i].at->proc;

		for (next = i + 1; next < n && by_name(&spans[i], &spans[next]) == 0;)
			next++;
		all[kept++] = (struct check_owner){ p->comm, p->unit, n_conns(&spans[i], next - i) };
	}
	if (kept)
		qsort(all, kept, sizeof(*all), most_first);
	free(spans);
	ret->owners = all;
	ret->n_owners = kept;
}
