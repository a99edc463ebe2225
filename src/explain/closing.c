#include "explain/tables.h"
#include "util/i18n.h"

/* The calls and options that end a connection. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_SOCKOPT,
		.id = "SO_LINGER",
		.aliases = ALIASES("linger", "struct linger", "l_linger", "l_onoff",
				   "linger zero", "SO_DONTLINGER"),
		.title = N_("what close() does with unsent data: three modes"),
		.text = N_("Off (the default): close() returns at once; the kernel sends what "
			   "is queued, then FIN.\n\n"
			   "On with l_linger above 0 (seconds): close() blocks until our FIN is "
			   "acknowledged, the time is over or a signal comes. O_NONBLOCK does "
			   "not prevent that: an event loop stands still. close() returns 0 in "
			   "every case, so it tells nothing about delivery. After the time "
			   "nothing is reset; the kernel goes on in the background.\n\n"
			   "On with 0: close() throws away unsent data and sends RST. No FIN, "
			   "no TIME-WAIT; the peer sees ECONNRESET, or EPIPE if our FIN had "
			   "arrived before. A Linux peer can still read what its kernel has "
			   "received. TCPAbortOnData counts.\n\n"
			   "Only the last close of a shared descriptor lingers or resets. A "
			   "process that exits or is killed does not wait, but with 0 it does "
			   "reset. shutdown() never lingers. Accepted sockets inherit the "
			   "option.\n\n"
			   "Myths: \"above 0 guarantees delivery\" (only that the peer's kernel "
			   "has it); \"the timeout resets\" (not on Linux); \"0 is the cure for "
			   "TIME-WAIT\" (it breaks the close) \"or CLOSE-WAIT\" (linger acts "
			   "inside close(), which is what is missing there).\n\n"
			   "What to do: use 0 only to abort on purpose: a hostile peer, one "
			   "that never reads, a load generator. To know that all was received: "
			   "shutdown(SHUT_WR), read to the end with a timeout, close()."),
		.refs = "socket(7); Linux net/ipv4/af_inet.c, inet_release(); Linux "
			"net/ipv4/tcp.c, __tcp_close(); RFC 9293 section 3.6",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "TCP_LINGER2",
		.aliases = ALIASES("linger2"),
		.title = N_("FIN-WAIT-2 time of one socket after close()"),
		.text = N_("Seconds, an int, for one socket; inherited from the listener. It "
			   "replaces tcp_fin_timeout for an orphan in FIN-WAIT-2.\n\n"
			   "Above 0: the time, at most 120: 300 reads back as 120. Before Linux "
			   "5.8 a value above tcp_fin_timeout counted as 0. As with that "
			   "setting, a value V above 60 lasts 2*(V-60) seconds: 63 gave 6. 0: "
			   "use tcp_fin_timeout; it does not mean \"no wait\".\n\n"
			   "Below 0: no FIN-WAIT-2 after close(). The FIN goes out, and the "
			   "peer's ACK of it is answered with a bare RST (TCPAbortOnData); if "
			   "the socket is in FIN-WAIT-2 already, close() sends RST at once "
			   "(TCPAbortOnLinger). The peer reads the end of the stream and gets "
			   "EPIPE when it sends.\n\n"
			   "It is not SO_LINGER: close() does not wait and nothing unsent is "
			   "lost with a positive value. It does not shorten TIME-WAIT, and it "
			   "does nothing while the descriptor is open.\n\n"
			   "What to do: 5 to 20 seconds on servers and proxies that close first "
			   "towards peers that never close, instead of a global "
			   "tcp_fin_timeout. Danger: a peer that answers later meets RST; with "
			   "a negative value always."),
		.refs = "tcp(7); Linux net/ipv4/tcp.c, do_tcp_setsockopt(), "
			"__tcp_close(); Linux net/ipv4/tcp_input.c, "
			"tcp_rcv_state_process()",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "shutdown",
		.aliases = ALIASES("SHUT_WR", "SHUT_RD", "SHUT_RDWR", "SD_SEND", "SD_RECEIVE",
				   "SD_BOTH"),
		.title = N_("end one direction; the descriptor stays"),
		.text = N_("SHUT_WR sends what is queued, then FIN: the half-close. It acts at "
			   "once, however many copies of the descriptor exist. The peer reads "
			   "the end of the stream and may go on sending; we may go on reading. "
			   "Writing now gives EPIPE.\n\n"
			   "SHUT_RD sends nothing on Linux. The peer does not notice; data that "
			   "comes later is acknowledged and can even be read, after that recv() "
			   "returns 0. Windows resets when data arrives after its SD_RECEIVE.\n\n"
			   "SHUT_RDWR is both: the peer gets FIN, and data it sends later is "
			   "answered with RST.\n\n"
			   "It is not close(). The descriptor stays and must still be closed. "
			   "Once both ends have shut down, the connection is gone from every "
			   "listing, and the descriptor is leaked invisibly. While it is held, "
			   "FIN-WAIT-2 has no time limit, and a FIN that nobody acknowledges is "
			   "repeated for some 15 minutes (tcp_retries2).\n\n"
			   "SO_LINGER does not act in shutdown().\n\n"
			   "What to do: the clean end is shutdown(SHUT_WR), read until 0 with a "
			   "deadline, close(). It avoids the RST that close() sends when data "
			   "is unread. Danger: half-closes of more than 60 silent seconds often "
			   "do not survive Linux firewalls, and some peers take the FIN for the "
			   "end of everything."),
		.refs = "shutdown(2); RFC 9293 section 3.6.1; Linux net/ipv4/tcp.c, "
			"tcp_shutdown(); Linux net/ipv4/af_inet.c, inet_shutdown()",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "close",
		.aliases = ALIASES("fork", "dup", "SOCK_CLOEXEC", "SCM_RIGHTS", "FD_CLOEXEC",
				   "O_CLOEXEC", "exit"),
		.title = N_("give back one descriptor; perhaps end the connection"),
		.text = N_("The last close of a connection ends it: the kernel sends what is "
			   "queued, then FIN, and close() returns at once. From then on the "
			   "connection is an orphan: it costs no descriptor and ends by itself.\n\n"
			   "Myth: \"close() always sends FIN\". It sends nothing while another "
			   "descriptor refers to the socket: a copy by dup(), a child after "
			   "fork(), a copy on its way through a Unix socket, an io_uring file. "
			   "The state stays ESTABLISHED or CLOSE-WAIT until the last copy goes. "
			   "And it sends RST, not FIN, if received data is unread "
			   "(TCPAbortOnClose) or SO_LINGER is on with 0. An unread end of "
			   "stream alone does no harm. After that RST the peer may lose a part "
			   "of our answer that was still on its way.\n\n"
			   "The end of a process closes everything; SIGKILL sends FIN like "
			   "close(), RST only in the cases above.\n\n"
			   "It does not wait for delivery, and 0 is no proof of it. Data the "
			   "peer sends after our close() is answered with RST: its first send "
			   "succeeds, the next gives EPIPE.\n\n"
			   "What to do: open sockets with SOCK_CLOEXEC, accept with accept4(), "
			   "close copies in the child. When the FIN must go now, "
			   "shutdown(SHUT_WR) does it in spite of copies. Read to the end "
			   "before closing. Close on error paths too."),
		.refs = "close(2); RFC 2525 section 2.17; RFC 9293 section 3.6.1; Linux "
			"net/ipv4/tcp.c, __tcp_close(); Linux net/ipv4/af_inet.c, "
			"inet_release()",
	},
};

const struct topic_table explain_closing = { rows, ARRAY_LEN(rows) };
