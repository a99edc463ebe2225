#include "explain/tables.h"
#include "util/i18n.h"

/* The errors a program sees when a connection ends, by their Linux names. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_ERRNO,
		.id = "ECONNRESET",
		.aliases = ALIASES("104", "RST", "reset", "connection reset",
				   "connection reset by peer"),
		.title = N_("the other end, or something on the way, sent a RST"),
		.text = N_("Error 104. A RST arrived. The call that meets it, read or write, "
			   "gets ECONNRESET once; after that reading gives 0 and writing EPIPE. "
			   "What had arrived before can still be read on Linux.\n\n"
			   "It does not mean that packets were lost: loss ends in ETIMEDOUT. "
			   "Some stack answered. Causes: the peer closed or died with our data "
			   "unread; SO_LINGER with 0; the peer's connection no longer exists "
			   "(restart, failover, timeout of its half); its listener was closed "
			   "with us in the queue; ss -K there; failed keepalive at the peer; a "
			   "NAT, load balancer or firewall that ended an idle connection; a "
			   "forged packet. A RST that comes after the peer's FIN shows as EPIPE "
			   "instead.\n\n"
			   "A capture splits them: a RST with ACK, window and timestamp was "
			   "decided by a socket; a bare RST with window 0 and without options "
			   "answers a segment that fits no socket.\n\n"
			   "RST alone, without ACK, is no sign of an attack, and a RST after a "
			   "complete close harms nobody.\n\n"
			   "What to do: capture FIN and RST on both ends. Round idle times "
			   "before it (60, 240, 350 s) point to a middlebox: keepalive below "
			   "that. On the server: read to the end before close(). The client "
			   "must close its descriptor and may repeat idempotent requests."),
		.refs = "RFC 9293 section 3.5.2; recv(2); Linux net/ipv4/tcp_input.c, "
			"tcp_reset(); Linux net/ipv4/tcp_ipv4.c, tcp_v4_send_reset(); "
			"Linux net/ipv4/tcp_output.c, tcp_send_active_reset()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "EPIPE",
		.aliases = ALIASES("32", "SIGPIPE", "broken pipe", "reset-after-fin"),
		.title = N_("we wrote to a connection that cannot send any more"),
		.text = N_("Error 32, with the signal SIGPIPE unless it is ignored or "
			   "MSG_NOSIGNAL is given.\n\n"
			   "Three ways to it. The peer closed completely and we sent on: the "
			   "first send succeeds, the peer answers with RST, the next send gives "
			   "EPIPE. We had called shutdown(SHUT_WR) ourselves. Or an error such "
			   "as ECONNRESET or ETIMEDOUT was reported before and the program went "
			   "on.\n\n"
			   "It is not the same as ECONNRESET, though it may be the same event: "
			   "a RST that arrives in CLOSE-WAIT, after the peer's FIN, is reported "
			   "as EPIPE; in other states as ECONNRESET. So of two programs that "
			   "lose the same connection, one may log the one, one the other.\n\n"
			   "Failed keepalive in CLOSE-WAIT, when the peer answers RST, leaves "
			   "EPIPE too; the descriptor stays open.\n\n"
			   "The connection is over; nothing brings it back. The data of that "
			   "first, successful send is lost.\n\n"
			   "What to do: close the descriptor. Ignore SIGPIPE, or use "
			   "MSG_NOSIGNAL, so that one client cannot end the process. Read "
			   "before writing on a connection that was idle: the end of the stream "
			   "is already there. If only part of the clients see it, look for a "
			   "server that closes while requests are on their way."),
		.refs = "send(2); signal(7); Linux net/ipv4/tcp_input.c, tcp_reset(); "
			"Linux net/core/stream.c, sk_stream_error()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "ETIMEDOUT",
		.aliases = ALIASES("110", "10060", "WSAETIMEDOUT", "connection timed out",
				   "silent"),
		.title = N_("nobody answered for too long"),
		.text = N_("Error 110; Windows calls it 10060, WSAETIMEDOUT. Packets went out "
			   "and nothing came back.\n\n"
			   "From connect(): no answer to the SYN for about two minutes with the "
			   "default of 6 repetitions. A firewall drops, the host or route is "
			   "gone, or the accept queue there is full. From a connection: data "
			   "unacknowledged for some 15 minutes (tcp_retries2) or for "
			   "TCP_USER_TIMEOUT; data behind a closed window for TCP_USER_TIMEOUT; "
			   "keepalive probes without an answer, 7875 s with the defaults.\n\n"
			   "Only failed keepalive sends a RST. All other timeouts are silent, "
			   "so the peer does not learn of it and may stay ESTABLISHED for ever; "
			   "if it sends later it gets a RST.\n\n"
			   "It is not ECONNRESET: that needs an answer. And it is not the "
			   "EAGAIN of a recv() with SO_RCVTIMEO, nor the timeout of a library, "
			   "which may bear the same words without the number.\n\n"
			   "The connection is gone from ss, the descriptor is not: close it.\n\n"
			   "What to do: test the path in both directions; look for a firewall "
			   "that forgot the connection in an idle time. Choose the time "
			   "knowingly with TCP_USER_TIMEOUT and keepalive, instead of waiting "
			   "for the defaults."),
		.refs = "tcp(7); connect(2); Linux net/ipv4/tcp_timer.c, tcp_write_err(), "
			"tcp_keepalive_timer()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "ECONNREFUSED",
		.aliases = ALIASES("111", "10061", "WSAECONNREFUSED", "connection refused",
				   "refused"),
		.title = N_("a RST answered our SYN"),
		.text = N_("Error 111; Windows calls it 10061, WSAECONNREFUSED. The SYN reached "
			   "somebody who answered with RST: usually nobody listens at that "
			   "address and port. The service is down, starts later, listens on "
			   "another address (127.0.0.1 only, or IPv6 only), or in another "
			   "network namespace.\n\n"
			   "A firewall rule \"reject with tcp reset\" sends the same bytes; "
			   "only a TTL that differs from the host's other packets gives it "
			   "away.\n\n"
			   "It does not mean that the server is overloaded: with a full accept "
			   "queue SYNs are dropped in silence and the client times out. With "
			   "tcp_abort_on_overflow it sees ECONNRESET after a connect() that "
			   "succeeded.\n\n"
			   "It comes at once, after one round trip, and leaves nothing behind: "
			   "no TIME-WAIT on either end. A port used by connect() is free again.\n\n"
			   "What to do: on the server look at the LISTEN rows in the right "
			   "namespace: address, port, family. In the client: retry with growing "
			   "pauses while a service restarts; close the descriptor of the failed "
			   "attempt. If the port listens and refusals go on, look for a "
			   "rejecting firewall or a load balancer without a healthy server."),
		.refs = "RFC 9293 section 3.10.7.1; connect(2); Linux "
			"net/ipv4/tcp_input.c, tcp_reset(); Linux net/ipv4/tcp_ipv4.c, "
			"tcp_v4_send_reset()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "ECONNABORTED",
		.aliases = ALIASES("103", "software caused connection abort"),
		.title = N_("an administrator destroyed the connection"),
		.text = N_("Error 103. On Linux it comes from SOCK_DESTROY, the request behind "
			   "ss -K: the next call of the owner gets it once, then reading gives "
			   "0 and writing EPIPE. In CLOSE-WAIT recv() gives 0 and send() the "
			   "error. The peer is sent a RST and sees ECONNRESET. Android and some "
			   "VPN and load balancing programs destroy sockets this way when a "
			   "network changes.\n\n"
			   "The descriptor stays open: ss -K frees ports and kernel memory, "
			   "never a descriptor, so it is no remedy for a leak in CLOSE-WAIT.\n\n"
			   "It is not the Windows error of the same name (WSAECONNABORTED, "
			   "10053): that one reports a timeout or local software.\n\n"
			   "It is also not what accept() says on Linux about a client that has "
			   "already reset its connection: accept() succeeds, and the first "
			   "recv() gives ECONNRESET. BSD systems return ECONNABORTED there; "
			   "portable servers simply accept again.\n\n"
			   "What to do: ask who ran ss -K or a tool that uses it. In the "
			   "program close the descriptor and connect again. As an administrator "
			   "use ss -K in emergencies only; it needs CONFIG_INET_DIAG_DESTROY "
			   "and CAP_NET_ADMIN. Danger: it cuts whatever the filter matches."),
		.refs = "sock_diag(7); ss(8); Linux net/ipv4/tcp.c, tcp_abort(); "
			"accept(2)",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "EADDRNOTAVAIL",
		.aliases = ALIASES("99", "cannot assign requested address"),
		.title = N_("no free local port, or not our address"),
		.text = N_("Error 99. From connect(): the kernel found no local port towards "
			   "this destination; all of ip_local_port_range is in use between this "
			   "source address and that address and port. TIME-WAIT counts like "
			   "everything else. From bind(): the address does not belong to this "
			   "host.\n\n"
			   "It is not a limit of the host and not of the server: connections to "
			   "another destination still succeed, with the same ports. It is not a "
			   "lack of descriptors either (EMFILE). A program that binds its "
			   "source address with port 0 first gets EADDRINUSE from bind() "
			   "instead.\n\n"
			   "When our side closes first, each port is lost for 60 seconds: 28232 "
			   "ports allow 470 connections a second to one destination. The CPU "
			   "time of connect() rises before it fails.\n\n"
			   "What to do: keep connections and reuse them; let the server close "
			   "first where that is possible; more source addresses (with "
			   "IP_BIND_ADDRESS_NO_PORT) or more destination addresses; "
			   "tcp_tw_reuse=1 on this client, which needs timestamps and helps "
			   "after one second; a wider range.\n\n"
			   "What does not help: tcp_fin_timeout, tcp_tw_recycle, SO_REUSEADDR "
			   "on ports the kernel chooses. Danger: SO_LINGER with 0 frees ports "
			   "by resetting connections."),
		.refs = "connect(2); bind(2); Linux net/ipv4/inet_hashtables.c, "
			"__inet_hash_connect()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "EADDRINUSE",
		.aliases = ALIASES("98", "10048", "WSAEADDRINUSE", "address already in use"),
		.title = N_("the port is taken"),
		.text = N_("Error 98; Windows calls it 10048, WSAEADDRINUSE. From bind() or "
			   "listen() with a port: somebody has it. Another listener; leftovers "
			   "of the old process in TIME-WAIT, CLOSE-WAIT, FIN-WAIT-2 or "
			   "ESTABLISHED; or a client connection that got the port by chance, if "
			   "it lies in ip_local_port_range.\n\n"
			   "With SO_REUSEADDR leftovers do not matter, but only if the old "
			   "sockets had it as well as the new one. Against a listener it never "
			   "helps: a child that inherited the listener keeps it open after its "
			   "parent's end.\n\n"
			   "From bind() to port 0: all ports of the range are in use for this "
			   "source address. Such ports count for all destinations; connect() "
			   "alone would say EADDRNOTAVAIL.\n\n"
			   "It is not cured by waiting in general: TIME-WAIT is over after 60 "
			   "seconds, a CLOSE-WAIT or a listener only when its process closes.\n\n"
			   "What to do: find the holder: ss -tanp for the port, every state. "
			   "End the stray process by its number. Set SO_REUSEADDR before bind() "
			   "in every version, open listeners with SOCK_CLOEXEC, put service "
			   "ports into ip_local_reserved_ports, use IP_BIND_ADDRESS_NO_PORT in "
			   "clients that bind an address. Danger: SO_REUSEPORT as a way round "
			   "splits the clients between old and new."),
		.refs = "bind(2); Linux net/ipv4/inet_connection_sock.c, "
			"inet_csk_get_port(), inet_bind_conflict()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "EMFILE",
		.aliases = ALIASES("24", "too many open files"),
		.title = N_("this process has no free descriptor"),
		.text = N_("Error 24. The lowest free descriptor number has reached the soft "
			   "limit RLIMIT_NOFILE of the process. accept(), socket(), open() and "
			   "pipe() fail.\n\n"
			   "On a server new clients are still connected by the kernel and wait "
			   "in the accept queue; those that give up become CLOSE-WAIT with "
			   "inode 0. A level-triggered event loop reports the listener again "
			   "and again: 100 % CPU and nothing done.\n\n"
			   "It is usually a leak: connections in CLOSE-WAIT that nobody closes, "
			   "or finished ones whose descriptor is still open and which no "
			   "listing shows. It is never TIME-WAIT or an orphan; they have no "
			   "descriptor. It is not ENFILE, the limit of the whole machine.\n\n"
			   "What to do: see what the descriptors are, ls -l /proc/PID/fd, and "
			   "compare with the limit in /proc/PID/limits. To gain time without a "
			   "restart: prlimit --pid PID --nofile=SOFT:HARD. Then fix the leak; a "
			   "higher limit only postpones it. In the program: on EMFILE close a "
			   "spare descriptor, accept, close that client, open the spare one "
			   "again. Danger of ignoring it: the loop spins, and log files and "
			   "libraries fail to open as well."),
		.refs = "accept(2); getrlimit(2); Linux fs/file.c, alloc_fd()",
	},
	{
		.kind = TOPIC_ERRNO,
		.id = "ENFILE",
		.aliases = ALIASES("23", "too many open files in system"),
		.title = N_("the whole machine has no free file"),
		.text = N_("Error 23. The number of open files of the machine has reached "
			   "fs.file-max, and the caller has no CAP_SYS_ADMIN. Every process "
			   "suffers, in every container, also those that leak nothing; root's "
			   "shell may still work.\n\n"
			   "It is rare: the default is about one file for each 10 KiB of "
			   "memory, and newer systemd sets it to the maximum. The message \"Too "
			   "many open files\" without \"in system\" is EMFILE, the limit of one "
			   "process.\n\n"
			   "/proc/sys/fs/file-nr shows the number in use first and the limit "
			   "last. Sockets count with everything else; TIME-WAIT and orphans do "
			   "not, they have no file.\n\n"
			   "It does not end by itself; descriptors must be closed, or their "
			   "processes ended.\n\n"
			   "What to do: count descriptors for each process (the entries of "
			   "/proc/PID/fd) and look at the largest: a leak of sockets in "
			   "CLOSE-WAIT is a common cause. Raise fs.file-max as a stop-gap. Set "
			   "RLIMIT_NOFILE so that no single process can use up the machine. "
			   "Danger: raising it without finding the leak ends in lack of kernel "
			   "memory, and that ends processes at random."),
		.refs = "open(2); proc_sys_fs(5); Linux fs/file_table.c, "
			"alloc_empty_file()",
	},
};

const struct topic_table explain_errnos = { rows, ARRAY_LEN(rows) };
