#include "explain/tables.h"
#include "util/i18n.h"

/* Settings around TIME-WAIT, the removed and the foreign ones included: people look for them. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_max_tw_buckets",
		.aliases = ALIASES("net.ipv4.tcp_max_tw_buckets", "max_tw_buckets",
				   "tw_buckets", "tcp_ehash_entries",
				   "net.ipv4.tcp_ehash_entries"),
		.title = N_("how many TIME-WAITs and orphaned FIN-WAIT-2 may exist"),
		.text = N_("A count for each namespace, by default half of the TCP hash table "
			   "(131072 on a machine of 24 GB, 262144 on large ones). It limits the "
			   "small objects that stand for TIME-WAIT and for FIN-WAIT-2 orphans "
			   "together. The number in use is \"tw\" in /proc/net/sockstat of that "
			   "namespace.\n\n"
			   "At the limit the next connection that should enter one of these "
			   "states is destroyed at once, without a packet. TCPTimeWaitOverflow "
			   "counts it; recent kernels write nothing to the log. A FIN or data "
			   "of the peer that comes later is answered with RST, so the peer sees "
			   "errors at the end of good connections. With the limit at 3 and six "
			   "orphans, three were destroyed and later three RSTs went out.\n\n"
			   "It never removes entries that exist, and it is no target. Myth: "
			   "\"lower it to 5000 to control TIME-WAIT\". That gives up the "
			   "protection TIME-WAIT is for: the last ACK is not repeated, old "
			   "packets can reach a new connection.\n\n"
			   "What to do: raise it when TCPTimeWaitOverflow grows; an entry costs "
			   "256 bytes, 100,000 cost 25 MB. Never lower it."),
		.refs = "Linux net/ipv4/tcp_minisocks.c, tcp_time_wait(); Linux "
			"net/ipv4/inet_timewait_sock.c, inet_twsk_alloc(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_tw_reuse",
		.aliases = ALIASES("net.ipv4.tcp_tw_reuse", "tw_reuse"),
		.title = N_("may connect() take over a TIME-WAIT"),
		.text = N_("0 no, 1 yes, 2 on loopback only: the default since 4.19. For each "
			   "namespace, effective at once. It lets an outgoing connect() whose "
			   "port the kernel chooses take over a TIME-WAIT of the same address "
			   "and port pair, if timestamps were in use and the TIME-WAIT is older "
			   "than tcp_tw_reuse_delay (1 s).\n\n"
			   "It does nothing for a server's incoming connections, and they need "
			   "nothing: a new SYN with a higher number or timestamp takes over a "
			   "TIME-WAIT with this set to 0 as well. It does nothing without "
			   "tcp_timestamps, nor for bind() to port 0, nor for other states. "
			   "Loopback means 127.0.0.0/8, ::1 or a socket bound to the loopback "
			   "device; another address of this host does not count.\n\n"
			   "It is not tcp_tw_recycle, which was dangerous and is gone. And the "
			   "number of TIME-WAITs does not fall to zero: one is reused when a "
			   "port is needed.\n\n"
			   "A port bound explicitly with SO_REUSEADDR reuses its TIME-WAIT with "
			   "any value here, given timestamps.\n\n"
			   "What to do: 1 on clients and proxies that run out of ports to one "
			   "destination, after pooling connections. Danger: small; it relies on "
			   "timestamps, so it is unsafe behind devices that rewrite them."),
		.refs = "Linux net/ipv4/tcp_ipv4.c, tcp_twsk_unique(); Linux "
			"net/ipv4/inet_hashtables.c, __inet_check_established(); RFC "
			"6191; Linux Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_tw_reuse_delay",
		.aliases = ALIASES("net.ipv4.tcp_tw_reuse_delay", "tw_reuse_delay"),
		.title = N_("how old a TIME-WAIT must be before connect() takes it over"),
		.text = N_("Milliseconds, 1000 by default, for each namespace; since Linux "
			   "6.14. 0 is refused. On older kernels the file is missing and the "
			   "delay is fixed: at least one whole second.\n\n"
			   "It matters only where tcp_tw_reuse allows the reuse. Within this "
			   "time connect() does not take the TIME-WAIT; if no other port is "
			   "free it fails with EADDRNOTAVAIL. Measured with the default: "
			   "nothing after 0.2 s, reuse after 1 s.\n\n"
			   "It is not the length of TIME-WAIT, and shortens none. It sets how "
			   "often a local port can be used towards one destination: about once "
			   "a second with the default.\n\n"
			   "The delay exists because reuse is safe only if the new connection "
			   "has a newer timestamp than the last packet of the old one. It must "
			   "be longer than one tick of the peer's timestamp clock.\n\n"
			   "What to do: leave it. Lower it only if both ends are known to have "
			   "millisecond timestamps. Danger: with a slower clock late packets of "
			   "the old connection are taken for the new one's."),
		.refs = "Linux net/ipv4/tcp_ipv4.c, tcp_twsk_unique(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_tw_recycle",
		.aliases = ALIASES("net.ipv4.tcp_tw_recycle", "tw_recycle"),
		.title = N_("removed in Linux 4.12; delete the line"),
		.text = N_("It does not exist any more. Linux 4.12 removed it, so a missing "
			   "file is right, and \"sysctl: cannot stat "
			   "/proc/sys/net/ipv4/tcp_tw_recycle\" in the boot log only shows "
			   "tuning copied from an old page.\n\n"
			   "What it did: it ended TIME-WAIT after 3.5 retransmission timeouts, "
			   "and it refused every SYN whose timestamp was lower than the last "
			   "one seen from the same address. Behind one NAT address many "
			   "machines with different clocks hide, so some of those clients could "
			   "not connect, at random, and nothing showed why. Since 4.10 every "
			   "connection has its own random timestamp offset; from then on it "
			   "broke clients without NAT as well.\n\n"
			   "It is not tcp_tw_reuse, which acts on our own outgoing connections "
			   "only and does not refuse anybody.\n\n"
			   "What to do: delete the line from sysctl.conf. On a kernel before "
			   "4.12 that has it at 1, set it to 0 at once. For many TIME-WAITs: "
			   "pool connections, let the client close first, use tcp_tw_reuse=1 on "
			   "the client side."),
		.refs = "Linux net/ipv4/tcp_minisocks.c before 4.12; tcp(7): \"Linux 2.4 "
			"to 4.11\"; RFC 7323 section 5",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_tw_timeout",
		.aliases = ALIASES("net.ipv4.tcp_tw_timeout", "tw_timeout"),
		.title = N_("length of TIME-WAIT, on a few vendor kernels only"),
		.text = N_("Mainline Linux does not have it. TIME-WAIT lasts 60 seconds there, "
			   "a constant in the source, and no setting or socket option changes "
			   "it.\n\n"
			   "Alibaba Cloud Linux 2 (from 4.19.43-13.al7) and 3 have it: seconds, "
			   "1 to 600. Their version 4 dropped it again; some other cloud "
			   "kernels carry a similar change. If the file "
			   "/proc/sys/net/ipv4/tcp_tw_timeout exists, it is true there and "
			   "tcpwhy reads it; if not, the answer is 60. Judge by the file, not "
			   "by the kernel's version.\n\n"
			   "Pages that recommend it as a general remedy for TIME-WAIT were "
			   "written for such a kernel. Elsewhere sysctl fails with \"cannot "
			   "stat\".\n\n"
			   "What to do: nothing where it is missing. Where it exists, "
			   "shortening it frees ports sooner. Danger: less than the life of a "
			   "late packet in the network lets old data reach a new connection "
			   "with the same ports, and a peer whose last FIN is repeated later "
			   "gets RST instead of an ACK."),
		.refs = "Linux include/net/tcp.h, TCP_TIMEWAIT_LEN; Alibaba Cloud Linux 2 "
			"and 3 kernel documentation",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_timestamps",
		.aliases = ALIASES("net.ipv4.tcp_timestamps", "timestamps"),
		.title = N_("TCP timestamps; TIME-WAIT reuse and PAWS need them"),
		.text = N_("1 on, with a random offset for each connection (the default); 2 on "
			   "without the offset; 0 off. For each namespace, decided at the SYN: "
			   "connections that exist keep what they agreed on.\n\n"
			   "They cost 12 bytes a segment. They serve to measure the round trip, "
			   "and to tell old packets from new ones when numbers repeat (PAWS). "
			   "Reuse of a TIME-WAIT by connect() depends on them: with 0, "
			   "tcp_tw_reuse=1 does nothing and connect() fails with EADDRNOTAVAIL "
			   "when ports run out.\n\n"
			   "Myth: \"turn them off for security\", or against TIME-WAIT, or "
			   "because of NAT. The NAT trouble came from tcp_tw_recycle, which is "
			   "gone; the clock they once revealed is hidden by the random offset.\n\n"
			   "In a capture they help: an active reset of Linux carries the "
			   "timestamp of its connection, a reset that only answers a segment "
			   "carries no options.\n\n"
			   "What to do: leave 1. Danger of 0: fewer connections a second from a "
			   "client with many TIME-WAITs, and on fast links old segments can be "
			   "taken for new ones."),
		.refs = "RFC 7323; Linux net/ipv4/tcp_ipv4.c, tcp_twsk_unique(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_rfc1337",
		.aliases = ALIASES("net.ipv4.tcp_rfc1337", "rfc1337", "assassination"),
		.title = N_("may a RST end a TIME-WAIT: 0 yes, 1 no"),
		.text = N_("0 by default, for each namespace. With 0 a RST that carries exactly "
			   "the next number removes a TIME-WAIT; with 1 the RST is ignored and "
			   "the TIME-WAIT stays. Both were tested with forged packets. The "
			   "kernel's own document words it the wrong way round; judge by this.\n\n"
			   "RFC 1337 calls the first case the assassination of TIME-WAIT. On "
			   "Linux it happens by accident as well: the other end's ACK leaves "
			   "after its FIN, from another CPU; TIME-WAIT answers that old "
			   "segment, the other end has no socket left, answers with RST, and "
			   "TIME-WAIT is gone. In one test this happened to 41 of 300 "
			   "connections. It explains a bare RST after a complete close, and "
			   "fewer TIME-WAITs than closes. Nobody is harmed; the port is free "
			   "early.\n\n"
			   "It does not shorten anything and does not protect living "
			   "connections.\n\n"
			   "What to do: leave it, or set 1 where TIME-WAITs must be counted "
			   "exactly or where forged RSTs are feared. There is no known danger "
			   "in 1, only that accidental early ends no longer free ports."),
		.refs = "RFC 1337; Linux net/ipv4/tcp_minisocks.c, "
			"tcp_timewait_state_process()",
	},
};

const struct topic_table explain_time_wait = { rows, ARRAY_LEN(rows) };
