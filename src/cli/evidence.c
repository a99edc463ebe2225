#include "cli/evidence.h"
#include "cli/run.h"
#include "util/i18n.h"

int evidence_gather(const struct options *o, const struct live_request *req,
		    bool is_last_look, struct captures *captures, struct evidence *ret)
{
	struct gaps gaps = { 0 };
	struct fail fail;

	if (!captures_collect(captures, o))
		return STATUS_FAILED;
	if (take_look(o, req, is_last_look, &ret->look, &fail) < 0) {
		say_failure(&fail);
		return STATUS_FAILED;
	}
	if (captures->n > 0)
		captures_read(captures, o, &gaps);
	for (size_t i = 0; i < gaps.n; i++)
		gap_add(&ret->look->gaps, gaps.at[i].what, gaps.at[i].object, gaps.at[i].reason,
			gaps.at[i].effect);
	gaps_free(&gaps);
	ret->join = join_new(ret->look);
	return STATUS_OK;
}

struct marriage {
	struct evidence *e;
	void (*lone)(void *ctx, const struct flow *view);
	void *ctx;
	size_t n_flows, n_ours;
};

static bool take_flow(void *ctx, const struct flow *view)
{
	struct marriage *m = ctx;
	bool is_ours = join_wants_flow(m->e->join, view);

	m->n_flows++;
	m->n_ours += is_ours;
	if (is_ours)
		join_add_flow(m->e->join, flow_keep(view, m->e->look->arena));
	else if (m->lone)
		m->lone(m->ctx, view);
	return true;
}

void evidence_marry(struct evidence *e, struct captures *captures,
		    void (*lone)(void *ctx, const struct flow *view), void *ctx)
{
	struct marriage m = { .e = e, .lone = lone, .ctx = ctx };

	if (captures->n > 0)
		flowtab_each(captures->tab, take_flow, &m);
	/* Addresses are all that packets and sockets have in common; behind a NAT they are others. */
	if (m.n_flows > 0 && !m.n_ours && !captures->is_live)
		gap_add(&e->look->gaps, "capture-elsewhere", captures->infos[0]->name,
			_("none of its connections has the addresses and ports of a socket that was looked at"),
			_("it says nothing about these: its connections may be gone or not asked for, or it is of "
			  "another host or the other side of a NAT"));
}

void evidence_free(struct evidence *e)
{
	join_free(e->join);
	look_free(e->look);
}
