#include "check/memory.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Reading. */

/* A number from 0 to `max`. */
static bool take_number(const json_t *object, const char *key, int64_t max, int64_t *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
		return false;
	*ret = json_integer_value(value);
	return true;
}

static bool take_addr(const json_t *object, const char *key, struct addr *ret)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && addr_parse(text, ret);
}

static bool read_owner(const json_t *object, struct memory_owner *ret)
{
	return take_number(object, "pid", INT32_MAX, &ret->pid) &&
	       take_number(object, "start_ticks", INT64_MAX, &ret->start_ticks) &&
	       take_number(object, "close_waits", UINT32_MAX, &ret->n);
}

static bool read_ports(const json_t *object, struct memory_ports *ret)
{
	int64_t port;

	if (!take_number(object, "netns", INT64_MAX, &ret->netns) ||
	    !take_addr(object, "local", &ret->local) ||
	    !take_addr(object, "peer", &ret->peer.addr) ||
	    !take_number(object, "peer_port", UINT16_MAX, &port) ||
	    !take_number(object, "held", UINT32_MAX, &ret->held) ||
	    !take_number(object, "waiting", UINT32_MAX, &ret->waiting))
		return false;
	ret->peer.port = (uint16_t)port;
	return true;
}

static const char *const counter_names[] = {
	[MEMORY_TW_OVERFLOWS] = "tw_overflows",
	[MEMORY_LISTEN_OVERFLOWS] = "listen_overflows",
	[MEMORY_ABORTS] = "aborts_on_memory",
};

static bool read_netns(const json_t *object, struct memory_netns *ret)
{
	if (!take_number(object, "netns", INT64_MAX, &ret->netns))
		return false;
	for (size_t i = 0; i < N_MEMORY_COUNTERS; i++) {
		ret->counters[i] = -1;
		if (json_object_get(object, counter_names[i]) &&
		    !take_number(object, counter_names[i], INT64_MAX, &ret->counters[i]))
			return false;
	}
	return true;
}

static bool read_listener(const json_t *object, struct memory_listener *ret)
{
	return take_number(object, "netns", INT64_MAX, &ret->netns) &&
	       take_number(object, "cookie", INT64_MAX, &ret->cookie) &&
	       take_number(object, "drops", UINT32_MAX, &ret->drops);
}

/* What version 1 did not have from the beginning: it may be missing. */
static bool read_counters(const json_t *doc, struct arena *arena, struct memory *m)
{
	const json_t *netnses = json_object_get(doc, "netnses"), *listeners = json_object_get(doc, "listeners");
	size_t i;
	json_t *at;

	if (!netnses && !listeners)
		return true;
	if (!json_is_array(netnses) || !json_is_array(listeners) ||
	    json_array_size(netnses) > MEMORY_MAX_NETNS ||
	    json_array_size(listeners) > MEMORY_MAX_LISTENERS)
		return false;
	m->netnses = arena_array(arena, MEMORY_MAX_NETNS, sizeof(*m->netnses));
	m->listeners = arena_array(arena, MEMORY_MAX_LISTENERS, sizeof(*m->listeners));
	json_array_foreach(netnses, i, at)
		if (!read_netns(at, &m->netnses[m->n_netnses++]))
			return false;
	json_array_foreach(listeners, i, at)
		if (!read_listener(at, &m->listeners[m->n_listeners++]))
			return false;
	return true;
}

static bool read_all(const json_t *doc, struct arena *arena, struct memory *m)
{
	const char *schema = json_string_value(json_object_get(doc, "schema"));
	const char *boot_id = json_string_value(json_object_get(doc, "boot_id"));
	const json_t *owners = json_object_get(doc, "owners"), *ports = json_object_get(doc, "ports");
	size_t i;
	json_t *at;

	if (!schema || strcmp(schema, "tcpwhy.state/1") != 0 || !boot_id || !json_is_array(owners) ||
	    !json_is_array(ports) || json_array_size(owners) > MEMORY_MAX_OWNERS ||
	    json_array_size(ports) > MEMORY_MAX_PORTS ||
	    !json_is_true(json_object_get(doc, "complete")) ||
	    !take_number(doc, "netns", INT64_MAX, &m->netns) ||
	    !take_number(doc, "uptime_ms", INT64_MAX, &m->uptime_ms))
		return false;
	m->boot_id = arena_strdup(arena, boot_id);
	m->owners = arena_array(arena, MEMORY_MAX_OWNERS, sizeof(*m->owners));
	m->ports = arena_array(arena, MEMORY_MAX_PORTS, sizeof(*m->ports));
	json_array_foreach(owners, i, at)
		if (!read_owner(at, &m->owners[m->n_owners++]))
			return false;
	json_array_foreach(ports, i, at)
		if (!read_ports(at, &m->ports[m->n_ports++]))
			return false;
	return read_counters(doc, arena, m);
}

bool memory_read(const char *text, size_t n, struct arena *arena, struct memory *ret)
{
	struct memory m = { 0 };
	json_t *doc = n <= MEMORY_MAX_BYTES ? json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	bool is_good = doc && read_all(doc, arena, &m);

	json_decref(doc);
	if (is_good)
		*ret = m;
	return is_good;
}

/* Writing. */

static json_t *write_owner(const struct memory_owner *o)
{
	return json_pack("{s:I, s:I, s:I}", "pid", (json_int_t)o->pid, "start_ticks",
			 (json_int_t)o->start_ticks, "close_waits", (json_int_t)o->n);
}

static json_t *write_ports(const struct memory_ports *p)
{
	char local[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];

	return json_pack("{s:I, s:s, s:s, s:i, s:I, s:I}", "netns", (json_int_t)p->netns, "local",
			 addr_format(p->local, local), "peer", addr_format(p->peer.addr, peer),
			 "peer_port", (int)p->peer.port, "held", (json_int_t)p->held, "waiting",
			 (json_int_t)p->waiting);
}

static json_t *write_netns(const struct memory_netns *ns)
{
	json_t *object = json_pack("{s:I}", "netns", (json_int_t)ns->netns);

	for (size_t i = 0; i < N_MEMORY_COUNTERS; i++)
		if (ns->counters[i] >= 0)
			json_object_set_new(object, counter_names[i], json_integer(ns->counters[i]));
	return object;
}

static json_t *write_listener(const struct memory_listener *l)
{
	return json_pack("{s:I, s:I, s:I}", "netns", (json_int_t)l->netns, "cookie", (json_int_t)l->cookie,
			 "drops", (json_int_t)l->drops);
}

void memory_write(struct buf *b, const struct memory *m)
{
	json_t *owners = json_array(), *ports = json_array(), *netnses = json_array(), *listeners = json_array();

	for (size_t i = 0; i < m->n_owners; i++)
		json_array_append_new(owners, write_owner(&m->owners[i]));
	for (size_t i = 0; i < m->n_ports; i++)
		json_array_append_new(ports, write_ports(&m->ports[i]));
	for (size_t i = 0; i < m->n_netnses; i++)
		json_array_append_new(netnses, write_netns(&m->netnses[i]));
	for (size_t i = 0; i < m->n_listeners; i++)
		json_array_append_new(listeners, write_listener(&m->listeners[i]));
	json_t *doc = json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:b}", "schema", "tcpwhy.state/1",
				"boot_id", m->boot_id, "netns", (json_int_t)m->netns, "uptime_ms",
				(json_int_t)m->uptime_ms, "owners", owners, "ports", ports, "netnses", netnses,
				"listeners", listeners, "complete", 1);
	char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	if (!text)
		arena_die();
	buf_puts(b, text);
	buf_putc(b, '\n');
	free(text);
	json_decref(doc);
}

/* Asking. */

int64_t memory_netns_of(const struct look *look, bool all_netns)
{
	return look->n_netns == 1 && !all_netns ? (int64_t)look->netns[0].inode : 0;
}

bool memory_is_of(const struct memory *m, const struct look *look, bool all_netns)
{
	return look->host.boot_id && strcmp(m->boot_id, look->host.boot_id) == 0 &&
	       m->netns == memory_netns_of(look, all_netns) && m->uptime_ms <= look->host.uptime_ms;
}

const struct memory_owner *memory_owner(const struct memory *m, const struct proc *p)
{
	for (size_t i = 0; i < m->n_owners; i++)
		if (m->owners[i].pid == p->pid && m->owners[i].start_ticks == (int64_t)p->start_ticks)
			return &m->owners[i];
	return NULL;
}

const struct memory_ports *memory_ports(const struct memory *m, int64_t netns, struct addr local,
					struct endpoint peer)
{
	for (size_t i = 0; i < m->n_ports; i++)
		if (m->ports[i].netns == netns && addr_equal(m->ports[i].local, local) &&
		    endpoint_equal(m->ports[i].peer, peer))
			return &m->ports[i];
	return NULL;
}

const struct memory_netns *memory_netns(const struct memory *m, int64_t netns)
{
	for (size_t i = 0; i < m->n_netnses; i++)
		if (m->netnses[i].netns == netns)
			return &m->netnses[i];
	return NULL;
}

int64_t memory_drops(const struct memory *m, int64_t netns, uint64_t cookie)
{
	for (size_t i = 0; i < m->n_listeners; i++)
		if (m->listeners[i].netns == netns && (uint64_t)m->listeners[i].cookie == cookie)
			return m->listeners[i].drops;
	/* Who is not listed had none, unless there were too many to list. */
	return m->n_listeners < MEMORY_MAX_LISTENERS && memory_netns(m, netns) ? 0 : -1;
}
