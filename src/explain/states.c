#include "explain/tables.h"
#include "util/i18n.h"

/* The states of a connection, as ss names them. How an ending looks on the wire (four-way, three
 * segments, simultaneous) stands with the state in which it is decided. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_STATE,
		.id = "ESTABLISHED",
		.aliases = ALIASES("ESTAB", "TCP_ESTABLISHED", "open"),
		.title = N_("both directions are open"),
		.text = N_("The handshake is complete and neither side has said goodbye yet. "
			   "There is no time limit: an idle connection sends nothing, so a peer "
			   "that lost its power, or whose firewall forgot the connection, is "
			   "not noticed until something is sent. ESTABLISHED does not prove "
			   "that the other end still exists.\n\n"
			   "It is not proof of a working program either. Inode 0 here means "
			   "that nobody has accepted the connection: it waits in the listener's "
			   "queue. And a program that has called close() still shows "
			   "ESTABLISHED while a child or another process holds a copy of the "
			   "descriptor: no FIN leaves before the last copy is closed.\n\n"
			   "What ends it: close() or shutdown(SHUT_WR) here (FIN-WAIT-1), the "
			   "peer's FIN (CLOSE-WAIT), a RST from either side, or a timeout: data "
			   "that nobody acknowledges for about 15 minutes (tcp_retries2) or for "
			   "TCP_USER_TIMEOUT, and keepalive probes, where the program asked for "
			   "them with SO_KEEPALIVE.\n\n"
			   "What to do on long-lived connections: set SO_KEEPALIVE with times "
			   "shorter than the idle limit of firewalls and load balancers on the "
			   "way, and TCP_USER_TIMEOUT. With MPTCP the subflows stay ESTABLISHED "
			   "in ss although the application has closed; only an MPTCP listing "
			   "tells the truth."),
		.refs = "RFC 9293 section 3.3.2; tcp(7); Linux net/ipv4/tcp_input.c, "
			"tcp_rcv_established(); Linux net/ipv4/tcp_timer.c, "
			"tcp_write_timeout()",
	},
	{
		.kind = TOPIC_STATE,
		.id = "SYN-SENT",
		.aliases = ALIASES("TCP_SYN_SENT", "tcp_syn_retries",
				   "net.ipv4.tcp_syn_retries"),
		.title = N_("our SYN is out, nobody has answered"),
		.text = N_("A program here called connect() and the answer is missing. The SYN "
			   "is repeated until tcp_syn_retries (6 by default) is used up, a "
			   "little over two minutes in all; then connect() fails with "
			   "ETIMEDOUT. A program's own connect timeout is usually shorter.\n\n"
			   "It does not mean that the port is closed: a closed port answers "
			   "with RST at once, and connect() fails with ECONNREFUSED. Silence "
			   "means that a firewall drops the packets, that the host or route is "
			   "gone, or that the listener's accept queue is full: Linux then drops "
			   "new SYNs without any answer, with tcp_abort_on_overflow set as "
			   "well.\n\n"
			   "What ends it: a SYN-ACK (ESTABLISHED), a RST, the last retry, or "
			   "close(). If the program gives up and the SYN-ACK comes late, this "
			   "host answers it with RST; the server never shows that connection to "
			   "its application.\n\n"
			   "What to do: look on the server for a listener whose Recv-Q is "
			   "greater than its Send-Q (the queue is full) and for "
			   "ListenOverflows; then look for the firewall. Many SYN-SENT to one "
			   "address and none elsewhere: that server or the path to it. A short "
			   "pause of 10 to 16 ms before a SYN is repeated after a RST is an old "
			   "connection being cleared away, not loss."),
		.refs = "RFC 9293 section 3.5; connect(2); Linux net/ipv4/tcp_timer.c, "
			"tcp_write_timeout(); Linux "
			"Documentation/networking/ip-sysctl.rst, tcp_syn_retries",
	},
	{
		.kind = TOPIC_STATE,
		.id = "SYN-RECV",
		.aliases = ALIASES("SYN-RECEIVED", "SYN-RCVD", "TCP_SYN_RECV", "NEW_SYN_RECV",
				   "tcp_synack_retries", "net.ipv4.tcp_synack_retries"),
		.title = N_("a client's SYN came, its handshake is not finished"),
		.text = N_("A SYN came in, our SYN-ACK went out, and the last segment of the "
			   "handshake has not been accepted. The kernel keeps only a small "
			   "request object: no inode, no owner, no queues. ss shows its "
			   "retransmission timer.\n\n"
			   "It is not yet a connection and costs no descriptor. A client that "
			   "vanished after its SYN, a scan and a SYN flood look alike here. The "
			   "SYN-ACK is repeated with growing pauses, and the request given up "
			   "after tcp_synack_retries (5 by default), about a minute.\n\n"
			   "Three cases are our own host's. A full accept queue: the client's "
			   "last ACK is dropped, the client believes that it is connected, and "
			   "the SYN-ACK is repeated until there is room. TCP_DEFER_ACCEPT: the "
			   "handshake is complete, but the listener wants to see data first. "
			   "And a firewall here that drops the client's ACK.\n\n"
			   "What to do: compare Recv-Q and Send-Q of the LISTEN row (full when "
			   "Recv-Q is the greater) and watch ListenOverflows. If the queue is "
			   "full, the program does not accept fast enough; a longer backlog "
			   "helps only against bursts. Against floods leave tcp_syncookies at "
			   "1. Closing the listener discards these requests; the clients' next "
			   "segment is then answered with RST."),
		.refs = "RFC 9293 section 3.5; Linux net/ipv4/tcp_minisocks.c, "
			"tcp_check_req(); Linux net/ipv4/inet_connection_sock.c, "
			"reqsk_timer_handler()",
	},
	{
		.kind = TOPIC_STATE,
		.id = "FIN-WAIT-1",
		.aliases = ALIASES("TCP_FIN_WAIT1", "FIN", "four-way", "four-way close",
				   "three-segment", "three-segment close", "persist"),
		.title = N_("we closed first, our FIN is not acknowledged yet"),
		.text = N_("We called close() or shutdown(SHUT_WR) first. The ordinary end has "
			   "four segments: our FIN, its ACK, the peer's FIN, our ACK. If the "
			   "peer closes before its delayed ACK leaves, it has three: FIN, FIN "
			   "with ACK, ACK. Linux delays the ACK of a FIN by about 40 ms, so "
			   "that long in this state is normal.\n\n"
			   "Timer \"on\": the FIN is repeated and nobody answers. An orphan "
			   "(closed, inode 0) is given up after 102 to 108 seconds "
			   "(tcp_orphan_retries); with the descriptor still open after some 15 "
			   "minutes (tcp_retries2). TCP_USER_TIMEOUT shortens both. No RST is "
			   "sent then.\n\n"
			   "Timer \"persist\": the FIN has not left. It waits, mostly behind "
			   "data, because the peer's window is closed: its program does not "
			   "read, and it is still ESTABLISHED. An orphan ends after "
			   "about 340 seconds, although the peer answers; with the descriptor "
			   "open and the peer alive, never. If the window is open (snd_wnd of "
			   "ss -ti), our own host refuses to send: a firewall, or a route or "
			   "address that is gone; an orphan ends after about 108 seconds then.\n\n"
			   "Myth: tcp_fin_timeout ends this. It does not, nor does keepalive, "
			   "which is silent while anything is unacknowledged.\n\n"
			   "What to do: for dead clients TCP_USER_TIMEOUT, or "
			   "tcp_orphan_retries 3 to 5; smaller values lose the end of answers "
			   "on lossy paths. For clients that never read, abort on purpose "
			   "(SO_LINGER on, 0 seconds)."),
		.refs = "RFC 9293 section 3.6; Linux net/ipv4/tcp.c, __tcp_close(); Linux "
			"net/ipv4/tcp_timer.c, tcp_orphan_retries(), tcp_probe_timer(); "
			"Linux net/ipv4/tcp_input.c, tcp_fin()",
	},
	{
		.kind = TOPIC_STATE,
		.id = "FIN-WAIT-2",
		.aliases = ALIASES("TCP_FIN_WAIT2", "half-close", "half-closed"),
		.title = N_("we closed first and wait for the peer's FIN"),
		.text = N_("Our FIN is acknowledged; the peer has not sent its own. On the "
			   "other host the connection is in CLOSE-WAIT: its program has not "
			   "closed. The peer's ACK came from its kernel and says nothing about "
			   "its program.\n\n"
			   "Two cases, told apart by the inode. Inode 0: our program has "
			   "closed; tcp_fin_timeout (60 s) or TCP_LINGER2 ends it, and it "
			   "becomes a small object without descriptor that counts as \"tw\" in "
			   "sockstat. Inode not 0: our program did shutdown(SHUT_WR) and keeps "
			   "the descriptor. That has no limit at all, even if the peer's host "
			   "is gone: no timer runs unless SO_KEEPALIVE is set, and a peer that "
			   "answers the probes keeps it for ever.\n\n"
			   "Myths: \"it lasts for ever\" is true only with the descriptor; "
			   "\"tcp_fin_timeout ends every one\" only without. It is not a bug of "
			   "this side: look at the peer.\n\n"
			   "What ends it: the peer's FIN (then TIME-WAIT with a fresh 60 s), a "
			   "RST, the timer, keepalive against a dead peer, or our close().\n\n"
			   "What to do: after shutdown(SHUT_WR) read to the end with a "
			   "deadline, then close(). For peers that never close, TCP_LINGER2 of "
			   "5 to 20 s. Danger of short times: data or a FIN that comes later is "
			   "answered with RST. Half-closes of more than 60 silent seconds often "
			   "die in Linux firewalls."),
		.refs = "RFC 9293 sections 3.6 and 3.6.1; tcp(7); Linux net/ipv4/tcp.c, "
			"__tcp_close(); Linux net/ipv4/tcp_minisocks.c, tcp_time_wait()",
	},
	{
		.kind = TOPIC_STATE,
		.id = "TIME-WAIT",
		.aliases = ALIASES("TCP_TIME_WAIT", "2MSL", "MSL", "TCP_TIMEWAIT_LEN", "TW"),
		.title = N_("both sides have closed; the first to close keeps watch for 60 s"),
		.text = N_("The close is complete. The end that sent its FIN first stays to "
			   "repeat the last ACK if it was lost, and to keep late packets out of "
			   "the next connection with the same ports. Both ends have it only "
			   "after a simultaneous close.\n\n"
			   "It lasts 60 s, a constant of the kernel, not a setting. Timers this "
			   "long fire a few percent late, and a repeated FIN, an old segment or "
			   "a bare ACK starts the 60 s anew. Only a few vendor kernels have "
			   "tcp_tw_timeout.\n\n"
			   "It costs no descriptor and no process, only a 256-byte object: "
			   "100,000 of them are about 25 MB. Thirty thousand are simply 500 "
			   "closes a second times 60. It is a problem in three cases: the local "
			   "ports towards one destination run out, tcp_max_tw_buckets is "
			   "reached, or the firewall's table is full.\n\n"
			   "Myths: tcp_fin_timeout does not shorten it. tcp_tw_recycle has been "
			   "gone since 4.12. Lowering tcp_max_tw_buckets destroys the "
			   "protection. SO_LINGER with 0 avoids it by breaking the close. "
			   "tcp_tw_reuse does nothing for servers: a new SYN from the client "
			   "takes over a TIME-WAIT without any setting.\n\n"
			   "What ends it early: such a SYN, reuse by connect(), a RST with the "
			   "exact number (unless tcp_rfc1337 is 1), ss -K, the end of its "
			   "network namespace.\n\n"
			   "What to do: pool connections, let the client close first; on "
			   "clients short of ports tcp_tw_reuse=1."),
		.refs = "RFC 9293 sections 3.4.2 and 3.6; RFC 6191; RFC 1337; Linux "
			"include/net/tcp.h, TCP_TIMEWAIT_LEN; Linux "
			"net/ipv4/tcp_minisocks.c, tcp_timewait_state_process()",
	},
	{
		.kind = TOPIC_STATE,
		.id = "CLOSED",
		.aliases = ALIASES("UNCONN", "TCP_CLOSE", "TCP_CLOSED"),
		.title = N_("no connection; perhaps still a descriptor"),
		.text = N_("The connection is over, or was never made. Newer kernels (6.12 and "
			   "later) can list sockets that are bound but not connected in this "
			   "state; finished ones are in no listing of ss or netstat.\n\n"
			   "That is the trap. A connection can be finished for the kernel while "
			   "the program still holds its descriptor: after a RST, after both "
			   "sides used shutdown(), after failed keepalive probes or ss -K, when "
			   "our half-close reached TIME-WAIT. The row vanishes, the descriptor "
			   "stays, and the leak goes on where no socket listing shows it. It "
			   "ends at EMFILE.\n\n"
			   "How to see it: count links of the form \"socket:[number]\" in "
			   "/proc/PID/fd whose number is in no socket listing. The attribute "
			   "system.sockprotoname of such a link still says TCP, TCPv6 or MPTCP; "
			   "lsof shows \"protocol: TCP\" without addresses. A socket just "
			   "created and not yet connected looks the same, so look twice.\n\n"
			   "What ends it: close(), or the end of the process. No timer, no "
			   "sysctl.\n\n"
			   "What to do: close the descriptor on every path, after errors such "
			   "as ECONNRESET, EPIPE and ETIMEDOUT as well as after the end of the "
			   "stream. A shutdown() is never a replacement for close()."),
		.refs = "RFC 9293 section 3.3.2; ss(8); Linux net/ipv4/tcp.c, tcp_done(); "
			"Linux net/ipv4/inet_diag.c",
	},
	{
		.kind = TOPIC_STATE,
		.id = "CLOSE-WAIT",
		.aliases = ALIASES("TCP_CLOSE_WAIT", "EOF"),
		.title = N_("the peer has closed; this host's program has not"),
		.text = N_("The peer's FIN arrived, the kernel acknowledged it, and only our "
			   "program can go on. The state has no timer: it stays until the "
			   "program calls close(), unless a RST or a timeout of data still "
			   "being sent removes it. After close() it becomes LAST-ACK, then "
			   "nothing; it never becomes TIME-WAIT.\n\n"
			   "Recv-Q tells how far the program got; the FIN counts one. 0: "
			   "everything was taken out of the socket, most likely the end was "
			   "seen and close() forgotten. 1: only the end is unread; nobody "
			   "looked. More: Recv-Q minus 1 bytes and the end are unread. Inode 0: "
			   "the connection was never accepted. (On MPTCP sockets Recv-Q says "
			   "none of this, nor where the kernel decrypts TLS.)\n\n"
			   "Not every one is a bug: a server may still be sending its answer, a "
			   "pool notices at the next use. Judge by age, growth and Send-Q.\n\n"
			   "Myths: no sysctl ends it, not tcp_fin_timeout, not the firewall's "
			   "nf_conntrack_tcp_timeout_close_wait. Keepalive ends it only if the "
			   "peer is gone or silent, never against a peer in FIN-WAIT-2 that "
			   "answers, and then the descriptor stays leaked, out of sight. "
			   "SO_LINGER and SO_REUSEADDR do nothing. A higher ulimit postpones "
			   "EMFILE.\n\n"
			   "What to do: close() when read() returns 0 and on every error path; "
			   "watch for EPOLLRDHUP; give blocking calls a timeout. Save stacks "
			   "and the list of /proc/PID/fd before a restart. Closing with data "
			   "unread sends RST."),
		.refs = "RFC 9293 section 3.6; close(2); Linux net/ipv4/tcp_input.c, "
			"tcp_fin(); Linux net/ipv4/tcp.c, tcp_recvmsg_locked(); Linux "
			"net/ipv4/tcp_diag.c, tcp_diag_get_info()",
	},
	{
		.kind = TOPIC_STATE,
		.id = "LAST-ACK",
		.aliases = ALIASES("TCP_LAST_ACK"),
		.title = N_("the peer closed first, then we; our FIN waits for its ACK"),
		.text = N_("The second half of a close that the peer began: we were in "
			   "CLOSE-WAIT, have closed too, and our FIN is not acknowledged. "
			   "Normally that takes one round trip. Afterwards the connection is "
			   "gone; there is no TIME-WAIT on this side.\n\n"
			   "If it stays, the peer or the path is gone, or a firewall on the way "
			   "has forgotten the connection: Linux connection tracking keeps a "
			   "half-closed connection for only 60 silent seconds; what comes later "
			   "may be dropped or reset. A peer whose connection is gone but whose "
			   "host is alive would answer with RST and end it at once.\n\n"
			   "How long: an orphan (the usual case, inode 0) is given up after 102 "
			   "to 108 seconds with tcp_orphan_retries at its default 0, which "
			   "means 8. With the descriptor still open, after shutdown() alone, it "
			   "takes tcp_retries2: about 15 minutes. TCP_USER_TIMEOUT shortens "
			   "both. Nothing is sent when it is given up.\n\n"
			   "Timer \"persist\" means that the peer's window does not let the FIN "
			   "out, or, where the window is open, that this host does not.\n\n"
			   "Myths: \"stuck until the next boot\"; and tcp_fin_timeout, which "
			   "does not touch this state.\n\n"
			   "What to do: nothing for a few. For thousands look at the peers and "
			   "at firewalls between; then tcp_orphan_retries 3 to 5. Danger: with "
			   "1 or 2 the end of an answer is lost on a lossy path."),
		.refs = "RFC 9293 section 3.6; Linux net/ipv4/tcp_timer.c, "
			"tcp_write_timeout(), tcp_orphan_retries(); Linux "
			"Documentation/networking/nf_conntrack-sysctl.rst",
	},
	{
		.kind = TOPIC_STATE,
		.id = "LISTEN",
		.aliases = ALIASES("LISTENING", "TCP_LISTEN", "backlog", "accept queue"),
		.title = N_("a program waits for clients"),
		.text = N_("In this row Recv-Q is the number of clients waiting for accept(), "
			   "Send-Q the longest queue allowed. The queue is full when Recv-Q is "
			   "greater than Send-Q, so it holds one more than the limit.\n\n"
			   "The kernel finishes handshakes alone. A client in the queue "
			   "believes that it is connected, and may send and close again: that "
			   "is a CLOSE-WAIT with inode 0, which no process has ever seen. When "
			   "the queue is full new SYNs are dropped without answer, and "
			   "ListenOverflows and ListenDrops count for the whole namespace, not "
			   "for one listener.\n\n"
			   "The limit is the smaller of listen()'s argument and "
			   "net.core.somaxconn at the moment of listen(). Raising somaxconn "
			   "changes nothing until the program calls listen() again on the same "
			   "socket, or restarts.\n\n"
			   "With SO_REUSEPORT every listener has a queue of its own. Closing a "
			   "listener resets everything in its queue, unless tcp_migrate_req "
			   "moves it to another one.\n\n"
			   "A restart that fails with EADDRINUSE although SO_REUSEADDR is set: "
			   "somebody still holds the old listener, often a child that inherited "
			   "it. It swallows clients, too.\n\n"
			   "What to do: accept in a loop until EAGAIN on a thread that does "
			   "nothing else; handle EMFILE; open listeners with SOCK_CLOEXEC."),
		.refs = "listen(2); accept(2); Linux include/net/sock.h, "
			"sk_acceptq_is_full(); Linux net/socket.c, __sys_listen()",
	},
	{
		.kind = TOPIC_STATE,
		.id = "CLOSING",
		.aliases = ALIASES("TCP_CLOSING", "simultaneous", "simultaneous close"),
		.title = N_("both sides closed at the same moment"),
		.text = N_("Both programs closed before either FIN arrived: the FINs crossed. "
			   "We have the peer's FIN, but it was sent before ours arrived, so "
			   "ours is still unacknowledged. This is legal and rare, and normally "
			   "over in one round trip. Both ends then go to TIME-WAIT; it is the "
			   "only way for both to have it.\n\n"
			   "In a capture it is recognised by numbers, not by time: neither "
			   "first FIN acknowledges the other one. Time stamps always show one "
			   "of them first.\n\n"
			   "If it stays, our FIN or its ACK is lost again and again: the peer "
			   "has gone, or a firewall drops it. An orphan is given up after 102 "
			   "to 108 seconds with the default tcp_orphan_retries; with the "
			   "descriptor still open, after shutdown() only, tcp_retries2 holds: "
			   "about 15 minutes. TCP_USER_TIMEOUT shortens both. No RST is sent "
			   "when it is given up.\n\n"
			   "Myth: tcp_fin_timeout does not apply to it. Nor does keepalive: no "
			   "probe is sent while something is unacknowledged.\n\n"
			   "What to do: a few need nothing. Many at once mean that two programs "
			   "use the same timeout and close an idle connection together: give "
			   "one of them the shorter idle time, usually the client."),
		.refs = "RFC 9293 section 3.6, figure 13; Linux net/ipv4/tcp_input.c, "
			"tcp_fin(), tcp_rcv_state_process(); Linux net/ipv4/tcp_timer.c, "
			"tcp_orphan_retries()",
	},
};

const struct topic_table explain_states = { rows, ARRAY_LEN(rows) };
