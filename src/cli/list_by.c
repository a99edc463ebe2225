#include "cli/list_by.h"
#include "cli/run.h"
#include "model/state.h"
#include "util/attr.h"
#include "util/i18n.h"

#include <string.h>

static void key_state(struct buf *b, const struct conn *c)
{
	buf_puts(b, state_name((enum state)c->sock->state));
}

static void key_peer(struct buf *b, const struct conn *c)
{
	char text[ADDR_TEXT_MAX];

	buf_puts(b, addr_format(c->sock->pair.peer.addr, text));
}

static void key_local_port(struct buf *b, const struct conn *c)
{
	buf_printf(b, "%u", c->sock->pair.local.port);
}

static void key_owner(struct buf *b, const struct conn *c)
{
	if (c->owner == OWNER_KNOWN)
		buf_printf(b, "%s[%d]", c->holders[0].proc->comm, (int)c->holders[0].proc->pid);
	else
		buf_puts(b, owner_status_name(c->owner));
}

static void key_unit(struct buf *b, const struct conn *c)
{
	bool is_known = c->owner == OWNER_KNOWN && c->holders[0].proc->unit;

	buf_puts(b, is_known ? c->holders[0].proc->unit : "-");
}

static void key_container(struct buf *b, const struct conn *c)
{
	bool is_known = c->owner == OWNER_KNOWN && c->holders[0].proc->container;

	buf_puts(b, is_known ? c->holders[0].proc->container : "-");
}

static void key_pod(struct buf *b, const struct conn *c)
{
	bool is_known = c->owner == OWNER_KNOWN && c->holders[0].proc->pod;

	buf_puts(b, is_known ? c->holders[0].proc->pod : "-");
}

static void key_netns(struct buf *b, const struct conn *c)
{
	if (c->netns->name)
		buf_puts(b, c->netns->name);
	else
		buf_printf(b, "%llu", (unsigned long long)c->netns->inode);
}

static const struct by bys[] = {
	{ "state", false, key_state },
	{ "peer", false, key_peer },
	{ "local-port", false, key_local_port },
	{ "owner", true, key_owner },
	{ "unit", true, key_unit },
	{ "container", true, key_container },
	{ "pod", true, key_pod },
	{ "netns", false, key_netns },
};

const struct by *by_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(bys); i++)
		if (strcmp(bys[i].name, name) == 0)
			return &bys[i];
	AUTO_BUF names = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bys); i++)
		buf_printf(&names, " %s", bys[i].name);
	say_line(_("tcpwhy: --by %s: not one of%s"), name, buf_text(&names));
	return NULL;
}
