#include "explain/tables.h"
#include "util/i18n.h"

/* Socket options that act on the life of a connection before its end. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_SOCKOPT,
		.id = "SO_KEEPALIVE",
		.aliases = ALIASES("keepalive", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT",
				   "TCP_KEEPALIVE"),
		.title = N_("ask a silent peer whether it is still there"),
		.text = N_("Off unless the program sets it. After TCP_KEEPIDLE idle seconds "
			   "(default 7200) a probe is sent, then one each TCP_KEEPINTVL (75), "
			   "up to TCP_KEEPCNT (9).\n\n"
			   "The arithmetic: a silent peer is given up after idle + interval "
			   "times count: 7200 + 75 times 9 = 7875 s, 2 h 11 min 15 s; with 60, "
			   "10 and 6 after 120 s. The program gets ETIMEDOUT, the peer a RST. A "
			   "peer without the connection answers RST: over at the first probe. A "
			   "peer that answers: for ever. Idle and interval may be 1 to 32767 s, "
			   "count 1 to 127; the listener's settings are inherited.\n\n"
			   "It works in ESTABLISHED, CLOSE-WAIT and in FIN-WAIT-2 with the "
			   "descriptor open. No probe is sent while data is unacknowledged; "
			   "then tcp_retries2 or TCP_USER_TIMEOUT decides.\n\n"
			   "Myths: \"it cures CLOSE-WAIT\". A half-closed peer answers every "
			   "probe; if it is gone the row vanishes and the descriptor stays "
			   "leaked (send gives EPIPE). \"It is on by default\": no. It is not "
			   "HTTP keep-alive, which keeps a connection for further requests.\n\n"
			   "What to do: on long-lived connections 60/10/6, below the idle limit "
			   "of NAT and load balancers (350 s or 240 s in clouds), with "
			   "TCP_USER_TIMEOUT about idle + interval times count. Danger of very "
			   "short times: an outage of seconds ends everything."),
		.refs = "tcp(7); socket(7); RFC 9293 section 3.8.4; Linux "
			"net/ipv4/tcp_timer.c, tcp_keepalive_timer()",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "TCP_USER_TIMEOUT",
		.aliases = ALIASES("user timeout"),
		.title = N_("how long sent data may stay unacknowledged"),
		.text = N_("Milliseconds, unsigned; 0 is off, the default. If sent data is not "
			   "acknowledged for so long, or data waits so long behind a closed "
			   "window, the connection is dropped and the program gets ETIMEDOUT. "
			   "Measured: 2000 ended after 2.2 s, 3000 with a closed window and a "
			   "live peer after 3.3 s. Nothing is sent to the peer.\n\n"
			   "It replaces tcp_retries2 for the socket, and tcp_orphan_retries "
			   "after close(): set before close(), 2000 ended an orphan after 2.4 "
			   "s. A listener's value is inherited.\n\n"
			   "With keepalive it replaces the count of probes: the connection ends "
			   "at the first keepalive timer at which it has been idle that long "
			   "and a probe is out, and a RST is sent.\n\n"
			   "It does nothing on an idle connection without keepalive. It does "
			   "not touch FIN-WAIT-2 or TIME-WAIT, nor CLOSE-WAIT with nothing to "
			   "send. It is not a timeout of recv().\n\n"
			   "What to do: set it on every long-lived connection, 20 to 30 "
			   "seconds, together with SO_KEEPALIVE whose idle time + interval "
			   "times count is about the same. It is also the way to get rid of "
			   "peers that never read. Danger: shorter than the outages you want to "
			   "survive, it kills connections during each of them."),
		.refs = "tcp(7); RFC 5482; Linux net/ipv4/tcp_timer.c, "
			"tcp_write_timeout(), tcp_probe_timer(), tcp_keepalive_timer()",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "SO_REUSEADDR",
		.aliases = ALIASES("reuseaddr"),
		.title = N_("bind over leftovers of the old process"),
		.text = N_("A server that restarts may bind its port although old connections "
			   "of that port are still in TIME-WAIT, CLOSE-WAIT, FIN-WAIT-2 or "
			   "ESTABLISHED. Both must have it: the old sockets, and the new one. "
			   "Accepted sockets inherit it from their listener. Set only in the "
			   "new version, bind() still fails with EADDRINUSE until the old "
			   "leftovers are gone. A test of all four combinations: only both set "
			   "succeeds.\n\n"
			   "It never allows two listeners at the same address and port; a "
			   "listener that some child still holds gives EADDRINUSE in any case. "
			   "Windows means something else by the same name.\n\n"
			   "On a client it matters only with an explicit bind() to a port: then "
			   "the port's TIME-WAIT can be reused, given timestamps, whatever "
			   "tcp_tw_reuse says. It does nothing for ports the kernel chooses, so "
			   "it does not cure port exhaustion.\n\n"
			   "It ends no state: the old CLOSE-WAITs and TIME-WAITs stay. "
			   "\"SO_REUSEADDR fixes CLOSE-WAIT\" is a myth.\n\n"
			   "What to do: set it on every listening socket before bind(), in "
			   "every version. Danger: none worth mentioning on Linux. If the bind "
			   "fails nevertheless, look for a process that inherited the listener."),
		.refs = "socket(7); ip(7); Linux net/ipv4/inet_connection_sock.c, "
			"inet_bind_conflict()",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "SO_REUSEPORT",
		.aliases = ALIASES("reuseport"),
		.title = N_("several listeners on one port, each with its own queue"),
		.text = N_("Since Linux 3.9. Several sockets listen at the same address and "
			   "port; the kernel spreads new connections over them. All must set it "
			   "before bind() and belong to the same effective user.\n\n"
			   "Each has an accept queue of its own. That is the point, and the "
			   "trap: a worker that does not accept lets its clients wait, and they "
			   "turn into CLOSE-WAIT with inode 0, while the other workers look "
			   "healthy. Look at Recv-Q and Send-Q of every LISTEN row; a waiting "
			   "connection does not show in whose queue it is.\n\n"
			   "Closing one listener resets the clients in its queue (ECONNRESET, "
			   "no TCPAbortOn counter moves), unless tcp_migrate_req is 1.\n\n"
			   "It is not a substitute for SO_REUSEADDR: it is meant for listeners "
			   "at the same time. It does not shorten any state.\n\n"
			   "What to do: for rolling restarts set tcp_migrate_req to 1, or "
			   "accept everything that waits before closing. Use it where one "
			   "accept queue is the bottleneck, not by default. Danger: a second "
			   "copy of a service started by mistake does not fail with EADDRINUSE; "
			   "it silently takes a share of the clients."),
		.refs = "socket(7); Linux net/core/sock_reuseport.c; Linux "
			"net/ipv4/inet_connection_sock.c, inet_csk_listen_stop()",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "IP_BIND_ADDRESS_NO_PORT",
		.aliases = ALIASES("bind_address_no_port"),
		.title = N_("bind a source address, choose the port at connect()"),
		.text = N_("Since Linux 4.2; an int, for IPv4 and IPv6 sockets alike. Set it "
			   "before bind() with a source address and port 0. The port is then "
			   "chosen at connect(), when the destination is known, so the same "
			   "local port can serve several destinations at once.\n\n"
			   "Without it bind() must choose a port for all destinations: the "
			   "whole ip_local_port_range, 28232 ports, is one budget for that "
			   "source address. Those ports stay lost in TIME-WAIT too, and when "
			   "they are used up bind() fails with EADDRINUSE. In a test with 2 "
			   "ports and 3 destinations: 2 connections without the option, 6 with "
			   "it. When ports run out with it, connect() fails with EADDRNOTAVAIL, "
			   "and tcp_tw_reuse can help.\n\n"
			   "It does not enlarge the range and does not concern servers, nor "
			   "programs that never bind before connect().\n\n"
			   "What to do: set it in every proxy and client that chooses its "
			   "source address. It is the right remedy there; SO_REUSEADDR does not "
			   "help with port 0. Danger: none known; getsockname() shows port 0 "
			   "until connect()."),
		.refs = "ip(7); Linux net/ipv4/af_inet.c, __inet_bind(); Linux "
			"net/ipv4/inet_hashtables.c, __inet_hash_connect()",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "IP_LOCAL_PORT_RANGE",
		.title = N_("a smaller port range for one socket"),
		.text = N_("Since Linux 6.3, and in the 6.1 stable series. A 32-bit number: the "
			   "low 16 bits are the lowest port, the high 16 bits the highest; 0 in "
			   "a half leaves that bound as it is. The kernel chooses this socket's "
			   "port from that range.\n\n"
			   "It narrows, it never widens. A bound outside the setting "
			   "net.ipv4.ip_local_port_range is ignored. With the setting at 40000 "
			   "to 40009, an option of 40008 to 50000 gave 40008 and 40009; one of "
			   "50001 to 50004 had no effect.\n\n"
			   "So it is not a way to more ports. It serves to give programs or "
			   "tenants behind one address separate parts of the range, so that a "
			   "packet's port tells whose connection it is, and one of them cannot "
			   "use up the ports of the others.\n\n"
			   "What to do: use it for such a division, with care for the number: "
			   "ports of the part, less reserved ones, divided by 60 seconds is the "
			   "rate of new connections to one destination where our side closes "
			   "first. Danger: a small part runs out early; connect() then fails "
			   "with EADDRNOTAVAIL although the host has free ports."),
		.refs = "ip(7); Linux net/ipv4/inet_connection_sock.c, "
			"inet_sk_get_local_port_range(); Linux include/uapi/linux/in.h",
	},
	{
		.kind = TOPIC_SOCKOPT,
		.id = "TCP_DEFER_ACCEPT",
		.aliases = ALIASES("defer_accept", "deferred accept"),
		.title = N_("wake the server only when data has come"),
		.text = N_("Seconds, set on a listener. accept() then returns a connection only "
			   "when its first data has arrived. Until then it counts as an "
			   "unfinished handshake, SYN-RECV on the server, while the client is "
			   "ESTABLISHED already.\n\n"
			   "The number is rounded up to a count of SYN-ACK repetitions: 5 reads "
			   "back as 7. A client that sends nothing is not refused when the time "
			   "is over: the SYN-ACK is repeated, the client's ACK comes again, and "
			   "accept() returns the connection without data. With 5 set that took "
			   "7.2 seconds in a test.\n\n"
			   "What it does to diagnosis: many SYN-RECV rows that are no attack "
			   "and no full queue, and repeated SYN-ACKs in captures that are no "
			   "loss. A client that connects and leaves without a byte appears as "
			   "CLOSE-WAIT with inode 0 and Recv-Q 1: waiting for accept(), and "
			   "nothing to read but the end.\n\n"
			   "It is not a timeout for requests; a client that sends one byte and "
			   "stops is accepted.\n\n"
			   "What to do: use it only for protocols in which the client speaks "
			   "first. Danger: with protocols in which the server greets first, "
			   "both wait, and every connection is delayed by the whole time."),
		.refs = "tcp(7); Linux net/ipv4/tcp_minisocks.c, tcp_check_req()",
	},
};

const struct topic_table explain_options = { rows, ARRAY_LEN(rows) };
