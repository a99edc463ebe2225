#include "talk.h"

/* A conversation, and what is known of each of its resets, which is what was known when it came:
 *
 *	SHAPE TRIGGER [answers] [next] [own-fin[-acked]] [peer-fin[-acked]] [old] [challenge] [went-on]
 *	[+bytes sent] [-bytes heard] [since=] [after=] idle= gap= [probes= every=] [copies=] [xTIMES] [SIGN]
 *
 * `since` and `after` are bytes of the other end, since this end's last ones and after its FIN; signs that
 * somebody else sent it are in capitals. In brackets: it ended nothing, it refused the connection, or packets
 * seem to be missing. */

#define HANDSHAKE "0 c S 100 0", "1 s SA 500 101", "2 c A 101 501"
#define REQUEST HANDSHAKE, "10 c PA 101 501 50"
#define REQUEST_TS "0 c S 100 0 ts", "1 s SA 500 101 ts", "2 c A 101 501 ts", "10 c PA 101 501 50 ts"
#define ANSWERED REQUEST, "11 s PA 501 151 30", "12 c A 151 531"

static void put(char *to, size_t size, bool is_so, const char *format, ...)
{
	size_t n = strlen(to);
	va_list args;

	if (!is_so)
		return;
	va_start(args, format);
	vsnprintf(to + n, size - n, format, args);
	va_end(args);
}

static void describe(const struct flow_rst *r, char *to, size_t size)
{
	static const char *const shapes[] = { "active", "reply", "odd" };
	static const char *const triggers[] = {
		[TRIGGER_NONE] = "none", [TRIGGER_SYN] = "syn", [TRIGGER_SYN_ACK] = "syn-ack",
		[TRIGGER_ACK] = "ack",	 [TRIGGER_DATA] = "data", [TRIGGER_FIN] = "fin",
		[TRIGGER_PROBE] = "probe", [TRIGGER_RST] = "rst",
	};

	put(to, size, true, "%s %s", shapes[r->shape], triggers[r->trigger]);
	put(to, size, r->answers_trigger, " answers");
	put(to, size, r->seq_is_next, " next");
	put(to, size, r->after_own_fin, " own-fin%s", r->own_fin_acked ? "-acked" : "");
	put(to, size, r->after_peer_fin, " peer-fin%s", r->peer_fin_acked ? "-acked" : "");
	put(to, size, !r->after_own_fin && r->own_fin_acked, " own-acked?");
	put(to, size, !r->after_peer_fin && r->peer_fin_acked, " peer-acked?");
	put(to, size, r->of_old_incarnation, " old");
	put(to, size, r->is_challenge_pair, " challenge");
	put(to, size, r->sender_went_on, " went-on");
	put(to, size, r->sender_bytes, " +%u", (unsigned)r->sender_bytes);
	put(to, size, r->peer_bytes, " -%u", (unsigned)r->peer_bytes);
	put(to, size, r->peer_bytes_since_own, " since=%u", (unsigned)r->peer_bytes_since_own);
	put(to, size, r->peer_bytes_after_own_fin, " after=%u", (unsigned)r->peer_bytes_after_own_fin);
	put(to, size, r->idle_ns != TIME_NONE, " idle=%g", (double)r->idle_ns / 1e6);
	put(to, size, r->trigger_gap_ns != TIME_NONE, " gap=%g", (double)r->trigger_gap_ns / 1e6);
	put(to, size, r->probes_unanswered, " probes=%u", r->probes_unanswered);
	put(to, size, r->probe_interval_ns != TIME_NONE, " every=%g", (double)r->probe_interval_ns / 1e6);
	put(to, size, r->retransmissions_unanswered, " copies=%u", r->retransmissions_unanswered);
	put(to, size, r->repeats, " x%u", r->repeats + 1);
	put(to, size, r->ttl_differs, " TTL");
	put(to, size, r->window_is_odd, " WINDOW");
	put(to, size, r->options_are_odd, " OPTIONS");
	put(to, size, r->id_is_odd, " ID");
}

#define SAID (const char *[])

static const struct {
	const char *const *lines;
	const char *want;
} rows[] = {
	/* The number that the other side has acknowledged last: then it answers. */
	{ SAID{ REQUEST, "12 s R 501 0", NULL },
	  "reply data answers next -50 since=50 idle=8 gap=2" },
	{ SAID{ REQUEST, "12 s RA 501 151 win=501", NULL },
	  "active data answers next -50 since=50 idle=2 gap=2" },
	{ SAID{ REQUEST, "12 s R 777 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2" },
	{ SAID{ HANDSHAKE, "10 s PA 501 101 30", "11 c A 101 531", "12 c PA 101 501 50",
		"13 s R 501 0", NULL },
	  "reply data answers +30 -50 since=50 idle=1 gap=1" },
	{ SAID{ HANDSHAKE, "10 s PA 501 101 30", "11 c A 101 531", "12 c PA 101 501 50",
		"13 s R 531 0", NULL },
	  "reply data next +30 -50 since=50 idle=1 gap=1" },
	{ SAID{ HANDSHAKE, "10 s PA 501 101 30", "11 c A 101 531", "12 c PA 101 501 50",
		"13 c A 151 531", "14 s R 531 0", NULL },
	  "reply ack answers next +30 -50 since=50 idle=1 gap=1" },
	{ SAID{ REQUEST, "12 c R 151 0", "13 s R 501 0", NULL },
	  "reply syn-ack next +50 idle=2 gap=11; "
	  "reply rst next -50 since=50 idle=1 gap=1" },
	{ SAID{ "0 s RA 0 0", NULL },
	  "reply none idle=0" },
	{ SAID{ "0 c P 100 0 10", "1 s RA 5 110", NULL },
	  "odd data answers -10 since=10 idle=1 gap=1" },
	{ SAID{ "0 c P 100 0 10", "1 s RA 5 111", NULL },
	  "odd data -10 since=10 idle=1 gap=1" },
	/* A SYN is answered by its acknowledgement alone. */
	{ SAID{ "0 c S 100 0", "1 s RA 0 101", NULL },
	  "reply syn answers idle=0 gap=1 [refused]" },
	{ SAID{ "0 c S 100 0", "1 s RA 333 101", NULL },
	  "odd syn answers idle=1 gap=1 [refused]" },
	{ SAID{ "0 c S 100 0", "1 s R 0 0", NULL },
	  "reply syn idle=1 gap=1" },
	{ SAID{ "0 c S 100 0", "1 s R 0 101", NULL },
	  "reply syn idle=1 gap=1" },
	{ SAID{ "0 c S 100 0", "1 s RA 0 200", NULL },
	  "reply syn idle=1 gap=1" },
	{ SAID{ "0 c S 100 0", "1 s RA 0 101 win=100", NULL },
	  "active syn answers idle=1 gap=1 [refused]" },
	{ SAID{ "0 c S 100 0", "1 s RA 0 101 ts", NULL },
	  "odd syn answers idle=1 gap=1 [refused]" },
	{ SAID{ "0 c S 100 0", "1 s SA 500 101", "2 c S 100 0", "3 s RA 0 101", NULL },
	  "reply syn answers idle=1 gap=1 WINDOW [refused] [fin-rst-only]" },
	{ SAID{ "0 c S 100 0", "1 s SA 500 101", "2 c S 100 0", "3 s RA 501 101", NULL },
	  "odd syn next idle=1 gap=1 WINDOW [fin-rst-only]" },
	{ SAID{ "0 c S 100 0", "1 s SA 500 101", "2 c R 101 0", NULL },
	  "reply syn-ack answers next idle=1 gap=1" },
	{ SAID{ "0 c S 100 0", "1 s SA 500 101", "2 c RA 101 501 win=501", NULL },
	  "active syn-ack answers next idle=1 gap=1 [fin-rst-only]" },
	{ SAID{ HANDSHAKE, "3 c S 100 0", "4 s RA 0 101", NULL },
	  "reply syn answers idle=1 gap=1 WINDOW [refused]" },
	/* Shapes. */
	{ SAID{ REQUEST, "12 s R 501 0 10", NULL },
	  "odd data answers next -50 since=50 idle=2 gap=2" },
	{ SAID{ REQUEST, "12 s R 501 0 win=5", NULL },
	  "odd data answers next -50 since=50 idle=2 gap=2 WINDOW" },
	{ SAID{ REQUEST, "12 s R 501 0 ts", NULL },
	  "odd data answers next -50 since=50 idle=2 gap=2" },
	{ SAID{ REQUEST, "12 s RA 0 151", NULL },
	  "odd data -50 since=50 idle=2 gap=2 WINDOW" },
	{ SAID{ "0 c PA 100 50 10", "1 s RA 0 999", NULL },
	  "reply data -10 since=10 idle=1 gap=1" },
	{ SAID{ REQUEST, "12 s RA 501 151", NULL },
	  "odd data answers next -50 since=50 idle=2 gap=2 WINDOW" },
	{ SAID{ REQUEST, "11 s A 501 151 win=0", "12 s RA 501 151", NULL },
	  "active data answers next -50 since=50 idle=1 gap=2" },
	{ SAID{ REQUEST_TS, "12 s RA 501 151 win=501", NULL },
	  "odd data answers next -50 since=50 idle=2 gap=2 OPTIONS" },
	{ SAID{ REQUEST_TS, "12 s RA 501 151 win=501 ts", NULL },
	  "active data answers next -50 since=50 idle=2 gap=2" },
	{ SAID{ REQUEST_TS, "12 s R 501 0", NULL },
	  "reply data answers next -50 since=50 idle=8 gap=2" },
	{ SAID{ "0 c PA 100 50 10", "1 s RA 50 110", NULL },
	  "odd data answers next -10 since=10 idle=1 gap=1" },
	/* Against the sender's other segments. */
	{ SAID{ REQUEST, "12 s RA 501 151 win=501 ttl=60", NULL },
	  "active data answers next -50 since=50 idle=2 gap=2 TTL" },
	{ SAID{ HANDSHAKE, "3 s A 501 101 ttl=63", "10 c PA 101 501 50",
		"12 s RA 501 151 win=501 ttl=60", NULL },
	  "active data answers next -50 since=50 idle=2 gap=2" },
	{ SAID{ "0 c PA 100 50 10", "1 s R 50 0 ttl=60", NULL },
	  "reply data answers next -10 since=10 idle=0 gap=1" },
	{ SAID{ HANDSHAKE, "3 s A 501 101 id=4096", "10 c PA 101 501 50",
		"12 s R 501 0 id=6144 df=0", NULL },
	  "reply data answers next -50 since=50 idle=7 gap=2" },
	{ SAID{ HANDSHAKE, "3 s A 501 101 id=4096", "10 c PA 101 501 50",
		"12 s R 501 0 id=6400 df=0", NULL },
	  "reply data answers next -50 since=50 idle=7 gap=2 ID" },
	{ SAID{ HANDSHAKE, "3 s A 501 101 id=4096", "10 c PA 101 501 50", "12 s R 501 0 id=6400",
		NULL },
	  "reply data answers next -50 since=50 idle=7 gap=2" },
	{ SAID{ HANDSHAKE, "3 s A 501 101 id=4096", "10 c PA 101 501 50",
		"12 s R 501 0 id=2048 df=0", NULL },
	  "reply data answers next -50 since=50 idle=7 gap=2" },
	{ SAID{ HANDSHAKE, "3 s A 501 101 id=4096", "10 c PA 101 501 50",
		"12 s R 501 0 id=1792 df=0", NULL },
	  "reply data answers next -50 since=50 idle=7 gap=2 ID" },
	{ SAID{ HANDSHAKE, "3 s A 501 101 id=4096", "10 c PA 101 501 50", "12 s R 501 0 id=0 df=0",
		NULL },
	  "reply data answers next -50 since=50 idle=7 gap=2" },
	{ SAID{ "0 c S 100 0", "1 s SA 500 101 id=0", "2 c A 101 501", "10 c PA 101 501 50",
		"12 s R 501 0 id=6400 df=0", NULL },
	  "reply data answers next -50 since=50 idle=8 gap=2" },
	{ SAID{ REQUEST, "12 s R 501 0 win=5 cut", NULL },
	  "odd data answers next -50 since=50 idle=2 gap=2 [partial]" },
	{ SAID{ REQUEST_TS, "12 s RA 501 151 cut", NULL },
	  "odd data answers next -50 since=50 idle=2 gap=2 [partial]" },
	/* FINs before it. */
	{ SAID{ HANDSHAKE, "10 s FA 501 101", "11 c A 101 502", "12 c PA 101 502 50",
		"13 s R 502 0", NULL },
	  "reply data answers next own-fin-acked -50 since=50 after=50 idle=1 gap=1" },
	{ SAID{ HANDSHAKE, "10 s FA 501 101", "12 c PA 101 501 50", "13 s R 501 0", NULL },
	  "reply data answers own-fin -50 since=50 after=50 idle=2 gap=1" },
	{ SAID{ HANDSHAKE, "10 s FA 501 101", "13 s R 502 0", NULL },
	  "reply ack next own-fin-acked idle=3 gap=11" },
	{ SAID{ HANDSHAKE, "10 s FA 501 101", "13 s RA 502 101 win=501", NULL },
	  "active ack next own-fin idle=3 gap=11" },
	{ SAID{ HANDSHAKE, "10 c FA 101 501", "11 s A 501 102", "12 s RA 501 102 win=501", NULL },
	  "active fin answers next peer-fin-acked idle=1 gap=2" },
	{ SAID{ HANDSHAKE, "10 c FA 101 501", "12 s RA 501 102 win=501", NULL },
	  "active fin answers next peer-fin-acked idle=2 gap=2" },
	{ SAID{ HANDSHAKE, "10 c FA 101 501", "12 s RA 501 101 win=501", NULL },
	  "active fin answers next peer-fin idle=2 gap=2" },
	{ SAID{ HANDSHAKE, "10 c FA 101 501", "12 s R 501 5000", NULL },
	  "reply fin answers next peer-fin idle=8 gap=2" },
	{ SAID{ HANDSHAKE, "10 s FA 501 101", "11 c FA 101 502", "12 s A 502 102", "13 c A 102 502",
		"14 s R 502 0", NULL },
	  "reply ack answers next own-fin-acked peer-fin-acked idle=1 gap=1" },
	/* Its place among the numbers. */
	{ SAID{ "0 c PA 100 700 10", "1 s R 700 0", NULL },
	  "reply data answers next -10 since=10 idle=0 gap=1" },
	{ SAID{ "0 c PA 100 700 10", "1 s R 701 0", NULL },
	  "reply data -10 since=10 idle=1 gap=1" },
	{ SAID{ "0 c P 100 0 10", "1 s R 0 0", NULL },
	  "reply data -10 since=10 idle=1 gap=1" },
	{ SAID{ HANDSHAKE, "10 s PA 501 101 30", "12 s RA 501 101 win=501", NULL },
	  "active ack answers +30 idle=2 gap=10" },
	{ SAID{ REQUEST, "12 s R 1056965109 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2" },
	{ SAID{ REQUEST, "12 s R 1056965110 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2 [open]" },
	{ SAID{ REQUEST, "12 s R 4278190581 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2" },
	{ SAID{ REQUEST, "12 s R 4278190580 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2 [open]" },
	{ SAID{ HANDSHAKE, "10 s PA 600000501 101 10", "11 s PA 1200000511 101 10",
		"12 s R 1200000521 0", NULL },
	  "reply ack next +1200000020 idle=1 gap=10" },
	{ SAID{ REQUEST, "12 s R 1 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2" },
	{ SAID{ "0 c S 100 0", "1 s SA 3000000000 101", "2 c A 101 3000000001", "3 c S 100 0",
		"4 s RA 0 101", NULL },
	  "reply syn answers idle=1 gap=1 WINDOW [refused]" },
	{ SAID{ "0 c S 100 0", "1 s SA 3000000000 101", "2 c A 101 3000000001", "3 c S 100 0",
		"4 s RA 0 200", NULL },
	  "odd syn idle=1 gap=1 WINDOW [open]" },
	/* What both had said. */
	{ SAID{ ANSWERED, "20 s RA 531 151 win=501", NULL },
	  "active ack answers next +30 -50 idle=8 gap=8" },
	{ SAID{ ANSWERED, "20 c PA 151 531 9", "22 s RA 531 160 win=501", NULL },
	  "active data answers next +30 -59 since=9 idle=2 gap=2" },
	{ SAID{ HANDSHAKE, "10 s FA 501 101", "11 c A 101 502", "12 c PA 101 502 50",
		"13 c PA 151 502 7", "14 s RA 502 101 win=501", NULL },
	  "active data answers next own-fin-acked -57 since=57 after=57 idle=1 gap=1" },
	{ SAID{ HANDSHAKE, "10 s RA 1501 2101 win=501", NULL },
	  "active ack +1000 -2000 idle=8 gap=8" },
	{ SAID{ HANDSHAKE, "10 s R 1501 0", NULL },
	  "reply ack idle=8 gap=8" },
	{ SAID{ "0 c A 101 501", "1 s A 501 101", "10 s RA 1501 2101 win=501", NULL },
	  "active ack -2000 idle=9 gap=10" },
	{ SAID{ HANDSHAKE, "10 s RA 1073742325 101 win=501", NULL },
	  "active ack idle=8 gap=8 [open]" },
	{ SAID{ HANDSHAKE, "10 s RA 1073742324 101 win=501", NULL },
	  "active ack +1073741823 idle=8 gap=8 [open]" },
	{ SAID{ HANDSHAKE, "10 s RA 700 1073741925 win=501", NULL },
	  "active ack +199 idle=8 gap=8" },
	{ SAID{ HANDSHAKE, "10 s RA 700 1073741924 win=501", NULL },
	  "active ack +199 -1073741823 idle=8 gap=8" },
	{ SAID{ "0 s S 500 0", "10 s RA 700 2101 win=501", NULL },
	  "active none +199 idle=10" },
	{ SAID{ HANDSHAKE, "10 s RA 501 2101 win=501", NULL },
	  "active ack answers next idle=8 gap=8" },
	/* Silence. */
	{ SAID{ REQUEST, "3010 s RA 501 151 win=501", NULL },
	  "active data answers next -50 since=50 idle=3000 gap=3000" },
	{ SAID{ REQUEST, "11 s A 501 151", "3010 c PA 151 501 50", "3012 s R 501 0", NULL },
	  "reply data answers next -100 since=100 idle=2999 gap=2" },
	{ SAID{ REQUEST, "11 s A 501 151", "100011 c PA 151 501 50", "100012 s R 501 0", NULL },
	  "reply data answers next -100 since=100 idle=100000 gap=1" },
	{ SAID{ REQUEST, "11 s A 501 151", "3010 c PA 151 501 50", "3012 s RA 501 151 win=501",
		NULL },
	  "active data answers next -100 since=100 idle=2 gap=2" },
	{ SAID{ REQUEST, "11 s A 501 151", "3012 s R 501 0", NULL },
	  "reply data answers next -50 since=50 idle=3001 gap=3002" },
	{ SAID{ REQUEST, "9 s RA 501 151 win=501", NULL },
	  "active data answers next -50 since=50 idle=0 gap=0" },
	/* Nobody answered. */
	{ SAID{ ANSWERED, "1000 s A 530 151", "2500 s A 530 151", "4500 s RA 531 151 win=501",
		NULL },
	  "active ack answers next +30 -50 idle=2000 gap=4488 probes=2 every=1500" },
	{ SAID{ ANSWERED, "1000 s A 530 151", "2500 s RA 531 151 win=501", NULL },
	  "active ack answers next +30 -50 idle=1500 gap=2488 probes=1" },
	{ SAID{ ANSWERED, "1000 s A 530 151", "1001 c A 151 531", "2500 s RA 531 151 win=501",
		NULL },
	  "active ack answers next +30 -50 idle=1499 gap=1499" },
	{ SAID{ ANSWERED, "13 s PA 531 151 10", "213 s PA 531 151 10", "613 s PA 531 151 10",
		"1613 s RA 541 151 win=501", NULL },
	  "active ack next +40 -50 idle=1000 gap=1601 copies=2" },
	{ SAID{ ANSWERED, "13 s PA 531 151 10", "213 s PA 531 151 10", "1000 s A 540 151",
		"1100 s A 540 151", "1613 s RA 541 151 win=501", NULL },
	  "active ack next +40 -50 idle=513 gap=1601 probes=2 every=100 copies=1" },
	/* One cause, several resets. */
	{ SAID{ REQUEST, "12 s R 501 0", "13 s R 501 0", NULL },
	  "reply data answers next -50 since=50 idle=8 gap=2 x2" },
	{ SAID{ REQUEST, "12 s R 700 0", "13 c PA 151 501 50", "14 s R 501 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2 x2" },
	{ SAID{ REQUEST, "12 s RA 700 151 win=501", "13 c PA 151 501 50", "14 s R 501 0", NULL },
	  "active data +199 -50 since=50 idle=2 gap=2 x2" },
	{ SAID{ REQUEST, "12 s R 700 0 10", "13 c PA 151 501 50", "14 s R 501 0", NULL },
	  "odd data -50 since=50 idle=2 gap=2; "
	  "reply data answers next -100 since=100 idle=1 gap=1" },
	{ SAID{ REQUEST, "12 s R 700 0", "13 c PA 151 501 50", "14 s RA 501 151 win=501", NULL },
	  "reply data -50 since=50 idle=2 gap=2; "
	  "active data answers next -100 since=100 idle=1 gap=1" },
	{ SAID{ REQUEST, "12 s R 700 0", "14 s R 900 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2; "
	  "reply data -50 since=50 idle=2 gap=4" },
	{ SAID{ REQUEST, "12 s R 700 0", "15 s PA 501 151 30", "16 c A 151 531", "17 s R 531 0",
		NULL },
	  "reply data went-on -50 since=50 idle=2 gap=2; "
	  "reply ack answers next +30 -50 idle=1 gap=1" },
	{ SAID{ REQUEST, "12 s R 700 0", "13 c A 151 501", "14 s R 501 0", NULL },
	  "reply data challenge -50 since=50 idle=2 gap=2 x2" },
	{ SAID{ REQUEST, "12 s R 501 0", "13 c A 151 501", "14 s R 501 0", NULL },
	  "reply data answers next -50 since=50 idle=8 gap=2 x2" },
	{ SAID{ REQUEST, "12 s R 700 0", "13 c A 151 501", "14 s R 700 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2 x2" },
	{ SAID{ REQUEST, "12 s R 700 0", "13 c PA 151 700 10", "14 s R 700 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2 x2" },
	{ SAID{ REQUEST, "12 s R 701 0", "13 s R 702 0", "14 s R 703 0", "15 s R 704 0",
		"16 s R 705 0", "17 c R 151 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2; "
	  "reply data -50 since=50 idle=1 gap=3; "
	  "reply data -50 since=50 idle=1 gap=4 x3; "
	  "reply rst next +50 idle=1 gap=1" },
	{ SAID{ REQUEST, "12 c R 151 0", "13 s R 701 0", "14 c R 152 0", "15 s R 702 0",
		"16 c R 153 0", "17 s R 703 0", NULL },
	  "reply syn-ack next +50 idle=2 gap=11; "
	  "reply rst -50 since=50 idle=1 gap=1; reply rst +50 idle=1 gap=1 x2; "
	  "reply rst -50 since=50 idle=1 gap=1 x2" },
	{ SAID{ REQUEST, "12 s R 701 0", "13 s R 702 0", "14 s R 703 0", "15 c R 151 0",
		"16 c R 152 0", "17 c R 153 0", NULL },
	  "reply data -50 since=50 idle=2 gap=2; "
	  "reply data -50 since=50 idle=1 gap=3; "
	  "reply data -50 since=50 idle=1 gap=4; "
	  "reply rst next +50 idle=1 gap=1 x3" },
	{ SAID{ HANDSHAKE, "10 s PA 501 101 30", "12 s R 700 0", "13 c A 101 501", "14 s R 501 0", NULL },
	  "reply ack challenge +30 idle=2 gap=10 x2" },
	{ SAID{ HANDSHAKE, "10 s FA 501 101", "11 c A 101 502", "12 s R 700 0", "13 c A 101 501",
		"14 s R 501 0", NULL },
	  "reply ack own-fin-acked challenge idle=1 gap=1 x2" },
	{ SAID{ HANDSHAKE, "10 s PA 501 101 1", "11 c A 101 502", "12 s R 700 0", "13 c A 101 501",
		"14 s R 501 0", NULL },
	  "reply ack +1 idle=1 gap=1 x2" },
	/* The SYN is answered by an older connection of the pair. */
	{ SAID{ "0 c S 100 0", "1 s A 9000 3000000000", "2 c R 3000000000 0", NULL },
	  "reply ack answers old idle=1 gap=1 [open]" },
	{ SAID{ "0 c S 100 0", "1 s SA 9000 3000000000", "2 c R 3000000000 0", NULL },
	  "reply syn-ack answers old idle=1 gap=1 [open]" },
	{ SAID{ "0 c S 100 0", "1 s A 9000 3000000000", "2 c R 3000000001 0", NULL },
	  "reply ack idle=1 gap=1" },
	{ SAID{ "0 c S 100 0", "1 s A 9000 3000000000", "2 c R 3000000000 0", "1000 c S 100 0",
		"1001 s SA 500 101", "1002 c A 101 501", NULL },
	  "reply ack answers old idle=1 gap=1 [open]" },
	{ SAID{ "0 c S 100 0", "1 s SA 500 101", "2 s A 501 101", "3 c R 101 0", NULL },
	  "reply ack answers next idle=1 gap=1" },
	{ SAID{ HANDSHAKE, "10 c FA 101 501", "11 s FA 501 102", "12 c A 102 502",
		"1000 c S 90000000 0", "1001 s SA 80000000 90000001", "1002 c A 90000001 80000001",
		"1010 s R 502 0", NULL },
	  "reply ack answers next own-fin-acked peer-fin-acked old idle=1 gap=998 [open]" },
	/* An end that goes on has not sent it. */
	{ SAID{ REQUEST, "12 s R 501 0 ttl=60", "20 s PA 501 151 30", NULL },
	  "reply data answers next went-on -50 since=50 idle=8 gap=2 TTL" },
	{ SAID{ REQUEST, "12 s R 501 0 ttl=60", "20 s PA 501 151 30", "21 c PA 151 531 10", NULL },
	  "reply data answers next went-on -50 since=50 idle=8 gap=2 TTL [open]" },
	{ SAID{ REQUEST, "12 s R 501 0 ttl=60", "20 s PA 501 151 30", "21 c A 151 531", NULL },
	  "reply data answers next went-on -50 since=50 idle=8 gap=2 TTL [open]" },
	{ SAID{ REQUEST, "12 s R 501 0 ttl=60", "21 c PA 151 501 10", NULL },
	  "reply data answers next -50 since=50 idle=8 gap=2 TTL" },
	{ SAID{ REQUEST, "12 s R 501 0 ttl=60", "12.5 s A 501 151", NULL },
	  "reply data answers next went-on -50 since=50 idle=8 gap=2 TTL" },
	{ SAID{ REQUEST, "11 s A 501 151", "12 s R 501 0 ttl=60", "13 s A 501 151", NULL },
	  "reply data answers next -50 since=50 idle=1 gap=2 TTL" },
	{ SAID{ REQUEST, "11 s A 501 151", "12 s R 501 0 ttl=60", "13.001 s A 501 151", NULL },
	  "reply data answers next went-on -50 since=50 idle=1 gap=2 TTL" },
	{ SAID{ REQUEST, "11 s A 501 151", "12 s R 501 0 ttl=60", "14 s A 501 151",
		"15 c A 151 501", NULL },
	  "reply data answers next went-on -50 since=50 idle=1 gap=2 TTL" },
	{ SAID{ REQUEST, "12 s R 501 0 ttl=60", "12.5 s PA 501 151 30", NULL },
	  "reply data answers next went-on -50 since=50 idle=8 gap=2 TTL" },
	/* Where the answers cannot be seen, a reset when the next probe is due is keepalive's. */
	{ SAID{ "0 c A 151 501", "60000 c A 150 501", "120000 c A 150 501", "180000 c RA 151 501 win=501", NULL },
	  "active none next idle=60000 probes=2 every=60000" },
	{ SAID{ "0 c A 151 501", "60000 c A 150 501", "120000 c A 150 501", "130000 c RA 151 501 win=501", NULL },
	  "active none next idle=10000" },
	{ SAID{ "0 c A 151 501", "60000 c A 150 501", "120000 c RA 151 501 win=501", NULL },
	  "active none next idle=60000" },
	/* Probes of a closed window have no say. */
	{ SAID{ REQUEST, "11 s A 501 151 win=0", "300 c A 150 501", "800 c A 150 501",
		"900 c RA 151 501 win=501", NULL },
	  "active ack answers next +50 idle=100 gap=889" },
	{ SAID{ "0 c S 100 0", "1 s A 9000 8000", "2 c R 8000 0", "3 c S 100 0", "4 s SA 500 101",
		"5 c A 101 501", NULL },
	  "reply ack answers went-on idle=1 gap=1" },
};

static void each_reset(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[600] = "";
		struct talk heard;

		talk_hear(rows[i].lines, &heard);
		for (size_t k = 0; k < heard.n; k++)
			for (uint32_t n = 0; n < heard.flows[k].n_rsts; n++) {
				put(text, sizeof(text), *text, "; ");
				describe(&heard.flows[k].rsts[n], text, sizeof(text));
			}
		const struct flow *last = &heard.flows[heard.n - 1];
		put(text, sizeof(text), last->pattern == PATTERN_OPEN, " [open]");
		put(text, sizeof(text), last->pattern == PATTERN_REFUSED, " [refused]");
		put(text, sizeof(text), last->content != CONTENT_FULL, " [%s]", content_name(last->content));
		if (strcmp(text, rows[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_reset) };

	return cmocka_run_group_tests_name("wire-reset", tests, NULL, NULL);
}
