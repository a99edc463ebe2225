#include "explain/tables.h"
#include "util/i18n.h"

/* Settings that decide how long a connection nobody answers on is kept. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_fin_timeout",
		.aliases = ALIASES("net.ipv4.tcp_fin_timeout", "fin_timeout"),
		.title = N_("how long an orphan may stay in FIN-WAIT-2"),
		.text = N_("Seconds, 60 by default, for each network namespace. After close() a "
			   "connection whose FIN is acknowledged waits this long for the peer's "
			   "FIN. A change does not touch timers that already run. TCP_LINGER2 "
			   "overrides it for one socket. The real time is never shorter than "
			   "3.5 times the retransmission timeout.\n\n"
			   "It is not the length of TIME-WAIT. That is the most copied wrong "
			   "line of tuning advice: with 5 set, a TIME-WAIT still lasted 60 "
			   "seconds. It does not touch CLOSE-WAIT, FIN-WAIT-1, CLOSING or "
			   "LAST-ACK either, nor a FIN-WAIT-2 whose descriptor is still open.\n\n"
			   "Above 60 it does not mean what it says: the time is twice the part "
			   "above 60, 2*(V-60). 61 gives about 2 seconds, 62 about 4, 70 about "
			   "20, 90 gives 60. Only values up to 60, and 120, last as written. "
			   "The kernel accepts any number, even negative ones.\n\n"
			   "What to do: only for thousands of orphaned FIN-WAIT-2 lower it, to "
			   "15 to 30; better set TCP_LINGER2 in the program concerned. Danger: "
			   "peers that answer more slowly lose their connection; their late "
			   "data or FIN is answered with RST, and they see EPIPE or ECONNRESET."),
		.refs = "Linux net/ipv4/tcp.c, __tcp_close(); Linux net/ipv4/tcp_timer.c, "
			"tcp_keepalive_timer(); Linux "
			"Documentation/networking/ip-sysctl.rst; tcp(7)",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_orphan_retries",
		.aliases = ALIASES("net.ipv4.tcp_orphan_retries", "orphan_retries"),
		.title = N_("retries for a connection that nobody owns any more"),
		.text = N_("A count, 0 to 255, for each namespace, read at every "
			   "retransmission. It limits how long the kernel repeats the data or "
			   "FIN of an orphan that nobody acknowledges: FIN-WAIT-1, CLOSING, "
			   "LAST-ACK after close().\n\n"
			   "The default is 0, and 0 means 8, not none: 102 seconds by the "
			   "kernel's reckoning, 102 to 108 as measured. (Once the pauses are "
			   "as long as tcp_rto_max_ms allows, 0 really means none, and after an "
			   "ICMP error every value does.) The kernel "
			   "turns the count into a time from a 0.2 s timeout: 3 is 3 s, 5 is "
			   "12.6 s, 7 is 51 s, 8 is 102.2 s, 9 is 204.6 s. The socket dies at "
			   "the first retransmission after that, so 3 may take 3 to 8 seconds. "
			   "Nothing is sent to the peer then.\n\n"
			   "An orphan behind a closed window is different: its peer answers the "
			   "probes, and it ends when the pause between probes has reached 120 "
			   "s, after about 340 seconds.\n\n"
			   "It does not touch sockets whose descriptor is open (tcp_retries2), "
			   "FIN-WAIT-2 or TIME-WAIT. TCP_USER_TIMEOUT takes its place where it "
			   "is set.\n\n"
			   "What to do: on a web server with many vanished clients 3 to 5. "
			   "Danger: 1 or 2 cut off the end of answers on lossy paths."),
		.refs = "Linux net/ipv4/tcp_timer.c, tcp_orphan_retries(), "
			"retransmits_timed_out(), tcp_model_timeout(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_max_orphans",
		.aliases = ALIASES("net.ipv4.tcp_max_orphans", "max_orphans", "orphan",
				   "orphans"),
		.title = N_("how many closed but unfinished connections the machine may keep"),
		.text = N_("An orphan is a connection the program has closed and the kernel "
			   "still finishes: it has no descriptor, no process, inode 0. The "
			   "limit counts FIN-WAIT-1, CLOSING, LAST-ACK and the long form of "
			   "FIN-WAIT-2 for the whole machine. TIME-WAIT and ordinary FIN-WAIT-2 "
			   "orphans are not in it.\n\n"
			   "The default is half of the TCP hash table (131072 on a machine of "
			   "24 GB). The file exists in the initial namespace only; in a "
			   "container it is missing, which does not mean unlimited. The number "
			   "in use is \"orphan\" in /proc/net/sockstat, machine-wide whoever "
			   "reads it.\n\n"
			   "Above the limit a connection is reset at close() or at its next "
			   "retransmission instead of finishing: TCPAbortOnMemory counts, the "
			   "log says \"too many orphaned sockets\". Sockets that are not "
			   "sending or got an ICMP error count double or fourfold, so it can "
			   "begin at a quarter of the limit.\n\n"
			   "It is not a target. Lowering it resets innocent clients, who lose "
			   "the end of their answer.\n\n"
			   "What to do: find out why orphans pile up, mostly dead peers or "
			   "peers that do not read: TCP_USER_TIMEOUT, tcp_orphan_retries 3 to "
			   "5. Raise it only with memory to spare; each may hold some 64 KiB."),
		.refs = "Linux net/ipv4/tcp.c, tcp_check_oom(); Linux "
			"net/ipv4/tcp_timer.c, tcp_out_of_resources(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_retries2",
		.aliases = ALIASES("net.ipv4.tcp_retries2", "retries2"),
		.title = N_("when an owned connection with unacknowledged data is given up"),
		.text = N_("A count, 15 by default, for each namespace, read at every "
			   "retransmission. It limits how long data or a FIN is repeated on a "
			   "socket that still has a descriptor. The kernel turns it into a time "
			   "from a retransmission timeout of 0.2 s: 15 is 924.6 seconds, 15 "
			   "minutes and 25 seconds; the connection dies at the first "
			   "retransmission after that. The program gets ETIMEDOUT; the peer "
			   "gets nothing, no RST.\n\n"
			   "It applies to ESTABLISHED and CLOSE-WAIT with data that is not "
			   "acknowledged, and to FIN-WAIT-1, CLOSING and LAST-ACK reached by "
			   "shutdown() with the descriptor open.\n\n"
			   "It does not apply to orphans (tcp_orphan_retries), nor to idle "
			   "connections, nor to a peer that keeps its window closed and answers "
			   "the probes: that has no limit. TCP_USER_TIMEOUT replaces it for one "
			   "socket.\n\n"
			   "What to do: leave it, and set TCP_USER_TIMEOUT in the program that "
			   "must notice sooner. The RFC asks for at least 100 seconds, which is "
			   "8. Highly available databases use 5 to 8 knowingly. Danger of less: "
			   "a short outage, a failover or a switch that restarts, kills every "
			   "connection at once."),
		.refs = "Linux net/ipv4/tcp_timer.c, tcp_write_timeout(), "
			"retransmits_timed_out(); RFC 1122 section 4.2.3.5; tcp(7)",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_rto_max_ms",
		.aliases = ALIASES("net.ipv4.tcp_rto_max_ms", "rto_max"),
		.title = N_("the longest pause between two retransmissions"),
		.text = N_("Milliseconds, 120000 by default, for each namespace; since Linux "
			   "6.15. If the file is missing, the maximum is fixed at 120 seconds.\n\n"
			   "Every retransmission doubles the pause until this maximum. The "
			   "times of tcp_retries2 and of larger values of tcp_orphan_retries "
			   "are reckoned with it, so a smaller value shortens them too: what "
			   "takes 15 minutes at 120 seconds takes less. The socket option "
			   "TCP_RTO_MAX_MS does the same for one connection.\n\n"
			   "It is not a timeout itself: no state ends when this time is over, "
			   "and it changes nothing for FIN-WAIT-2, TIME-WAIT or CLOSE-WAIT "
			   "without data to send.\n\n"
			   "What to do: normally nothing. If a connection must notice a dead "
			   "peer sooner, TCP_USER_TIMEOUT says so directly and in milliseconds. "
			   "Danger of a small maximum: more packets into a path that is "
			   "overloaded, and connections given up in outages they would have "
			   "survived."),
		.refs = "Linux net/ipv4/tcp_timer.c, tcp_model_timeout(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_keepalive_time",
		.aliases = ALIASES("net.ipv4.tcp_keepalive_time", "keepalive_time"),
		.title = N_("idle seconds before the first keepalive probe"),
		.text = N_("Seconds, 7200 by default, for each namespace. It is only the "
			   "default of TCP_KEEPIDLE, and it does nothing unless the program "
			   "sets SO_KEEPALIVE, which is off unless asked for. Lowering it does "
			   "nothing for all other programs.\n\n"
			   "With the defaults a silent peer is given up after 7200 + 9 times 75 "
			   "= 7875 seconds, 2 hours 11 minutes 15 seconds. A peer whose "
			   "connection is gone answers the first probe with RST, after 7200 "
			   "seconds. A peer that answers keeps the connection for ever, also "
			   "one in FIN-WAIT-2.\n\n"
			   "A running program feels a lower value late: the timer that is armed "
			   "keeps its expiry, and traffic does not change that. Measured: a "
			   "timer armed for 100 s stayed so after the setting went to 10. "
			   "Turning SO_KEEPALIVE off and on again, or a new connection, takes "
			   "the new value.\n\n"
			   "Myth: \"CLOSE-WAIT goes away after two hours\". Only with "
			   "SO_KEEPALIVE, only if the peer is gone, and the descriptor stays "
			   "leaked.\n\n"
			   "What to do: set the times per socket, below the idle limit of "
			   "firewalls and load balancers on the way: 60 s idle, 10 s interval, "
			   "6 probes. Danger of very small values: needless traffic, and "
			   "connections lost in short outages."),
		.refs = "Linux net/ipv4/tcp_timer.c, tcp_keepalive_timer(); RFC 9293 "
			"section 3.8.4; tcp(7)",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_keepalive_intvl",
		.aliases = ALIASES("net.ipv4.tcp_keepalive_intvl", "keepalive_intvl",
				   "tcp_keepalive_interval"),
		.title = N_("seconds between keepalive probes"),
		.text = N_("Seconds, 75 by default, for each namespace; the default of "
			   "TCP_KEEPINTVL. After the first unanswered probe the next ones "
			   "follow at this pause; after the last of tcp_keepalive_probes one "
			   "more pause passes, then the connection is dropped with ETIMEDOUT "
			   "and the peer is sent a RST.\n\n"
			   "Time from the first probe to the end: interval times probes, with "
			   "the defaults 75 times 9 = 675 seconds. An answer to any probe "
			   "begins the whole count again, with the idle time.\n\n"
			   "It does nothing without SO_KEEPALIVE, and nothing while data is "
			   "unacknowledged: then retransmission (tcp_retries2) decides. "
			   "TIME-WAIT and connections the program has closed are not affected.\n\n"
			   "What to do: set TCP_KEEPINTVL per socket; 10 seconds is usual. Like "
			   "the other keepalive settings it is read when a timer is armed, so a "
			   "change reaches running connections late. Danger: interval times "
			   "probes must be longer than the outages you want to survive."),
		.refs = "Linux net/ipv4/tcp_timer.c, tcp_keepalive_timer(); tcp(7)",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_keepalive_probes",
		.aliases = ALIASES("net.ipv4.tcp_keepalive_probes", "keepalive_probes"),
		.title = N_("unanswered probes before the connection is dropped"),
		.text = N_("A count, 9 by default, for each namespace; the default of "
			   "TCP_KEEPCNT. When so many probes in a row have no answer, the "
			   "connection is dropped one interval after the last: the program gets "
			   "ETIMEDOUT, the peer is sent a RST, TCPAbortOnTimeout counts.\n\n"
			   "It does nothing without SO_KEEPALIVE. With TCP_USER_TIMEOUT set the "
			   "count is not used: the connection goes at the first keepalive timer "
			   "at which it has been idle that long and at least one probe is out. "
			   "Measured: idle 2 s, interval 1 s, 9 probes, TCP_USER_TIMEOUT 4000 "
			   "ended after 4.1 seconds instead of 11.\n\n"
			   "One answer resets the count. A peer that is half-closed and alive "
			   "answers every probe, so this never ends a CLOSE-WAIT or FIN-WAIT-2 "
			   "with such a peer.\n\n"
			   "What to do: 5 or 6 per socket (TCP_KEEPCNT), with an interval of "
			   "about 10 seconds. Danger: a count of 1 or 2 takes one lost packet "
			   "for a dead peer."),
		.refs = "Linux net/ipv4/tcp_timer.c, tcp_keepalive_timer(); tcp(7)",
	},
};

const struct topic_table explain_timers = { rows, ARRAY_LEN(rows) };
