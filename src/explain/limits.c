#include "explain/tables.h"
#include "util/i18n.h"

/* Rate limits, memory and descriptors. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_challenge_ack_limit",
		.aliases = ALIASES("net.ipv4.tcp_challenge_ack_limit", "challenge_ack_limit",
				   "challenge ACK"),
		.title = N_("how many challenge ACKs a second"),
		.text = N_("Challenge ACKs a second. Since Linux 6.0, and in stable kernels "
			   "that took the change, it is 2147483647, which means no limit, and "
			   "belongs to each namespace; before, 1000 and host-wide, and 100 in "
			   "the oldest.\n\n"
			   "A challenge ACK is the answer to a SYN on a living connection, and "
			   "to a RST whose number lies in the window but is not exactly the "
			   "next one. The connection lives on. If the sender really has no "
			   "connection any more, it answers with a RST that carries the exact "
			   "number, and that one counts. In a capture RST, ACK, RST is this "
			   "mechanism and not a fault; and a RST alone does not prove that the "
			   "connection ended.\n\n"
			   "TCPChallengeACK and TCPSYNChallenge count.\n\n"
			   "It does not end or keep any state. When a client that crashed "
			   "connects again with the same ports, the server's challenge ACK and "
			   "the client's RST clear the old connection, and the SYN is repeated "
			   "after 10 to 16 ms.\n\n"
			   "What to do: leave it. Danger: a small limit shared by the host let "
			   "strangers find out connections and their numbers; that was "
			   "CVE-2016-5696."),
		.refs = "RFC 5961; Linux net/ipv4/tcp_input.c, tcp_send_challenge_ack(); "
			"CVE-2016-5696",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_invalid_ratelimit",
		.aliases = ALIASES("net.ipv4.tcp_invalid_ratelimit", "invalid_ratelimit"),
		.title = N_("how often a segment outside the window is answered"),
		.text = N_("Milliseconds, 500 by default, since Linux 3.19, for each namespace. "
			   "It is the smallest pause between two duplicate ACKs that one "
			   "connection sends in answer to segments it cannot accept: old ones, "
			   "repeated ones, numbers outside the window. TIME-WAIT and unfinished "
			   "handshakes obey it too.\n\n"
			   "It prevents loops: two hosts that disagree about a connection would "
			   "otherwise answer each other's ACKs for ever.\n\n"
			   "What it means at the end of a connection: a TIME-WAIT answers stray "
			   "segments at most every half second, so not every repeated FIN in a "
			   "capture is answered at once, and the other end stays a little "
			   "longer in LAST-ACK. The same holds for probes of a closed window: "
			   "an unanswered one is no proof of a dead peer.\n\n"
			   "It does not limit RSTs or ordinary ACKs, and ends no state.\n\n"
			   "What to do: leave it. Danger of 0, which switches the limit off: "
			   "ACK loops may fill a link. Danger of large values: a peer waits "
			   "longer for the ACK that would let it finish."),
		.refs = "Linux net/ipv4/tcp_input.c, tcp_oow_rate_limited(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_mem",
		.aliases = ALIASES("net.ipv4.tcp_mem"),
		.title = N_("memory for all TCP sockets of the machine, in pages"),
		.text = N_("Three numbers, counted in pages of usually 4 KiB: below the first "
			   "TCP is free, above the second it saves, the third is the maximum. "
			   "They are computed from the memory at boot. It holds for the whole "
			   "machine; the file exists in the initial namespace only, a container "
			   "cannot read it. In use: \"mem\" in /proc/net/sockstat, also in "
			   "pages and machine-wide.\n\n"
			   "Above the maximum allocation fails, and orphans with queued data "
			   "are reset: TCPAbortOnMemory counts, the log says \"out of memory -- "
			   "consider tuning tcp_mem\".\n\n"
			   "TIME-WAIT is not in it. Unread data is: even an unread FIN holds a "
			   "page. 60,000 CLOSE-WAITs with Recv-Q 1 held 59,841 pages, all freed "
			   "once the program read the end. So a leak in one container can use "
			   "up the memory of every other one on the machine.\n\n"
			   "What to do: find who does not read: rows with a large Recv-Q, "
			   "CLOSE-WAIT with Recv-Q 1 or more. Raise it only on a machine that "
			   "needs large buffers for many connections. Danger: it is memory that "
			   "cannot be swapped out. Buffer sizes per socket are another setting, "
			   "tcp_rmem and tcp_wmem."),
		.refs = "tcp(7); Linux net/ipv4/tcp.c, tcp_check_oom(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "file-max",
		.aliases = ALIASES("fs.file-max", "file-nr", "fs.file-nr"),
		.title = N_("open files of the whole machine"),
		.text = N_("A count for the whole machine, by default about one for every 10 "
			   "KiB of memory; newer systemd raises it to the maximum. "
			   "/proc/sys/fs/file-nr shows the number in use, 0, and this limit. "
			   "When it is reached, open(), socket() and accept() fail with ENFILE, "
			   "except for tasks with CAP_SYS_ADMIN.\n\n"
			   "Every open socket is one such file, whatever its state, also a "
			   "connection that is finished but not closed by its program. "
			   "TIME-WAIT and orphans are not counted: they have no file.\n\n"
			   "It is rarely the limit that is hit. \"Too many open files\" is "
			   "EMFILE, the limit of one process (RLIMIT_NOFILE); raising file-max "
			   "does not change that. ENFILE says \"Too many open files in "
			   "system\".\n\n"
			   "What to do: when ENFILE appears, find the process with the most "
			   "descriptors first (count /proc/PID/fd); a leak in CLOSE-WAIT or of "
			   "finished sockets is a common cause. Raise the limit as a stop-gap. "
			   "Danger: each open file and its socket takes kernel memory, several "
			   "kilobytes for a TCP connection."),
		.refs = "proc_sys_fs(5); Linux fs/file_table.c, alloc_empty_file(); "
			"open(2)",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nr_open",
		.aliases = ALIASES("fs.nr_open"),
		.title = N_("the highest limit of descriptors a process may ask for"),
		.text = N_("A count for the whole machine, 1048576 by default. No process can "
			   "raise RLIMIT_NOFILE, soft or hard, above it; setrlimit() then fails "
			   "with EPERM, for root too. systemd's LimitNOFILE and docker's "
			   "--ulimit meet the same bound.\n\n"
			   "It is not a limit in force by itself: a process stops at its own "
			   "RLIMIT_NOFILE, which is usually far lower (1024 soft by default). "
			   "Raising nr_open gives nobody more descriptors until the limit of "
			   "the process is raised as well. It is not the machine's total "
			   "either; that is file-max.\n\n"
			   "What it means for closing: nothing directly. A program that leaks "
			   "descriptors in CLOSE-WAIT reaches any limit; a higher one only "
			   "moves the day.\n\n"
			   "What to do: raise it only for a process that really serves more "
			   "than a million connections at once, together with its "
			   "RLIMIT_NOFILE. Danger: some programs close every possible "
			   "descriptor number when they start a child, and take minutes with a "
			   "limit in the hundreds of millions."),
		.refs = "proc_sys_fs(5); getrlimit(2); Linux fs/file.c, alloc_fd()",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "RLIMIT_NOFILE",
		.aliases = ALIASES("nofile", "ulimit", "ulimit -n", "LimitNOFILE",
				   "max open files"),
		.title = N_("how many descriptors one process may have"),
		.text = N_("A limit of each process, soft and hard: /proc/PID/limits, line "
			   "\"Max open files\". The kernel starts with 1024 and 4096; systemd "
			   "gives a hard limit of 524288. accept(), socket() and open() fail "
			   "with EMFILE when the lowest free number reaches the soft limit.\n\n"
			   "That is where leaks in CLOSE-WAIT end. accept() fails, new clients "
			   "wait unaccepted in the queue and turn into CLOSE-WAIT with inode 0, "
			   "and an event loop that asks for readable listeners spins at 100 % "
			   "CPU.\n\n"
			   "TIME-WAIT and orphans use no descriptor. \"Raise ulimit against "
			   "CLOSE-WAIT\" only postpones the failure by a constant time.\n\n"
			   "How to change it: limits.conf for new sessions, LimitNOFILE= in a "
			   "systemd unit and a restart, or for a running process prlimit --pid "
			   "PID --nofile=SOFT:HARD, at once.\n\n"
			   "What to do: compare the number of entries in /proc/PID/fd with the "
			   "soft limit; find the leak first. A server that legitimately holds "
			   "many connections needs a higher limit. In the program: handle "
			   "EMFILE, keep a spare descriptor to accept and close with. Danger of "
			   "a very high soft limit: programs that use select() break with "
			   "descriptors of 1024 and more."),
		.refs = "getrlimit(2); prlimit(1); systemd.exec(5); Linux fs/file.c, "
			"alloc_fd()",
	},
};

const struct topic_table explain_limits = { rows, ARRAY_LEN(rows) };
