#include "explain/tables.h"
#include "util/i18n.h"

/* Windows errors that mean something else than the Linux error of the like name. Where the meaning
 * is the same, the number is an alias of the Linux topic. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_ERRNO,
		.id = "WSAECONNRESET",
		.aliases = ALIASES("10054"),
		.title = N_("Windows: the connection was reset"),
		.text = N_("Windows error 10054. A RST arrived. It answers to ECONNRESET (104) "
			   "on Linux, but it covers more: Windows also reports it where Linux "
			   "says EPIPE, that is on writing after the peer has closed "
			   "completely. On UDP sockets it reports an ICMP message \"port "
			   "unreachable\" to an earlier packet.\n\n"
			   "The texts of programs are \"an existing connection was forcibly "
			   "closed by the remote host\", with or without the number.\n\n"
			   "It does not mean that somebody closed by force on purpose, and it "
			   "is not loss: without any answer Windows reports 10060 or 10053.\n\n"
			   "If the other end is Linux, the usual reasons are: the program there "
			   "closed or died with data unread, SO_LINGER with 0, a restart, a "
			   "FIN-WAIT-2 that was over when the answer came, or a load balancer "
			   "or firewall that forgot an idle connection.\n\n"
			   "The connection is gone; the socket must be closed. Capture at the "
			   "Linux end: a RST with ACK and a window was decided by a socket "
			   "there, a bare RST answered a segment that fitted none. Then see the "
			   "topic ECONNRESET."),
		.refs = "Windows Sockets Error Codes; RFC 9293 section 3.5.2; Linux "
			"net/ipv4/tcp_input.c, tcp_reset()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "WSAECONNABORTED",
		.aliases = ALIASES("10053"),
		.title = N_("Windows: our own side gave up the connection"),
		.text = N_("Windows error 10053, \"an established connection was aborted by the "
			   "software in your host machine\". The local stack gave up: data was "
			   "repeated without an answer until its limit, or local software cut "
			   "the connection, such as a virus scanner, firewall or VPN.\n\n"
			   "It is not ECONNRESET, although both are often translated as "
			   "\"connection reset\": no RST of the peer is needed. The nearest "
			   "errors of Linux are ETIMEDOUT (110), when the data timed out, or "
			   "EPIPE (32), when the program writes to a connection that is over.\n\n"
			   "It is not the Linux error ECONNABORTED (103) either, in spite of "
			   "the name. That one says that an administrator destroyed the socket "
			   "with ss -K.\n\n"
			   "For the other end, a Linux server, such a client may simply become "
			   "silent. The server's socket then stays until a timeout, if one "
			   "applies: tcp_retries2 or TCP_USER_TIMEOUT when it has data to send, "
			   "keepalive when it is idle and SO_KEEPALIVE is set.\n\n"
			   "What to do: capture on the Windows side: repeated segments without "
			   "an answer mean the path; an end without them means local software. "
			   "Close the socket and connect again."),
		.refs = "Windows Sockets Error Codes; Linux net/ipv4/tcp.c, tcp_abort()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "WSAESHUTDOWN",
		.aliases = ALIASES("10058", "ESHUTDOWN", "108"),
		.title = N_("Windows: we wrote after our own shutdown"),
		.text = N_("Windows error 10058. The program called shutdown() for this "
			   "direction and then used it nevertheless. Linux reports EPIPE (32) "
			   "for the same mistake, with SIGPIPE. An ESHUTDOWN (108) exists on "
			   "Linux, but TCP does not use it here.\n\n"
			   "It is a mistake in the local program: the peer, the network and the "
			   "settings have no part in it. The connection may be perfectly well; "
			   "the other direction still works, so what the peer sends can be read "
			   "until its end.\n\n"
			   "Often two threads share the connection: one finishes and calls "
			   "shutdown(), the other still has something to send.\n\n"
			   "How long: for ever. A direction that was shut down never opens "
			   "again.\n\n"
			   "What to do: call shutdown(SHUT_WR) only when everything is sent, in "
			   "the one place that knows it. Afterwards read to the end with a "
			   "deadline and close. Note the difference in receiving: Windows "
			   "answers data after SD_RECEIVE with a RST; Linux after SHUT_RD "
			   "acknowledges it and says nothing."),
		.refs = "Windows Sockets Error Codes; send(2); Linux net/core/stream.c, "
			"sk_stream_error()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "WSAENOBUFS",
		.aliases = ALIASES("10055"),
		.title = N_("Windows: no buffer, often no free local port"),
		.text = N_("Windows error 10055, \"an operation on a socket could not be "
			   "performed because the system lacked sufficient buffer space or "
			   "because a queue was full\". On connect() the reason is often that "
			   "all local ports are in use, many of them in TIME-WAIT. It then "
			   "answers to EADDRNOTAVAIL (99) on Linux.\n\n"
			   "The name misleads: mostly it is not memory, and larger buffers do "
			   "not help. It is not a limit of the server either, which sees "
			   "nothing of the attempt.\n\n"
			   "The way there is the same as on Linux: many short connections to "
			   "one destination, closed first by this client. Each keeps its port "
			   "for the length of TIME-WAIT.\n\n"
			   "What ends it: time, when old ports become free; the same load "
			   "brings it back.\n\n"
			   "What to do: keep connections open and reuse them, so that a port "
			   "serves many requests; let the server close first; spread over "
			   "several destination or source addresses; widen the range of dynamic "
			   "ports. Danger of aborting connections with SO_LINGER 0 instead: the "
			   "peer gets errors and unsent data is lost."),
		.refs = "Windows Sockets Error Codes; Linux net/ipv4/inet_hashtables.c, "
			"__inet_hash_connect()",
	},
};

const struct topic_table explain_winsock = { rows, ARRAY_LEN(rows) };
