#pragma once

/* One TCP socket of the kernel, as sock_diag shows it.
 *
 * `struct sock` is 64 bytes and exists for every row. What only a full socket has (owner, queues,
 * tcp_info) is in `struct sock_full`; TIME-WAIT, short FIN-WAIT-2 and requests have none (full ==
 * NULL), and "none" is a fact, not a gap. Both live in the arena of their look.
 *
 * Times are milliseconds. `expires_ms` is the time until *this timer* fires, not until the
 * connection ends. `rqueue` counts a FIN nobody has read as 1, `wqueue` our own FIN not yet
 * acknowledged. Source: Linux net/ipv4/inet_diag.c, inet_sk_diag_fill(); tcp_diag.c,
 * tcp_diag_get_info(). */

#include "model/addr.h"
#include "model/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum timer {
	TIMER_OFF = 0,
	TIMER_ON = 1,        /* retransmission, loss probe, reorder */
	TIMER_KEEPALIVE = 2, /* also the FIN-WAIT-2 timer of a full orphan */
	TIMER_TIMEWAIT = 3,  /* a minisock */
	TIMER_PERSIST = 4,   /* zero-window probe */
};

enum shutdown_bits {
	SHUT_BIT_RECV = 1, /* by SHUT_RD, or by the peer's FIN */
	SHUT_BIT_SEND = 2, /* by SHUT_WR */
};

/* Does the first holder hear of a FIN through epoll? */
enum watch {
	WATCH_UNKNOWN,  /* nobody looked, or not everything could be read */
	WATCH_NO_EPOLL, /* it has no epoll set */
	WATCH_ABSENT,   /* it has sets, and this socket is in none of them */
	WATCH_DEAF,     /* in a set, but neither for EPOLLIN nor for EPOLLRDHUP */
	WATCH_HEARS,
};

struct holder;

/* Options of the owner's socket; what `known` does not name was not reported. */
enum { OPTS_LINGER = 1, OPTS_KEEPALIVE = 2, OPTS_LINGER2 = 4, OPTS_USER_TIMEOUT = 8,
       OPTS_REUSEADDR = 16, OPTS_ALL = 31 };

struct sock_opts {
	uint8_t known;
	bool linger, keepalive, reuseaddr;
	int linger_s;                   /* means nothing while linger is off */
	int idle_s, interval_s, probes; /* in force: the socket's own, or the sysctl's */
	int linger2_s;                  /* in force; below 0: no FIN-WAIT-2 at all */
	uint32_t user_timeout_ms;       /* 0: none */
};

/* tcp_info as far as this kernel reported it: a field is meaningful if `len` reaches its end. */
struct sock_info {
	uint16_t len; /* bytes of the attribute that arrived; 0: none was reported */
	uint8_t probes, backoff;
	uint32_t rto_us;
	uint32_t last_data_sent_ms, last_data_recv_ms, last_ack_recv_ms; /* ms since */
	uint32_t rtt_us;
	uint32_t snd_wnd; /* bytes; needs len >= 232 */
};

enum { SOCK_INFO_LEN_BASIC = 104, SOCK_INFO_LEN_SND_WND = 232 };

struct sock_full {
	uint32_t rqueue, wqueue; /* LISTEN: children waiting, backlog in force */
	uint32_t uid, inode, ifindex;
	bool has_shutdown, has_cgroup, has_mark, has_skmem, has_drops;
	/* A TCP socket below an MPTCP one (ULP "mptcp"), or the MPTCP socket itself, whose rqueue and
	 * wqueue are memory, not bytes: of neither does rqueue tell anything about the end. */
	bool is_subflow, is_mptcp;
	/* ULP "tls", and the kernel decrypts (kTLS). Up to 5.19 it takes records and FIN out of the queue before the
	 * program asks; since, the FIN stays there when the program has been told the end. Source: Linux
	 * net/tls/tls_strp.c, tls_strp_read_sock(); net/ipv4/tcp.c, tcp_inq(); the lab on 5.15 and 6.1. */
	bool has_tls_rx;
	uint32_t token; /* the same of an MPTCP socket and its subflows; 0: unknown */
	uint8_t shutdown;
	bool is_v6only; /* LISTEN: takes no IPv4 (IPV6_V6ONLY); false where the kernel did not say */
	uint32_t mark;
	uint64_t cgroup_id;
	uint32_t rmem_alloc, rcvbuf, wmem_alloc, sndbuf;
	uint32_t drops; /* LISTEN: attempts turned away since listen(), for any reason; tcp_listendrop() */
	struct sock_info info;
	/* Every descriptor found for this inode, by owners_find(). */
	const struct holder *holders;
	uint32_t n_holders;
	const struct sock_opts *opts; /* NULL: not asked for; by sockopts_find() */
	uint8_t watch;         /* enum watch, by watch_find() */
	uint32_t watch_events; /* EPOLL… of all sets it is in */
};

struct sock {
	struct pair pair;
	uint32_t expires_ms;
	uint64_t cookie;
	struct sock_full *full; /* NULL: a minisock or a request */
	uint8_t state;          /* enum state */
	uint8_t timer;          /* enum timer */
	uint8_t retrans;
	bool is_inet6 : 1;
	uint16_t netns; /* index into look->netns */
	uint16_t ifindex; /* it is bound to; 0: none, 65535: that or more, see full */
};

const char *timer_name(enum timer t); /* "off", "on", "keepalive", "timewait", "persist", "?" */

/* How long at least the kernel has tried to get through what is not acknowledged, of a full socket with
 * tcp_info whose retransmission timer runs. Each timeout was half the next one, or more at the longest.
 * Before the first repetition the timer may be a loss probe's, shorter than a timeout: nothing is known then.
 * `retrans` begins anew when the peer acknowledges anything, the backoff may be older. Source: Linux
 * net/ipv4/tcp_timer.c, tcp_retransmit_timer(); tcp_output.c, tcp_schedule_loss_probe(); tcp_input.c,
 * tcp_ack(), tcp_ack_update_rtt(). */
uint64_t sock_tried_ms(const struct sock *s);
/* The timeout that was the first of these. */
uint64_t sock_first_rto_ms(const struct sock *s);

static inline bool sock_is_mptcp(const struct sock *s)
{
	return s->full && s->full->is_mptcp;
}

/* Inode 0 in a state where the application is done: closed, and kept by the kernel alone. */
static inline bool sock_is_orphan(const struct sock *s)
{
	if (s->state == STATE_TIME_WAIT || (s->state == STATE_FIN_WAIT_2 && !s->full))
		return true;
	return s->full && s->full->inode == 0 &&
	       (STATE_BIT(s->state) &
		(STATE_BIT(STATE_FIN_WAIT_1) | STATE_BIT(STATE_FIN_WAIT_2) |
		 STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK)));
}

/* Inode 0 in a state where no application has said anything yet: waiting in an accept queue. */
static inline bool sock_is_unaccepted(const struct sock *s)
{
	return s->full && s->full->inode == 0 &&
	       (s->state == STATE_ESTABLISHED || s->state == STATE_CLOSE_WAIT);
}
