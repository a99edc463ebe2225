#include "explain/tables.h"
#include "util/attr.h"
#include "util/i18n.h"

/* Counters of a namespace that say how connections ended. They count from the day it was made: only two
 * looks tell what happens now. */

#define HOW_TO_READ \
	"\n\nOne number since the namespace was made says little: look twice (nstat -z NAME, or " \
	"tcpwhy audit), in the namespace of the program."

static const struct topic rows[] = {
	{
		.kind = TOPIC_COUNTER,
		.id = "TCPAbortOnClose",
		.aliases = ALIASES("TcpExtTCPAbortOnClose"),
		.title = N_("connections reset because close() left data unread"),
		.text = N_("A program closed, or ended, with data of the peer in the receive queue. "
			   "The kernel then sends a RST instead of a FIN, so that the peer learns "
			   "that something was lost; what was still queued for sending is lost, too. "
			   "A FIN alone that nobody read does not count.\n\n"
			   "The peer gets ECONNRESET, often instead of the answer it was sent just "
			   "before.\n\n"
			   "What to do: read to the end before close(), or shutdown(SHUT_WR), read "
			   "with limits of time and size, then close()." HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp.c, __tcp_close(); RFC 2525 section 2.17",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "TCPAbortOnData",
		.aliases = ALIASES("TcpExtTCPAbortOnData"),
		.title = N_("aborts on purpose, and data that came after close()"),
		.text = N_("Two things count here. close() with SO_LINGER on and 0: a reset on purpose. "
			   "And data that arrives for a connection whose program has closed, while it "
			   "is in FIN-WAIT-1 or a long FIN-WAIT-2; also a close() with negative "
			   "TCP_LINGER2, whose FIN's ACK is answered by a RST.\n\n"
			   "In spite of the name TCPAbortOnLinger is not the one of SO_LINGER."
			   HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp.c, __tcp_close(); net/ipv4/tcp_input.c, "
			"tcp_rcv_state_process()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "TCPAbortOnTimeout",
		.aliases = ALIASES("TcpExtTCPAbortOnTimeout"),
		.title = N_("connections given up because nobody answered"),
		.text = N_("Retransmissions, keepalive probes or TCP_USER_TIMEOUT came to their end. "
			   "After keepalive a RST is sent, after retransmissions nothing. The program, "
			   "if it still has the descriptor, gets ETIMEDOUT.\n\n"
			   "A steady rise is ordinary where clients vanish (mobile networks); a jump is "
			   "an outage, or a firewall that forgot its connections." HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp_timer.c, tcp_write_err() and tcp_keepalive_timer()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "TCPAbortOnLinger",
		.aliases = ALIASES("TcpExtTCPAbortOnLinger"),
		.title = N_("closed in FIN-WAIT-2 with a negative TCP_LINGER2"),
		.text = N_("A program had half-closed, its FIN was acknowledged, and it called close() "
			   "with TCP_LINGER2 below 0: a RST is sent at once. SO_LINGER does not count "
			   "here but in TCPAbortOnData, and a plain close() with negative TCP_LINGER2 there as "
			   "well.\n\nThe peer reads the end of the stream, and its next write fails with "
			   "EPIPE. Few programs ask for this, so the counter is nearly always 0." HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp.c, __tcp_close(); tcp(7), TCP_LINGER2",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "TCPAbortOnMemory",
		.aliases = ALIASES("TcpExtTCPAbortOnMemory", "too many orphaned sockets"),
		.title = N_("reset at close: too many orphans, or no memory"),
		.text = N_("A closed connection still had something to deliver, and the machine had more "
			   "orphans than tcp_max_orphans allows (some count twice or fourfold), or TCP "
			   "used more than the third number of tcp_mem. The kernel log says \"too many "
			   "orphaned sockets\" or \"out of memory -- consider tuning tcp_mem\".\n\n"
			   "Innocent clients are hit. Find the peers that do not answer, then the "
			   "limits: tcpwhy explain tcp_max_orphans." HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp.c, tcp_check_oom(); net/ipv4/tcp_timer.c, "
			"tcp_out_of_resources()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "TCPAbortFailed",
		.aliases = ALIASES("TcpExtTCPAbortFailed"),
		.title = N_("resets that could not be sent"),
		.text = N_("No memory for the segment. The peer learns nothing and keeps its connection "
			   "until its own timers end it: keepalive, if its program asked for it, or the "
			   "retransmission of what it sends next. It goes with memory pressure on this "
			   "host; TCPAbortOnMemory and the kernel log tell the same story." HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp_output.c, tcp_send_active_reset()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "TCPTimeWaitOverflow",
		.aliases = ALIASES("TcpExtTCPTimeWaitOverflow", "time wait bucket table overflow"),
		.title = N_("connections that ended without TIME-WAIT"),
		.text = N_("tcp_max_tw_buckets was reached. TIME-WAITs and closed FIN-WAIT-2 are then "
			   "destroyed as they are made; a FIN or data of the peer that comes later gets "
			   "a RST, and old segments may meet a new connection of the same ports. No packet is "
			   "sent at the moment itself, and newer kernels log nothing.\n\nRaise the limit: "
			   "each costs 256 bytes. Lowering it only makes this happen more." HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp_minisocks.c, tcp_time_wait()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "ListenOverflows",
		.aliases = ALIASES("TcpExtListenOverflows", "ListenDrops", "TcpExtListenDrops"),
		.title = N_("attempts to connect that a full accept queue turned away"),
		.text = N_("A SYN, or the last ACK of a handshake, met an accept queue without room. "
			   "ListenDrops counts these and every other reason. The counter belongs to the "
			   "namespace and does not say which listener: compare Recv-Q with Send-Q of the "
			   "LISTEN rows. The client's SYN is not answered, so it tries again after 1, 3 "
			   "and 7 s, which users see as a slow page." HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp_input.c, tcp_conn_request(); net/ipv4/tcp_ipv4.c, "
			"tcp_v4_syn_recv_sock()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "EstabResets",
		.aliases = ALIASES("TcpEstabResets", "OutRsts", "TcpOutRsts"),
		.title = N_("connections that ended by a reset, whoever sent it"),
		.text = N_("Connections that left ESTABLISHED or CLOSE-WAIT without a FIN of ours: a RST "
			   "came or was sent. OutRsts counts the resets that this host sent, refused "
			   "connections and answers to strays among them.\n\n"
			   "The difference between OutRsts and the TCPAbortOn counters is what was "
			   "answered without a connection." HOW_TO_READ),
		.refs = "RFC 4022; Linux net/ipv4/tcp.c, tcp_set_state()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "AttemptFails",
		.aliases = ALIASES("TcpAttemptFails", "EmbryonicRsts", "TcpExtEmbryonicRsts"),
		.title = N_("connections that never came about"),
		.text = N_("Ours that were refused or timed out, and handshakes of clients that ended by "
			   "a RST. EmbryonicRsts counts only the latter: clients that gave up, and "
			   "scans.\n\nA client whose service was restarted shows its refused connections "
			   "here. It is the first number to look at when \"nothing listens\" and \"nobody "
			   "answers\" have to be told apart: the second takes two minutes to count." HOW_TO_READ),
		.refs = "RFC 4022; Linux net/ipv4/tcp.c, tcp_done(); net/ipv4/tcp_minisocks.c, "
			"tcp_check_req()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "TcpExtTCPKeepAlive",
		.title = N_("keepalive probes sent"),
		.text = N_("0 on a host with long idle connections means that no program sets "
			   "SO_KEEPALIVE, whatever tcp_keepalive_time says: the kernel sends none by itself. "
			   "Whether they are answered it does not count; what was given up is in "
			   "TCPAbortOnTimeout.\n\nMany probes a second come from many idle connections or "
			   "from short times set by a program." HOW_TO_READ),
		.refs = "Linux net/ipv4/tcp_output.c, tcp_write_wakeup()",
	},
	{
		.kind = TOPIC_COUNTER,
		.id = "TWRecycled",
		.aliases = ALIASES("TcpExtTWRecycled"),
		.title = N_("TIME-WAITs that connect() took over"),
		.text = N_("The work of tcp_tw_reuse; it has nothing to do with tcp_tw_recycle, which is "
			   "gone. 0 with tcp_tw_reuse at 1 means that no connect() needed it: it takes a "
			   "TIME-WAIT only where the port it tried first is taken, the old connection "
			   "had TCP timestamps, and a second has passed.\n\nA steady rise means that a "
			   "client opens connections to one service as fast as ports come back: pool "
			   "them." HOW_TO_READ),
		.refs = "Linux net/ipv4/inet_hashtables.c, __inet_check_established()",
	},
};

const struct topic_table explain_counters = { rows, ARRAY_LEN(rows) };
