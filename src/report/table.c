#include "report/table.h"
#include "report/columns.h"
#include "report/wrap.h"
#include "util/i18n.h"

#include <inttypes.h>
#include <string.h>

/* How it works: rows stream, so widths are fixed from a sensible start; a longer value pushes the
 * rest of its row and nothing else. */

/* What stands in the line from `start` on is brought to its column's width; `used` of it are. */
static void align(struct buf *line, size_t start, const struct column *column, size_t used)
{
	size_t n = line->n - start;

	if (used >= column->width)
		return;
	size_t pad = column->width - used;
	buf_fill(line, ' ', pad);
	if (!column->right)
		return;
	memmove(line->at + start + pad, line->at + start, n);
	memset(line->at + start, ' ', pad);
}

static void end_line(struct report *r)
{
	while (r->line.n > 0 && r->line.at[r->line.n - 1] == ' ')
		r->line.n--;
	buf_putc(&r->line, '\n');
	out_add(&r->out, r->line.at, r->line.n);
	buf_clear(&r->line);
}

void table_begin(struct report *r)
{
	if (r->options.no_header)
		return;
	for (size_t i = 0; i < r->options.columns.n; i++) {
		const struct column *column = r->options.columns.at[i];
		size_t start = r->line.n + (i > 0);

		buf_puts(&r->line, i > 0 ? " " : "");
		buf_puts(&r->line, column->heading);
		align(&r->line, start, column, text_columns(r->line.at + start, r->line.n - start));
	}
	end_line(r);
}

static void put_timer(struct buf *b, const struct sock *s)
{
	if (s->timer == TIMER_OFF)
		return;
	buf_printf(b, " timer:(%s,%u.%03usec,%u)", timer_name((enum timer)s->timer),
		   s->expires_ms / 1000, s->expires_ms % 1000, s->retrans);
}

static void put_mptcp(struct buf *b, const struct sock *s)
{
	if (s->full && (s->full->is_mptcp || s->full->is_subflow))
		buf_printf(b, s->full->is_mptcp ? " mptcp token:%08x" : " tcp-ulp-mptcp token:%08x",
			   s->full->token);
}

static void put_extended(struct buf *b, const struct sock *s)
{
	if (s->full && s->full->uid)
		buf_printf(b, " uid:%u", s->full->uid);
	if (s->full)
		buf_printf(b, " ino:%u", s->full->inode);
	buf_printf(b, " sk:%" PRIx64, s->cookie);
	if (s->full && s->full->has_cgroup)
		buf_printf(b, " cgroup:%" PRIu64, s->full->cgroup_id);
}

static void put_info(struct buf *b, const struct sock_info *info)
{
	if (info->len < SOCK_INFO_LEN_BASIC)
		return;
	buf_printf(b, " rto:%u rtt:%u.%03u backoff:%u lastsnd:%u lastrcv:%u lastack:%u",
		   info->rto_us / 1000, info->rtt_us / 1000, info->rtt_us % 1000, info->backoff,
		   info->last_data_sent_ms, info->last_data_recv_ms, info->last_ack_recv_ms);
}

void table_row(struct report *r, const struct conn *c)
{
	struct buf *line = &r->line;
	const struct sock_full *full = c->sock->full;

	for (size_t i = 0; i < r->options.columns.n; i++) {
		const struct column *column = r->options.columns.at[i];
		size_t start = line->n + (i > 0);

		if (i > 0)
			buf_putc(line, ' ');
		column_put(line, column, r, c);
		size_t n = line->n - start;
		align(line, start, column, column->is_foreign ? text_columns(line->at + start, n) : n);
	}
	put_mptcp(line, c->sock);
	if (r->options.timers)
		put_timer(line, c->sock);
	if (r->options.extended)
		put_extended(line, c->sock);
	if (r->options.info && full)
		put_info(line, &full->info);
	if (r->options.memory && full && full->has_skmem)
		buf_printf(line, " skmem:(r%u,rb%u,t%u,tb%u)", full->rmem_alloc, full->rcvbuf,
			   full->wmem_alloc, full->sndbuf);
	end_line(r);
}
