#include "check/table.h"
#include "util/i18n.h"

#define ABOVE(n) { .is_set = true, .start = 0, .end = (n) * INT64_C(1000) }
#define BELOW(s) { .is_set = true, .start = (s) * INT64_C(1000), .end = RANGE_HIGHEST }
#define NEVER { .is_set = false }

enum { MINUTE = 60, HOUR = 60 * MINUTE };

const struct check_row check_rows[N_CHECK_ROWS] = {
	[CHECK_CLOSE_WAIT_LEFT] = {
		.name = "close-wait.left",
		.unit = CHECK_SECONDS,
		/* Who is woken needs some minutes to find out, and some to restart or repair: a quarter of
		 * an hour is what must be left. Within an hour somebody at work can act in time. */
		.warn = BELOW(HOUR),
		.crit = BELOW(15 * MINUTE),
		.rule = "close-wait-leaked-fd",
		.help = "Until the first process is out of descriptors, if its CLOSE-WAITs go on growing.",
		.says = N_("{who} gains {gain} CLOSE-WAIT a minute: EMFILE in {left}"),
		.more = N_("{used} of {limit} descriptors are in use"),
		.fine = N_("no process gains CLOSE-WAITs"),
		.next = N_("close() what its peers have closed"),
		.command = "tcpwhy why pid {pid}",
	},
	[CHECK_CLOSE_WAIT_NOFILE] = {
		.name = "close-wait.nofile",
		.unit = CHECK_PERCENT,
		/* A fifth of all descriptors held for connections that are over is a leak, whatever the
		 * rest is used for. At half, the process has lost half of its limit, and what it works
		 * with has to fit into the other half. */
		.warn = ABOVE(20),
		.crit = ABOVE(50),
		.rule = "close-wait-leaked-fd",
		.says = N_("{who} holds {used} CLOSE-WAIT, {share} of {limit} descriptors"),
		.fine = N_("nobody holds ten descriptors in CLOSE-WAIT"),
		.next = N_("close() what its peers have closed"),
		.command = "tcpwhy why pid {pid}",
	},
	[CHECK_CLOSE_WAIT_COUNT] = {
		.name = "close-wait.count",
		.unit = CHECK_COUNT,
		/* Ten: a failing path, not one slow request. Ten minutes: beyond usual HTTP keep-alive.
		 * Idle pools do not count. A number alone breaks nothing, so it is never critical. */
		.warn = ABOVE(9),
		.crit = NEVER,
		.rule = "close-wait-leaked-fd",
		.says = N_("{who} holds {used} CLOSE-WAIT that are old"),
		.fine = N_("no CLOSE-WAIT is old"),
		.next = N_("close() what its peers have closed"),
		.command = "tcpwhy why pid {pid}",
	},
	[CHECK_CLOSE_WAIT_AGE] = {
		.name = "close-wait.age",
		.unit = CHECK_SECONDS,
		/* An hour is beyond the idle time of any pool: whoever holds it has forgotten it. One
		 * forgotten connection is nothing to wake anybody for. */
		.warn = ABOVE(HOUR),
		.crit = NEVER,
		.rule = "close-wait-leaked-fd",
		.says = N_("{who} holds a CLOSE-WAIT for {oldest}, from {peer}"),
		.fine = N_("no CLOSE-WAIT"),
		.next = N_("close() what its peers have closed"),
		.command = "tcpwhy why pid {pid}",
	},
	[CHECK_PORTS_LEFT] = {
		.name = "ports.left",
		.unit = CHECK_SECONDS,
		/* As for descriptors. */
		.warn = BELOW(HOUR),
		.crit = BELOW(15 * MINUTE),
		.rule = "time-wait-port-exhaustion",
		.help = "Until connect() to the first destination fails, if its connections go on growing.",
		.says = N_("no local port to {peer} in {left}: {gain} more a minute"),
		.more = N_("{used} of {limit} are taken"),
		.fine = N_("no destination uses more and more local ports"),
		.next = N_("keep connections to it alive and pool them"),
		.command = "tcpwhy why",
	},
	[CHECK_PORTS] = {
		.name = "ports.share",
		.unit = CHECK_PERCENT,
		/* At 80 % there is time to act at usual growth; at 95 % the search in connect() is long
		 * and bursts fail. */
		.warn = ABOVE(80),
		.crit = ABOVE(95),
		.rule = "time-wait-port-exhaustion",
		.says = N_("{used} of {limit} local ports to {peer} are taken ({share})"),
		.fine = N_("no local port of the range is in use"),
		.next = N_("keep connections to it alive and pool them"),
		.command = "tcpwhy why",
	},
	[CHECK_ACCEPT_QUEUE] = {
		.name = "accept-queue.share",
		.unit = CHECK_PERCENT,
		/* A queue holds one more than its backlog; beyond 99 % it is full, and clients get no
		 * answer. At 80 % a burst fills it. */
		.warn = ABOVE(80),
		.crit = ABOVE(99),
		.rule = "accept-queue-full",
		.says = N_("the accept queue of {who} at {local} has {used} of {limit} places taken"),
		.fine = N_("no listener with a queue"),
		.next = N_("see what it does instead of accept()"),
		.command = "tcpwhy why pid {pid}",
	},
	[CHECK_ACCEPT_QUEUE_OVERFLOWS] = {
		.name = "accept-queue.overflows",
		.unit = CHECK_A_MINUTE,
		/* Whoever is turned away tries again after a second. Some are a burst; at one a second
		 * somebody waits at every moment. */
		.warn = ABOVE(10),
		.crit = ABOVE(60),
		.rule = "accept-queue-full",
		.says = N_("{gain} {gain:attempt|attempts} to connect turned away in {since}, likely by {who} at {local}"),
		.more = N_("a full accept queue; named is the listener that turned most away since, for whatever reason"),
		.fine = N_("no client met a full accept queue"),
		.next = N_("see what it does instead of accept()"),
		.command = "tcpwhy why pid {pid}",
	},
	[CHECK_ORPHANS] = {
		.name = "orphans.share",
		.unit = CHECK_PERCENT,
		/* The kernel multiplies by up to four before it compares with tcp_max_orphans: some are
		 * reset from a quarter on, at half it is no exception any more. */
		.warn = ABOVE(50),
		.crit = ABOVE(80),
		.rule = "orphans-near-limit",
		.says = N_("{used} of {limit} orphans ({share})"),
		.more = N_("they are closed, and nobody acknowledges their last data"),
		.fine = N_("no orphans"),
		.next = N_("find the peers that are gone"),
		.command = "tcpwhy list orphan",
	},
	[CHECK_ORPHANS_ABORTS] = {
		.name = "orphans.aborts",
		.unit = CHECK_A_MINUTE,
		/* A limit was reached that healthy life is far from, and answers are cut off. */
		.warn = ABOVE(0),
		.crit = ABOVE(0),
		.rule = "orphans-near-limit",
		.says = N_("{gain} {gain:connection was|connections were} reset for want of memory in {since}"),
		.more = N_("too many orphans, or TCP's memory is used up"),
		.fine = N_("no connection was reset for want of memory"),
		.next = N_("compare with tcp_max_orphans and tcp_mem"),
		.command = "tcpwhy audit",
	},
	[CHECK_CONNTRACK] = {
		.name = "conntrack.share",
		.unit = CHECK_PERCENT,
		/* At 80 % there is time to act; when it is full, new connections are dropped. */
		.warn = ABOVE(80),
		.crit = ABOVE(95),
		.rule = "conntrack-near-limit",
		.says = N_("{used} of {limit} entries of connection tracking are in use"),
		.fine = N_("nothing is tracked"),
		.next = N_("raise nf_conntrack_max, or take heavy flows out of it"),
		.command = "tcpwhy why",
	},
	[CHECK_TW_BUCKETS] = {
		.name = "tw-buckets.share",
		.unit = CHECK_PERCENT,
		/* Beyond the limit connections end without TIME-WAIT, which most survive: no emergency.
		 * Their number below the limit is nothing to judge. */
		.warn = ABOVE(90),
		.crit = NEVER,
		.rule = "time-wait-bucket-overflow",
		.says = N_("{used} of {limit} places for TIME-WAIT are taken"),
		.fine = N_("no TIME-WAIT"),
		.next = N_("keep connections alive and pool them, then raise tcp_max_tw_buckets"),
		.command = "tcpwhy why state time-wait",
	},
	[CHECK_TW_BUCKETS_OVERFLOWS] = {
		.name = "tw-buckets.overflows",
		.unit = CHECK_A_MINUTE,
		/* None in healthy life. Most connections survive it, so it is no emergency. */
		.warn = ABOVE(0),
		.crit = NEVER,
		.rule = "time-wait-bucket-overflow",
		.says = N_("{gain} {gain:connection|connections} ended without TIME-WAIT in {since}"),
		.more = N_("all places were taken"),
		.fine = N_("no connection had to end without TIME-WAIT"),
		.next = N_("raise tcp_max_tw_buckets"),
		.command = "tcpwhy why state time-wait",
	},
	[CHECK_FIN_WAIT_2] = {
		.name = "fin-wait-2.held.age",
		.unit = CHECK_SECONDS,
		/* Ten minutes without a byte are beyond usual HTTP keep-alive, and no timer runs. It may
		 * be meant: never critical. */
		.warn = ABOVE(10 * MINUTE),
		.crit = NEVER,
		.rule = "fin-wait-2-held",
		.says = N_("{who} waits in FIN-WAIT-2 for {peer} since {oldest}, without a limit"),
		.fine = N_("no FIN-WAIT-2 is held"),
		.next = N_("give the wait after shutdown() a deadline"),
		.command = "tcpwhy why pid {pid}",
	},
};
