#include "live/live.h"
#include "live/dump.h"
#include "live/hostinfo.h"
#include "live/lookfile.h"
#include "live/netns.h"
#include "live/owners.h"
#include "live/root.h"
#include "live/sockopts.h"
#include "live/watch.h"
#include "util/buf.h"
#include "util/i18n.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How it works: namespace by namespace the sockets, then the settings, all while standing in it;
 * then, once for all of them, the owners: socket inodes are unique on a machine. Owners come as
 * soon after the sockets as they can, because a process may close what was just listed. */

/* What reading one namespace needs. */
struct looking {
	/* The number it has in the look, or will have; false: it is not to be read. */
	bool (*number)(struct looking *l, const struct netns_place *place, unsigned *ret);
	int (*read)(struct looking *l, unsigned netns); /* the calling thread stands in it */
	struct root *root;
	const struct live_request *req;
	struct look *look;
	struct fail *fail;
	size_t cap_netns;
	int error; /* of the last visit */
	/* Sockets in the tables of the namespaces that were read, and the most the machine had meanwhile. */
	int64_t n_here, n_machine;
	bool not_counted;
};

/* More than so many sockets of a look are not kept for the sake of one walk less: half a megabyte. */
enum { FEW_SOCKETS = 8192 };

/* The kernel counts minisocks, and those in FIN-WAIT-2 were listed, from `first` on. */
static void count_timewaits(struct look *look, unsigned netns, size_t first, int64_t n)
{
	for (size_t i = first; i < look->n_socks; i++)
		n -= look->socks[i].state == STATE_FIN_WAIT_2 && !look->socks[i].full;
	if (n <= 0)
		return;
	look->states[STATE_TIME_WAIT] += (uint64_t)n;
	look->netns[netns].n_sockets += (uint32_t)n;
}

static int read_sockets(struct looking *l, unsigned netns)
{
	struct live_request req = *l->req;
	struct setting tw = { 0 };
	size_t first = l->look->n_socks;
	uint64_t counted = l->look->states[STATE_TIME_WAIT];

	if (hostinfo_is_empty(l->root, netns))
		return 0;
	if (req.with_few_timewaits || req.count_timewaits)
		tw = hostinfo_timewaits(l->root, netns);
	if (req.count_timewaits && !tw.known)
		req.states |= STATE_BIT(STATE_TIME_WAIT);
	if (req.with_few_timewaits && tw.known && (uint64_t)tw.value + first <= FEW_SOCKETS) {
		req.states |= STATE_BIT(STATE_TIME_WAIT);
		l->look->netns[netns].has_few_timewaits = true;
	}
	int error = dump_netns(l->root, &req, netns, l->look, l->fail);
	/* /proc/net/tcp, where that was read instead, has counted them. */
	if (!error && req.count_timewaits && l->look->states[STATE_TIME_WAIT] == counted)
		count_timewaits(l->look, netns, first, tw.value);
	return error;
}

static void count_tcp(struct looking *l)
{
	struct hostinfo_tcp count = hostinfo_count_tcp(l->root);

	l->not_counted |= !count.here.known || !count.machine.known;
	l->n_here += count.here.value;
	if (count.machine.value > l->n_machine)
		l->n_machine = count.machine.value;
}

static int read_netns(struct looking *l, unsigned netns)
{
	int error = read_sockets(l, netns);

	if (error)
		return error;
	if (l->req->all_netns)
		count_tcp(l);
	/* They may have outlived their subflows. */
	dump_mptcp(l->root, l->req, netns, l->look);
	if (l->req->want_host)
		hostinfo_read_netns(l->root, netns, l->look);
	return 0;
}

static void find_owners(struct looking *l, const struct netns_list *places)
{
	AUTO_POLLS polls = { 0 };

	owners_find(l->root, l->req, places, l->look, &polls);
	if (live_is_late(l->req))
		return;
	if (l->req->want_watch)
		watch_find(l->root, l->look, &polls);
	if (!l->root->is_live)
		sockopts_replay(l->root, l->look);
	else if (l->req->want_sockopts)
		sockopts_find(l->root, l->look);
}

bool live_is_late(const struct live_request *req)
{
	struct timespec now;

	if (!req->deadline_ns)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec > req->deadline_ns;
}

/* ---- this machine ---- */

static void explain_place(const struct netns_place *place, int error, struct fail *fail)
{
	const char *object = place->name ? place->name : place->path;

	if (error == -EINVAL)
		fail_set(fail, object, _("not a network namespace"));
	else
		fail_set(fail, object, "%s", strerror(-error));
	if (root_is_refusal(error))
		fail_hint(fail, _("entering a network namespace needs root"));
}

enum visit {
	VISIT_DONE,
	VISIT_FAILED,
	VISIT_GONE, /* it ended after it was listed */
	VISIT_LOST, /* there is no way back */
};

static enum visit visit(struct looking *l, const struct netns_place *place, unsigned netns)
{
	int home;

	l->error = netns_enter(place, &home);
	if (l->error) {
		explain_place(place, l->error, l->fail);
		return l->error == -ENOENT ? VISIT_GONE : VISIT_FAILED;
	}
	l->error = l->read(l, netns);
	int lost = netns_leave(home);
	if (lost) {
		fail_set(l->fail, "setns", _("cannot return to the network namespace it was started in: %s"),
			 strerror(-lost));
		l->error = lost;
		return VISIT_LOST;
	}
	return l->error ? VISIT_FAILED : VISIT_DONE;
}

static int list_places(struct looking *l, struct netns_list *ret)
{
	if (l->req->netns)
		return netns_list_one(l->root, l->look->arena, l->req->netns, ret, l->fail);
	if (l->req->all_netns)
		netns_list_all(l->root, l->look->arena, ret);
	else
		netns_list_own(l->root, ret);
	return 0;
}

static void add_netns_gaps(struct looking *l, const struct netns_list *list)
{
	const char *effect = _("the network namespaces of such processes may be missing");

	for (size_t i = 0; i < list->n_refused; i++)
		gap_add(&l->look->gaps, "netns", "/proc/PID/ns/net", _("permission denied"), effect);
	if (list->hidden)
		gap_add(&l->look->gaps, "netns", "/proc", list->hidden, effect);
	if (list->is_full)
		gap_add(&l->look->gaps, "cap", _("network namespaces"), _("more than 65535"),
			_("the sockets of some are missing"));
}

static void add_refusal(struct looking *l)
{
	struct arena *arena = l->look->arena;

	gap_add(&l->look->gaps, "netns", arena_strdup(arena, l->fail->object),
		arena_strdup(arena, l->fail->what),
		_("the sockets of this network namespace are missing"));
}

/* Orphans keep a network namespace that has neither process nor name, and that nobody can enter; how many there are
 * on the machine sockstat says in each. They come and go while namespaces are read: a few are no sign. */
static void add_orphans_gap(struct looking *l)
{
	enum { WORTH_A_WORD = 16, SHARE = 4 };
	const uint32_t states = STATES_TEARDOWN & ~(STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_TIME_WAIT));
	struct look *look = l->look;
	int64_t all = look->host.orphans.value, unseen = all;

	if (!l->req->all_netns || !look->host.orphans.known || l->req->bytecode || l->req->only_inet4 ||
	    l->req->only_inet6 || (l->req->states & states) != states || live_is_late(l->req) ||
	    !owners_sees_all_pids(l->root))
		return;
	for (size_t i = 0; i < look->n_socks; i++)
		unseen -= look->socks[i].full && sock_is_orphan(&look->socks[i]);
	if (unseen < WORTH_A_WORD || unseen < all / SHARE)
		return;
	gap_add(&look->gaps, "orphans", "/proc/net/sockstat",
		arena_printf(look->arena, _("%" PRId64 " of the machine's %" PRId64 " orphaned sockets are in no network "
					    "namespace that can be seen"), unseen, all),
		_("they keep their namespace alive after its last process, until they time out"));
}

static void add_budget_gap(struct looking *l)
{
	gap_add(&l->look->gaps, "budget", _("network namespaces"), _("the time limit was reached"),
		_("the sockets of some are missing"));
}

/* The one that is read next becomes the last of the look. */
static bool number_new(struct looking *l, const struct netns_place *place, unsigned *ret)
{
	struct look *look = l->look;

	if (look->n_netns == l->cap_netns) {
		struct netns *old = look->netns;

		l->cap_netns = l->cap_netns ? l->cap_netns * 2 : 16;
		look->netns = arena_array(look->arena, l->cap_netns, sizeof(*look->netns));
		if (old)
			memcpy(look->netns, old, look->n_netns * sizeof(*old));
	}
	look->netns[look->n_netns] = (struct netns){
		.inode = place->inode, .name = place->name,
		.is_of_thread = place->path && strstr(place->path, "/task/"),
	};
	*ret = (unsigned)look->n_netns;
	return true;
}

/* false: there is no way back. */
static bool visit_place(void *arg, struct netns_place *place)
{
	struct looking *l = arg;
	unsigned netns;

	place->is_gone = false;
	if (!l->number(l, place, &netns))
		return true;
	/* The first is asked in any case: a report needs a namespace. */
	if (netns > 0 && live_is_late(l->req)) {
		add_budget_gap(l);
		return true;
	}
	enum visit how = visit(l, place, netns);
	place->is_gone = how == VISIT_GONE;
	if (how == VISIT_DONE && netns == l->look->n_netns)
		l->look->n_netns++;
	else if (how == VISIT_FAILED)
		add_refusal(l);
	return how != VISIT_LOST;
}

static bool seek(struct looking *l, struct netns_list *list, bool in_threads)
{
	const struct netns_seek how = {
		.in_threads = in_threads, .req = l->req, .visit = visit_place, .arg = l,
	};

	if (!netns_seek(l->root, l->look->arena, &how, list))
		return false;
	if (live_is_late(l->req))
		add_budget_gap(l);
	return true;
}

/* The process that had shown it may have ended, and others be there still. */
static bool visit_list(struct looking *l, struct netns_list *list)
{
	bool is_gone = false;

	for (size_t i = 0; i < list->n; i++) {
		if (!visit_place(l, &list->at[i]))
			return false;
		is_gone |= list->at[i].is_gone;
	}
	return !is_gone || !l->req->all_netns || seek(l, list, false);
}

/* Threads are asked only where the machine has more sockets than the namespaces that were read. */
static int visit_all(struct looking *l, struct netns_list *list)
{
	if (!visit_list(l, list))
		return l->error;
	if (l->req->all_netns && (l->not_counted || l->n_here < l->n_machine) && !seek(l, list, true))
		return l->error;
	add_netns_gaps(l, list);
	add_orphans_gap(l);
	return l->look->n_netns ? 0 : l->error;
}

static int read_machine(struct looking *l)
{
	struct netns_list list = { 0 };
	struct timespec now;
	int error = list_places(l, &list);

	clock_gettime(CLOCK_REALTIME, &now);
	l->look->host.time_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	l->look->host.hz = sysconf(_SC_CLK_TCK);
	l->look->asked_states = l->req->states;
	if (!error)
		error = visit_all(l, &list);
	if (!error)
		find_owners(l, &list);
	netns_list_free(&list);
	return error;
}

/* ---- a recording ---- */

static void add_states_gap(struct looking *l, uint32_t missing)
{
	AUTO_BUF names = { 0 };

	/* No dump has closed ones, and both kinds of SYN-RECV have one name. */
	missing &= ~(STATE_BIT(STATE_CLOSED) | STATE_BIT(STATE_NEW_SYN_RECV));
	for (enum state s = STATE_ESTABLISHED; s < STATE_MAX; s++)
		if (missing & STATE_BIT(s))
			buf_printf(&names, "%s%s", names.n ? ", " : "", state_name(s));
	if (names.n)
		gap_add(&l->look->gaps, "states", arena_strdup(l->look->arena, buf_text(&names)),
			_("not recorded"), _("sockets in these states are missing"));
}

static int read_recorded(struct looking *l)
{
	struct lookfile file;

	l->look->source = arena_strdup(l->look->arena, l->req->from);
	int error = lookfile_read(l->root, l->look, &file, l->fail);
	if (error)
		return error;
	l->look->asked_states = l->req->states & file.asked_states;
	add_states_gap(l, l->req->states & ~file.asked_states);
	for (unsigned i = 0; i < l->look->n_netns; i++) {
		error = read_netns(l, i);
		if (error)
			return error;
	}
	if (file.owners == RECORDED_NONE) {
		if (l->req->owners != OWNERS_NONE)
			gap_add(&l->look->gaps, "owners", l->look->source, _("recorded without owners"),
				_("nobody's sockets have a known owner, and processes near their limits are "
				  "not seen"));
		return 0;
	}
	find_owners(l, NULL);
	if (file.owners == RECORDED_PARTIAL)
		l->look->owners_complete = false;
	return 0;
}

/* A look that met errors in reading is not the whole truth, whatever came of them. */
static void add_trouble(const struct trouble *t, struct look *look)
{
	const char *path = arena_strdup(look->arena, t->path);
	const char *reason = arena_strdup(look->arena, strerror(t->error));

	for (size_t i = 0; i < t->n; i++)
		gap_add(&look->gaps, "read", path, reason, _("what it would have told is missing"));
}

int live_look(const struct live_request *req, struct look **ret, struct fail *fail)
{
	struct root root = ROOT_CLOSED;
	struct trouble trouble = { 0 };
	int error = root_open(req->from, req->record, req->packer, &root, fail);

	if (error)
		return error;
	root.trouble = &trouble;
	struct look *look = look_new();
	struct looking l = {
		.number = number_new, .read = read_netns, .root = &root, .req = req, .look = look, .fail = fail,
	};

	/* First, so that uptime is that of the listing however long the rest takes: rates come from it. */
	hostinfo_read_machine(&root, look);
	error = req->from ? read_recorded(&l) : read_machine(&l);
	if (!error) {
		add_trouble(&trouble, look);
		if (root_is_recorded(&root))
			lookfile_write(&root, look);
		error = root.record_error;
		if (error)
			fail_set(fail, req->record, "%s", strerror(-error));
	}
	root_close(&root);
	if (error) {
		look_free(look);
		return error;
	}
	*ret = look;
	return 0;
}

/* ---- once more ---- */

/* Has the look all that is asked for? */
static bool is_known(const struct live_request *req, const struct netns *ns)
{
	return ns->has_few_timewaits && req->states == STATE_BIT(STATE_TIME_WAIT);
}

static int stream_netns(struct looking *l, unsigned netns)
{
	int error = 0;

	if (!hostinfo_is_empty(l->root, netns))
		error = dump_netns(l->root, l->req, netns, l->look, l->fail);
	if (!error && l->req->states != STATE_BIT(STATE_TIME_WAIT)) /* MPTCP sockets are never in it */
		dump_mptcp(l->root, l->req, netns, l->look);
	return error;
}

/* The namespace of the look that has this inode; n_netns: none. */
static unsigned find_netns(const struct look *look, uint64_t inode)
{
	unsigned i = 0;

	while (i < look->n_netns && look->netns[i].inode != inode)
		i++;
	return i;
}

/* A namespace that is new is not of this look. */
static bool number_known(struct looking *l, const struct netns_place *place, unsigned *ret)
{
	*ret = find_netns(l->look, place->inode);
	return *ret < l->look->n_netns && !is_known(l->req, &l->look->netns[*ret]);
}

/* One that is gone has no sockets. */
static int stream_machine(struct looking *l)
{
	struct netns_list list = { 0 };
	bool is_of_thread = false, may_go_on = true;
	int error = list_places(l, &list);

	for (size_t i = 0; i < l->look->n_netns; i++)
		is_of_thread |= l->look->netns[i].is_of_thread;
	if (!error)
		may_go_on = visit_list(l, &list) && (!is_of_thread || seek(l, &list, true));
	netns_list_free(&list);
	if (error)
		return error;
	return may_go_on && l->look->n_netns > 1 ? 0 : l->error;
}

int live_stream(const struct live_request *req, struct look *look, struct fail *fail)
{
	struct root root = ROOT_CLOSED;
	size_t n_known = 0;

	for (size_t i = 0; i < look->n_netns; i++)
		n_known += is_known(req, &look->netns[i]);
	if (n_known == look->n_netns)
		return 0;
	int error = root_open(NULL, NULL, NULL, &root, fail);
	struct looking l = {
		.number = number_known, .read = stream_netns, .root = &root, .req = req, .look = look, .fail = fail,
	};

	if (!error)
		error = stream_machine(&l);
	root_close(&root);
	return error;
}
