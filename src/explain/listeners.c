#include "explain/tables.h"
#include "util/i18n.h"

/* Settings of listeners and their queues. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_SYSCTL,
		.id = "somaxconn",
		.aliases = ALIASES("net.core.somaxconn", "tcp_somaxconn"),
		.title = N_("upper bound of listen()'s backlog"),
		.text = N_("A count, 4096 since Linux 5.4 and 128 before, for each namespace. "
			   "The accept queue of a listener is limited to the smaller of this "
			   "and the argument of listen().\n\n"
			   "It is read at listen(). Raising it changes nothing for a listener "
			   "that runs; a second listen() on the same socket takes the new "
			   "value. Many programs call listen() only when they start.\n\n"
			   "The program's own argument is often the real limit: nginx 511, "
			   "Redis 511, Java 50, Python 128 or less; Go reads somaxconn when it "
			   "starts. In ss the Send-Q of the LISTEN row is the limit in force, "
			   "Recv-Q the number waiting; full means Recv-Q greater than Send-Q, "
			   "because a limit of 4 holds 5.\n\n"
			   "It does not make the program accept faster, and a queue that is "
			   "always full only gets longer, so that clients wait longer before "
			   "they fail.\n\n"
			   "What to do: for bursts raise both the argument and somaxconn, then "
			   "restart or call listen() again. A new namespace, a container for "
			   "example, does not inherit the host's value; set it there. Danger: a "
			   "very long queue serves clients that have long given up; they appear "
			   "as CLOSE-WAIT with inode 0."),
		.refs = "listen(2); Linux net/socket.c, __sys_listen(); Linux "
			"include/net/sock.h, sk_acceptq_is_full()",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_abort_on_overflow",
		.aliases = ALIASES("net.ipv4.tcp_abort_on_overflow", "abort_on_overflow"),
		.title = N_("reset a client whose handshake ends at a full accept queue"),
		.text = N_("0 by default, for each namespace. It decides what happens when the "
			   "last ACK of a handshake finds the accept queue full. 0: the ACK is "
			   "dropped; the client believes it is connected, the SYN-ACK is "
			   "repeated, and the connection works as soon as there is room. 1: the "
			   "client is sent a RST and gets ECONNRESET after a successful "
			   "connect().\n\n"
			   "It concerns this one ACK only. When the queue is already full, the "
			   "SYN itself is dropped without an answer, with 1 as well: in the "
			   "test connect() hung. With SYN cookies in play it does nothing at "
			   "all. So \"it makes clients fail fast\" is mostly a myth.\n\n"
			   "It does not make the queue longer or the program faster, and it is "
			   "not a cure for overload. ListenOverflows counts in both cases.\n\n"
			   "What to do: leave 0. Find out why the program does not accept: "
			   "threads blocked, descriptor limit reached, backlog of listen() too "
			   "small. 1 only if the clients try another server at once. Danger of "
			   "1: a burst of a few milliseconds, which clients would not have "
			   "noticed, becomes a hard error."),
		.refs = "tcp(7); Linux net/ipv4/tcp_minisocks.c, tcp_check_req(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_max_syn_backlog",
		.aliases = ALIASES("net.ipv4.tcp_max_syn_backlog", "max_syn_backlog"),
		.title = N_("unfinished handshakes, where SYN cookies are off"),
		.text = N_("A count for each namespace: by default the TCP hash size divided by "
			   "128 (2048 for a table of 262144), at least 128; older kernels "
			   "divided by 256. It is used at every SYN.\n\n"
			   "With tcp_syncookies at 1, the default, the number of unfinished "
			   "handshakes of a listener is bounded by the listener's own backlog, "
			   "that is by listen() and somaxconn; when that is reached, cookies "
			   "are sent. This setting mostly matters when cookies are off: then "
			   "SYNs are dropped well before the limit is reached, to keep room for "
			   "known peers.\n\n"
			   "It has no effect on closing: it does not touch SYN-RECV that "
			   "exists, nor CLOSE-WAIT, nor TIME-WAIT. It is not the accept queue "
			   "either; that one is full when Recv-Q of the LISTEN row is greater "
			   "than Send-Q.\n\n"
			   "What to do: nothing in most cases. If clients wait for a "
			   "connection, look at the accept queue first: raise listen()'s "
			   "argument and somaxconn, and make the program accept faster. Danger "
			   "of large values without cookies: memory for every forged SYN of a "
			   "flood."),
		.refs = "listen(2); tcp(7); Linux net/ipv4/tcp_input.c, "
			"tcp_conn_request()",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_syncookies",
		.aliases = ALIASES("net.ipv4.tcp_syncookies", "syncookies"),
		.title = N_("answer SYNs without memory when the queue is full"),
		.text = N_("1 only when the queue of unfinished handshakes is full (the "
			   "default), 2 always, for tests, 0 never. For each namespace. A "
			   "cookie is a SYN-ACK whose number encodes the handshake, so the "
			   "kernel need not remember it; the client's ACK brings it back. "
			   "TCPReqQFullDoCookies counts.\n\n"
			   "It is the remedy against floods of forged SYNs. It is not a remedy "
			   "for a slow program: when the accept queue itself is full, new SYNs "
			   "are dropped all the same.\n\n"
			   "Side effects while cookies are in use: an ACK that finds the accept "
			   "queue full is dropped even with tcp_abort_on_overflow 1, so a "
			   "client may believe it is connected while the server knows nothing; "
			   "its first data is repeated until it gives up. Some TCP options are "
			   "kept only if timestamps are in use.\n\n"
			   "It has no effect on closing connections.\n\n"
			   "What to do: leave 1. If the log reports a possible flood on a busy "
			   "port without an attack, the backlog is too short for its clients: "
			   "raise listen()'s argument and somaxconn. Danger of 0: a small flood "
			   "of SYNs shuts everybody out."),
		.refs = "Linux net/ipv4/syncookies.c; Linux net/ipv4/tcp_input.c, "
			"tcp_conn_request(); Linux "
			"Documentation/networking/ip-sysctl.rst; RFC 4987",
	},
};

const struct topic_table explain_listeners = { rows, ARRAY_LEN(rows) };
