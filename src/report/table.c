#include "report/table.h"
#include "report/columns.h"
#include "report/wrap.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>

/* How it works: rows stream, so widths are fixed from a sensible start; a longer value pushes the
 * rest of its row and nothing else. */

static void put_padded(struct report *r, const char *text, size_t n, const struct column *column)
{
	size_t columns_used = text_columns(text, n);
	size_t pad = column->width > columns_used ? column->width - columns_used : 0;

	for (size_t i = 0; column->right && i < pad; i++)
		out_putc(&r->out, ' ');
	out_add(&r->out, text, n);
	for (size_t i = 0; !column->right && i < pad; i++)
		out_putc(&r->out, ' ');
}

void table_begin(struct report *r)
{
	if (r->options.no_header)
		return;
	for (size_t i = 0; i < n_columns; i++) {
		if (i > 0)
			out_putc(&r->out, ' ');
		put_padded(r, columns[i].heading, strlen(columns[i].heading), &columns[i]);
	}
	out_putc(&r->out, '\n');
}

static void put_timer(struct report *r, const struct sock *s)
{
	if (s->timer == TIMER_OFF)
		return;
	out_printf(&r->out, " timer:(%s,%u.%03usec,%u)", timer_name((enum timer)s->timer),
		   s->expires_ms / 1000, s->expires_ms % 1000, s->retrans);
}

static void put_mptcp(struct report *r, const struct sock *s)
{
	if (s->full && (s->full->is_mptcp || s->full->is_subflow))
		out_printf(&r->out, s->full->is_mptcp ? " mptcp token:%08x" : " tcp-ulp-mptcp token:%08x",
			   s->full->token);
}

static void put_extended(struct report *r, const struct sock *s)
{
	if (s->full && s->full->uid)
		out_printf(&r->out, " uid:%u", s->full->uid);
	if (s->full)
		out_printf(&r->out, " ino:%u", s->full->inode);
	out_printf(&r->out, " sk:%" PRIx64, s->cookie);
	if (s->full && s->full->has_cgroup)
		out_printf(&r->out, " cgroup:%" PRIu64, s->full->cgroup_id);
}

static void put_info(struct report *r, const struct sock_info *info)
{
	if (info->len < SOCK_INFO_LEN_BASIC)
		return;
	out_printf(&r->out, " rto:%u rtt:%u.%03u backoff:%u lastsnd:%u lastrcv:%u lastack:%u",
		   info->rto_us / 1000, info->rtt_us / 1000, info->rtt_us % 1000, info->backoff,
		   info->last_data_sent_ms, info->last_data_recv_ms, info->last_ack_recv_ms);
}

void table_row(struct report *r, const struct conn *c)
{
	for (size_t i = 0; i < n_columns; i++) {
		if (i > 0)
			out_putc(&r->out, ' ');
		buf_clear(&r->line);
		columns[i].get(&r->line, r, c);
		put_padded(r, buf_text(&r->line), r->line.n, &columns[i]);
	}
	buf_clear(&r->line);
	put_mptcp(r, c->sock);
	if (r->options.timers)
		put_timer(r, c->sock);
	if (r->options.extended)
		put_extended(r, c->sock);
	if (r->options.info && c->sock->full)
		put_info(r, &c->sock->full->info);
	if (r->options.memory && c->sock->full && c->sock->full->has_skmem)
		out_printf(&r->out, " skmem:(r%u,rb%u,t%u,tb%u)", c->sock->full->rmem_alloc,
			   c->sock->full->rcvbuf, c->sock->full->wmem_alloc, c->sock->full->sndbuf);
	out_putc(&r->out, '\n');
}
