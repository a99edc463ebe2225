#include "explain/tables.h"
#include "util/i18n.h"

/* Connection tracking. Its state names are the firewall's own, which is the root of most myths. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_max",
		.aliases = ALIASES("net.netfilter.nf_conntrack_max", "nf_conntrack_count",
				   "net.netfilter.nf_conntrack_count", "conntrack",
				   "conntrack_max", "conntrack_count", "nf_conntrack"),
		.title = N_("size of the firewall's connection table"),
		.text = N_("A count; it applies to each namespace's own number of entries, "
			   "nf_conntrack_count, but can be changed in the initial namespace "
			   "only. When the table is full, new connections are dropped without "
			   "an answer, and the log says \"nf_conntrack: table full, dropping "
			   "packet\". Clients hang in SYN-SENT while existing connections go "
			   "on.\n\n"
			   "That the files exist does not mean that anything is tracked: the "
			   "module may be loaded without a rule that needs it. Tracking is on "
			   "where nf_conntrack_count is above 0.\n\n"
			   "An entry is not a socket. It outlives the connection: 120 seconds "
			   "after an ordinary close, 10 after a RST, and 5 days for an "
			   "established connection that vanished in silence. It takes about 256 "
			   "bytes and more for extensions.\n\n"
			   "What to do: compare count and max; watch drop and early_drop in "
			   "/proc/net/stat/nf_conntrack. Raise the maximum, or do not track "
			   "what needs no tracking (notrack rules for a busy service). Danger "
			   "of shortening the timeouts instead: connections that are alive and "
			   "silent are cut, see nf_conntrack_tcp_timeout_close_wait and "
			   "nf_conntrack_tcp_timeout_established."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_core.c",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_buckets",
		.aliases = ALIASES("net.netfilter.nf_conntrack_buckets", "conntrack_buckets"),
		.title = N_("hash table behind the connection tracking"),
		.text = N_("The number of buckets of the table in which the firewall finds a "
			   "connection. Like nf_conntrack_max it can be changed in the initial "
			   "namespace only, and all namespaces share the table.\n\n"
			   "It is not a limit. Entries beyond it still fit; every lookup only "
			   "takes a little longer, because more entries hang in one bucket. The "
			   "limit is nf_conntrack_max.\n\n"
			   "It ends no connection and no socket. It is a matter of speed for a "
			   "firewall or a node with hundreds of thousands of flows.\n\n"
			   "What to do: when nf_conntrack_max is raised by a large factor, "
			   "raise this as well, so that it stays near the number of entries "
			   "really used. Otherwise leave it. Danger: a large table costs memory "
			   "at once, 8 bytes a bucket, whether it is used or not; changing it "
			   "rebuilds the table while traffic waits for a moment."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_core.c, nf_conntrack_hash_resize()",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_timeout_close_wait",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_timeout_close_wait",
				   "timeout_close_wait", "conntrack_close_wait"),
		.title = N_("how long the firewall remembers a half-closed connection"),
		.text = N_("Seconds, 60 by default, for each namespace. The firewall's own name "
			   "for a connection of which it has seen one FIN and its ACK, but not "
			   "the other FIN, is CLOSE_WAIT. After 60 seconds without a packet it "
			   "forgets that connection.\n\n"
			   "It is not the socket state CLOSE-WAIT, and it ends no socket: that "
			   "is a popular myth. Lowering it \"against CLOSE_WAIT\" breaks "
			   "half-closed connections that are in order.\n\n"
			   "What goes wrong at 60 seconds already: a client sends its request "
			   "and shuts down its sending side, the server computes for two "
			   "minutes. The firewall has forgotten the connection; where addresses "
			   "are translated or unknown packets dropped, the answer is lost. The "
			   "server then hangs in LAST-ACK, the client in FIN-WAIT-2, for ever "
			   "if it holds the descriptor.\n\n"
			   "What to do: do not half-close through firewalls when an answer may "
			   "take longer, or send something at least every 60 seconds. On the "
			   "firewall raise this value above the longest half-close. A change "
			   "reaches an entry with its next packet. Danger of raising: entries "
			   "live longer, the table needs room."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_timeout_established",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_timeout_established",
				   "timeout_established"),
		.title = N_("how long the firewall remembers an idle connection"),
		.text = N_("Seconds, 432000 by default: 5 days, for each namespace. After so "
			   "long without a packet the firewall forgets an open connection.\n\n"
			   "It does not close anything. Both ends stay ESTABLISHED and learn "
			   "nothing. What comes later is dropped or answered by RST, or, with "
			   "nf_conntrack_tcp_loose at 1, taken for a new connection without its "
			   "address translation. Idle pools die this way: the first request "
			   "after the pause fails with ECONNRESET or hangs until a timeout.\n\n"
			   "Hardware firewalls, NAT gateways and cloud load balancers have the "
			   "same kind of limit, only shorter: 350 seconds or 4 minutes are "
			   "common.\n\n"
			   "A keepalive probe counts as a packet and keeps the entry alive.\n\n"
			   "What to do: set keepalive in the programs, idle time and interval "
			   "below the shortest limit on the way; on this firewall keep the "
			   "value above the longest keepalive, with a margin. If the table is "
			   "full of dead entries, some hours are more sensible than 5 days. "
			   "Danger of short values: silent connections break without any sign "
			   "at either end."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c; RFC 5382",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_timeout_fin_wait",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_timeout_fin_wait",
				   "timeout_fin_wait"),
		.title = N_("how long the firewall waits for the ACK of a FIN"),
		.text = N_("Seconds, 120 by default, for each namespace. The firewall calls a "
			   "connection FIN_WAIT when it has seen one FIN that is not "
			   "acknowledged yet. With the ACK it becomes its CLOSE_WAIT, which "
			   "lasts only 60 seconds.\n\n"
			   "It has nothing to do with the socket states FIN-WAIT-1 and "
			   "FIN-WAIT-2 beyond the name, and it does not end them: an orphaned "
			   "FIN-WAIT-2 obeys tcp_fin_timeout, one with a descriptor has no "
			   "limit.\n\n"
			   "Normally the ACK comes within milliseconds, so an entry is here "
			   "only for a moment. It stays if the peer is dead or its ACK takes "
			   "another path that this firewall does not see.\n\n"
			   "What to do: leave it. If many entries of /proc/net/nf_conntrack are "
			   "in FIN_WAIT, traffic is probably asymmetric. Danger of lowering: "
			   "the FIN of a connection on a bad path, which Linux repeats for 102 "
			   "seconds or longer, is no longer translated or let through."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_timeout_last_ack",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_timeout_last_ack",
				   "timeout_last_ack"),
		.title = N_("how long the firewall waits for the last ACK"),
		.text = N_("Seconds, 30 by default, for each namespace. The firewall calls a "
			   "connection LAST_ACK when it has seen both FINs and waits for the "
			   "ACK of the second one; with it the entry becomes TIME_WAIT.\n\n"
			   "It is not the socket state LAST-ACK and does not end it: a socket "
			   "repeats its FIN for 102 to 108 seconds as an orphan, for some 15 "
			   "minutes with its descriptor open.\n\n"
			   "If the last ACK is lost on the far side of the firewall, the FIN is "
			   "repeated and each repetition refreshes the entry. The pauses "
			   "double, and when one exceeds this time, the entry is gone and the "
			   "next FIN may be dropped or not translated.\n\n"
			   "What to do: leave it. Many LAST-ACK sockets behind a firewall have "
			   "their cause in a forgotten entry more often in "
			   "nf_conntrack_tcp_timeout_close_wait, 60 seconds. Danger of "
			   "lowering: sockets on one side hang in LAST-ACK until they give up."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_timeout_time_wait",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_timeout_time_wait",
				   "timeout_time_wait"),
		.title = N_("how long the firewall remembers a closed connection"),
		.text = N_("Seconds, 120 by default, for each namespace. When the firewall has "
			   "seen both FINs and their ACKs, it keeps its entry this long, to let "
			   "repeated FINs and late ACKs through.\n\n"
			   "It is not the socket's TIME-WAIT, which lasts 60 seconds on one of "
			   "the two hosts and cannot be set. Lowering this value does not "
			   "reduce the TIME-WAIT rows of ss, and frees no local ports of a "
			   "host; that is a common mistake.\n\n"
			   "It matters for the table: a firewall or node with 1000 new "
			   "connections a second holds 120,000 entries of closed ones. When "
			   "nf_conntrack_count comes near nf_conntrack_max, new connections are "
			   "dropped.\n\n"
			   "With address translation the translated port usually stays taken "
			   "towards that destination for as long.\n\n"
			   "What to do: prefer a larger table, or do not track busy services. "
			   "If it must be shorter, 60 seconds still cover the socket's "
			   "TIME-WAIT. Danger of less: a repeated FIN finds no entry, is not "
			   "translated, and the peer hangs in LAST-ACK or gets a RST."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_timeout_close",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_timeout_close",
				   "timeout_close"),
		.title = N_("how long the firewall remembers a connection after a RST"),
		.text = N_("Seconds, 10 by default, for each namespace. When the firewall has "
			   "seen an acceptable RST, it calls the connection CLOSE and forgets "
			   "it after this time.\n\n"
			   "It does not close connections and sets no socket's life. It only "
			   "says how long late packets of a connection that was reset are still "
			   "recognised and translated.\n\n"
			   "One trap: Linux ignores a RST whose number is in the window but not "
			   "exactly the next one, and answers with a challenge ACK. The "
			   "connection lives on at both ends, while the firewall may already "
			   "count it as ended and forget it sooner.\n\n"
			   "What to do: leave it. After a flood of resets the table empties "
			   "quickly by itself. Danger of raising: entries of dead connections "
			   "fill the table; of lowering: repeated segments of a reset "
			   "connection are dropped as unknown, which hardly matters."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_timeout_unacknowledged",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_timeout_unacknowledged",
				   "nf_conntrack_tcp_timeout_max_retrans",
				   "net.netfilter.nf_conntrack_tcp_timeout_max_retrans",
				   "timeout_unacknowledged", "timeout_max_retrans"),
		.title = N_("how long the firewall waits when data is not acknowledged"),
		.text = N_("Two settings, seconds, 300 each by default, for each namespace. "
			   "nf_conntrack_tcp_timeout_max_retrans replaces the longer timeout of "
			   "a state after several repetitions of the same segment without an "
			   "answer; nf_conntrack_tcp_timeout_unacknowledged does so while data "
			   "is outstanding without an ACK.\n\n"
			   "They do not end sockets. A host with unacknowledged data goes on "
			   "repeating it for about 15 minutes (tcp_retries2), its pauses "
			   "growing to 120 seconds. Each repetition refreshes the entry, so "
			   "with 300 seconds the firewall still knows the connection.\n\n"
			   "They make sure that connections whose peer died in the middle of a "
			   "transfer do not stay in the table for 5 days.\n\n"
			   "What to do: leave them. If connections do not survive an outage of "
			   "some minutes, check whether these values were lowered below 120 "
			   "seconds: then an entry can vanish between two repetitions, and the "
			   "packet that would have repaired the connection is dropped. Danger "
			   "of raising: more dead entries in the table, nothing else."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, "
			"nf_conntrack_tcp_packet()",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_timeout_syn_sent",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_timeout_syn_sent",
				   "nf_conntrack_tcp_timeout_syn_recv",
				   "net.netfilter.nf_conntrack_tcp_timeout_syn_recv",
				   "timeout_syn_sent", "timeout_syn_recv"),
		.title = N_("how long the firewall remembers an unfinished handshake"),
		.text = N_("Two settings, seconds, for each namespace: "
			   "nf_conntrack_tcp_timeout_syn_sent, 120 by default, counts from a "
			   "SYN without an answer; nf_conntrack_tcp_timeout_syn_recv, 60, from "
			   "the SYN-ACK until the handshake's last ACK.\n\n"
			   "They do not limit connect(). A client repeats its SYN for about two "
			   "minutes by itself and then gets ETIMEDOUT; a server repeats its "
			   "SYN-ACK for about one minute. Those are tcp_syn_retries and "
			   "tcp_synack_retries on the hosts.\n\n"
			   "They matter for the table: a scan or a flood of SYNs through the "
			   "firewall leaves an entry for each, for this long. When the table is "
			   "full, new connections of everybody are dropped.\n\n"
			   "They have no effect on closing.\n\n"
			   "What to do: leave them. During a flood lower them for its duration, "
			   "or let the firewall answer SYNs itself (synproxy). Danger of short "
			   "values: clients on slow or lossy paths do not get through, because "
			   "the SYN-ACK comes when the entry is gone."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, tcp_conntracks",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_loose",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_loose", "tcp_loose"),
		.title = N_("may the firewall pick up a connection in the middle"),
		.text = N_("1 by default, for each namespace: a packet in the middle of an "
			   "unknown connection makes a new entry. 0: only a SYN does.\n\n"
			   "It matters after a restart of the firewall, after its table was "
			   "flushed or was full, and when a silent connection was forgotten. "
			   "With 1 such connections go on, if they need no address translation: "
			   "the mapping is lost with the entry, so connections through NAT "
			   "break in any case, usually with a RST from a host that has no such "
			   "connection.\n\n"
			   "With 0 every packet of a forgotten connection is invalid, and rules "
			   "that drop invalid packets make both ends hang until a timeout: "
			   "LAST-ACK and FIN-WAIT-1 for about 102 to 108 seconds as orphans, "
			   "FIN-WAIT-2 with an open descriptor for ever.\n\n"
			   "It is not a protection against forged segments; hosts check the "
			   "numbers themselves.\n\n"
			   "What to do: leave 1, unless policy demands 0. Danger of 0: after a "
			   "failover of the firewall all existing connections end in silence."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, tcp_new()",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "nf_conntrack_tcp_be_liberal",
		.aliases = ALIASES("net.netfilter.nf_conntrack_tcp_be_liberal",
				   "nf_conntrack_tcp_ignore_invalid_rst",
				   "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst",
				   "be_liberal", "ignore_invalid_rst"),
		.title = N_("does the firewall accept segments outside the window"),
		.text = N_("0 by default, for each namespace. The firewall follows sequence "
			   "numbers and marks what is outside the window as INVALID. With 1 "
			   "only RSTs outside the window are marked. "
			   "nf_conntrack_tcp_ignore_invalid_rst, 0 by default and in newer "
			   "kernels only, lifts the mark from those RSTs as well.\n\n"
			   "Why it matters at the end of connections: a packet marked INVALID "
			   "is not translated. On Kubernetes and docker hosts it then reaches "
			   "the client with the wrong address; the client knows no such "
			   "connection and answers with RST, and a good connection dies with "
			   "ECONNRESET. Rules that drop \"ct state invalid\" lose late packets "
			   "instead.\n\n"
			   "It is not a cure for resets in general: most are sent by an "
			   "application that closed with data unread, or by a host without the "
			   "connection. Prove it with a capture: a packet with an untranslated "
			   "address, and the RST to it.\n\n"
			   "What to do: drop INVALID packets in the forward path instead of "
			   "letting them pass untranslated; or set 1 where large windows and "
			   "loss make the tracker err. Danger: the firewall's check against "
			   "forged segments becomes weaker; the hosts' own check stays."),
		.refs = "Linux Documentation/networking/nf_conntrack-sysctl.rst; Linux "
			"net/netfilter/nf_conntrack_proto_tcp.c, tcp_in_window()",
	},
};

const struct topic_table explain_conntrack = { rows, ARRAY_LEN(rows) };
