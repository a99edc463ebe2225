#include "cli/options.h"
#include "cli/run.h"
#include "report/check.h"
#include "util/duration.h"
#include "util/i18n.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WHY = 1 << COMMAND_WHY,
	LIST = 1 << COMMAND_LIST,
	PCAP = 1 << COMMAND_PCAP,
	EXPLAIN = 1 << COMMAND_EXPLAIN,
	LAB = 1 << COMMAND_LAB,
	AUDIT = 1 << COMMAND_AUDIT,
	CHECK = 1 << COMMAND_CHECK,
	WATCH = 1 << COMMAND_WATCH,
	SNAPSHOT = 1 << COMMAND_SNAPSHOT,
	SOCKETS = WHY | LIST,
	REPORTS = WHY | LIST | PCAP,
	COLOURED = REPORTS | EXPLAIN | LAB | AUDIT,
	DOCUMENTS = COLOURED | CHECK,
	EVERY = DOCUMENTS | WATCH | SNAPSHOT,
};

static const struct {
	const char *name, *usage, *does;
} commands[] = {
	[COMMAND_WHY] = { "why", "[OPTIONS] [FILTER]",
			  N_("findings per process, worst first (the default command)") },
	[COMMAND_LIST] = { "list", "[OPTIONS] [FILTER]",
			   N_("the sockets in teardown states, as a table") },
	[COMMAND_PCAP] = { "pcap", "[OPTIONS] FILE... [FILTER]",
			   N_("post-mortem: how every connection in a capture ended") },
	[COMMAND_EXPLAIN] = { "explain", "[OPTIONS] [TOPIC...]",
			      N_("a rule, a state, a sysctl, a socket option, an errno") },
	[COMMAND_LAB] = { "lab", "[OPTIONS] [SCENARIO]",
			  N_("make a pathology in a private namespace and diagnose it") },
	[COMMAND_AUDIT] = { "audit", "[OPTIONS]",
			    N_("the settings that touch closing: value, meaning, myth, danger") },
	[COMMAND_CHECK] = { "check", "[OPTIONS]",
			    N_("is this host well? One line for monitoring, no thresholds needed") },
	[COMMAND_WATCH] = { "watch", "[OPTIONS] [FILTER]",
			    N_("look again and again: rates, growth, time until it is full") },
	[COMMAND_SNAPSHOT] = { "snapshot", "[OPTIONS]",
			       N_("everything one look saw in one file, for later or elsewhere") },
};

enum option_id {
	OPT_CAPTURE = 256,
	OPT_INTERFACE,
	OPT_FOR,
	OPT_WRITE,
	OPT_FROM,
	OPT_RECORD,
	OPT_NETNS,
	OPT_ALL_NETNS,
	OPT_DEAD_SOCKETS,
	OPT_SOCKOPTS,
	OPT_MIN_AGE,
	OPT_EXAMPLES,
	OPT_COUNT,
	OPT_TWO_SIDED,
	OPT_MAX_CONNECTIONS,
	OPT_JSON,
	OPT_JSON_LINES,
	OPT_EXIT_CODE,
	OPT_WARNING,
	OPT_CRITICAL,
	OPT_TIMEOUT,
	OPT_CONFIG,
	OPT_STATE,
	OPT_DELAY,
	OPT_EVENTS,
	OPT_FORMAT,
	OPT_OUTPUT,
	OPT_NUMERIC,
	OPT_PROCESSES,
	OPT_TIMERS,
	OPT_EXTENDED,
	OPT_INFO,
	OPT_MEMORY,
	OPT_IPV4,
	OPT_IPV6,
	OPT_TCP,
	OPT_ONELINE,
	OPT_ALL_STATES,
	OPT_NO_HEADER,
	OPT_ALL,
	OPT_DRAFT,
	OPT_NO_SANDBOX,
	OPT_BY,
	OPT_TOP,
	OPT_COLUMNS,
	OPT_SORT,
	OPT_CSV,
	OPT_BUDGET,
	OPT_COLOUR,
	OPT_NO_PROGRESS,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION,
};

/* One row an option. Without help: accepted, and what it asks for is so anyway. */
static const struct row {
	const char *name;
	char letter;
	const char *arg;
	unsigned commands;
	enum option_id id;
	const char *help;
} rows[] = {
	{ "read", 'r', "FILE", SOCKETS, OPT_CAPTURE, N_("packet evidence from a capture; - is stdin") },
	{ "interface", 'i', "IFACE", WHY, OPT_INTERFACE, N_("capture FIN, RST and SYN live first") },
	{ "interface", 0, "IFACE", LIST, OPT_INTERFACE, N_("capture FIN, RST and SYN live first") },
	{ "for", 0, "TIME", SOCKETS, OPT_FOR, N_("how long to capture: 10s (default), 500ms, 2m") },
	{ "write", 'w', "FILE", SOCKETS, OPT_WRITE, N_("keep the live capture") },
	{ "from", 0, "FILE", SOCKETS | AUDIT | CHECK, OPT_FROM, N_("a snapshot, or a recorded folder, instead of this host") },
	{ "record", 0, "DIR", SOCKETS, OPT_RECORD, N_("write what was read here, for --from") },
	{ "netns", 'N', "NS", SOCKETS | AUDIT | CHECK | WATCH | SNAPSHOT, OPT_NETNS, N_("another network namespace: name, pid or path") },
	{ "all-netns", 'A', NULL, SOCKETS | CHECK | WATCH | SNAPSHOT, OPT_ALL_NETNS, N_("every network namespace of this host") },
	{ "dead-sockets", 0, NULL, WHY, OPT_DEAD_SOCKETS,
	  N_("search descriptors of ended connections in any case") },
	{ "sockopts", 0, NULL, WHY | SNAPSHOT, OPT_SOCKOPTS,
	  N_("socket options of a sample; touches them: see tcpwhy(8)") },
	{ "min-age", 0, "TIME", REPORTS | CHECK | WATCH, OPT_MIN_AGE,
	  N_("younger is ordinary life (default 60s; 0 judges all)") },
	{ "examples", 0, "N", WHY | PCAP, OPT_EXAMPLES, N_("connections shown a finding (default 3)") },
	{ "count", 'c', "N", PCAP, OPT_COUNT, N_("stop after N packets") },
	{ "max-connections", 0, "N", REPORTS, OPT_MAX_CONNECTIONS,
	  N_("of captures kept in memory (default 8388608, 250 bytes each)") },
	{ "two-sided", 0, NULL, PCAP, OPT_TWO_SIDED,
	  N_("captures of both ends: what was sent, did not arrive") },
	{ "interface", 'i', "IFACE", WATCH, OPT_INTERFACE, N_("show FINs and resets as they happen") },
	{ "events", 'E', NULL, WATCH, OPT_EVENTS, N_("show when the kernel frees a socket") },
	{ "delay", 'd', "TIME", WATCH, OPT_DELAY, N_("between two looks (default 2s)") },
	{ "count", 'c', "N", WATCH, OPT_COUNT, N_("stop after N looks") },
	{ "processes", 'p', NULL, LIST, OPT_PROCESSES, N_("who holds it (always on, as root)") },
	{ "options", 'o', NULL, LIST, OPT_TIMERS, N_("timers") },
	{ "extended", 'e', NULL, LIST, OPT_EXTENDED, N_("uid, inode, cookie") },
	{ "info", 'i', NULL, LIST, OPT_INFO, N_("tcp_info") },
	{ "memory", 'm', NULL, LIST, OPT_MEMORY, N_("socket memory") },
	{ "by", 0, "WHAT", LIST, OPT_BY,
	  N_("count by state, peer, local-port, owner, unit, ...") },
	{ "top", 0, "N", LIST, OPT_TOP, N_("only the first N rows, the N largest counts") },
	{ "budget", 0, "TIME", SOCKETS, OPT_BUDGET, N_("what is not seen by then is a gap: 2s") },
	{ "columns", 0, "COLUMNS", LIST, OPT_COLUMNS, N_("state,peer,age: these; +netns: that, too") },
	{ "sort", 0, "COLUMN", LIST, OPT_SORT, N_("by a column; -age: the largest first") },
	{ "csv", 0, NULL, LIST, OPT_CSV, N_("comma-separated values") },
	{ "top", 0, "N", CHECK, OPT_TOP, N_("metrics of the N owners with most CLOSE-WAITs") },
	{ "all-states", 'a', NULL, LIST, OPT_ALL_STATES, N_("not only the teardown states") },
	{ "ipv4", '4', NULL, SOCKETS | WATCH, OPT_IPV4, N_("IPv4 only") },
	{ "ipv6", '6', NULL, SOCKETS | WATCH, OPT_IPV6, N_("IPv6 only") },
	{ "tcp", 't', NULL, LIST, OPT_TCP, NULL },
	{ "oneline", 'O', NULL, LIST, OPT_ONELINE, NULL },
	{ "no-header", 'H', NULL, LIST, OPT_NO_HEADER, N_("no heading line") },
	{ "numeric", 'n', NULL, REPORTS, OPT_NUMERIC, N_("as in ss; ports and users are numbers in any case") },
	{ "json", 0, NULL, DOCUMENTS, OPT_JSON, N_("one JSON document") },
	{ "json-lines", 0, NULL, LIST | PCAP | WATCH, OPT_JSON_LINES, N_("one JSON object a line") },
	{ "exit-code", 0, NULL, WHY | PCAP | AUDIT, OPT_EXIT_CODE, N_("1 on a warning, 2 on a problem") },
	{ "draft", 0, "FILE", AUDIT, OPT_DRAFT, N_("write proposed values for sysctl.d; apply nothing") },
	{ "warning", 'w', "RANGES", CHECK, OPT_WARNING, N_("when to warn: close-wait.age=5m,ports.share=70%") },
	{ "critical", 'c', "RANGES", CHECK, OPT_CRITICAL, N_("when it is critical: NAME=[@]START:END,...") },
	{ "timeout", 't', "TIME", CHECK, OPT_TIMEOUT, N_("UNKNOWN if it takes longer (default 10s)") },
	{ "config", 0, "FILE", CHECK, OPT_CONFIG, N_("lines like: warning close-wait.age=5m") },
	{ "state", 0, "FILE", CHECK, OPT_STATE, N_("remember this look; tell growth since the last one") },
	{ "format", 0, "FORMAT", CHECK, OPT_FORMAT, N_("text (default), json, prometheus, openmetrics") },
	{ "output", 'o', "FILE", CHECK, OPT_OUTPUT, N_("metrics go to FILE, which is replaced at once") },
	{ "output", 'o', "FILE", SNAPSHOT, OPT_OUTPUT, N_("where it goes, replaced at once; - is stdout") },
	{ "all", 0, NULL, LAB, OPT_ALL, N_("every scenario, one after the other") },
	{ "color", 0, "WHEN", COLOURED | WATCH, OPT_COLOUR, N_("auto, always or never") },
	{ "no-progress", 0, NULL, REPORTS, OPT_NO_PROGRESS, N_("no progress on stderr") },
	{ "no-sandbox", 0, NULL, REPORTS | AUDIT | CHECK | WATCH, OPT_NO_SANDBOX,
	  N_("parse what strangers wrote with all privileges (debugging)") },
	{ "verbose", 'v', NULL, DOCUMENTS & ~LIST, OPT_VERBOSE, N_("every connection, every fix") },
	{ "verbose", 'v', NULL, LIST, OPT_VERBOSE, NULL }, /* every connection has its row */
	{ "help", 'h', NULL, EVERY, OPT_HELP, N_("this text") },
	{ "version", 'V', NULL, EVERY, OPT_VERSION, N_("version") },
};

static void print_commands(FILE *to)
{
	fprintf(to, _("Usage: tcpwhy [COMMAND] [OPTIONS] [FILTER]\n\n"
		      "Why is this TCP connection still here, who holds it, and what ends it?\n\n"));
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, _(commands[i].does));
	fprintf(to, _("\n`tcpwhy COMMAND --help` lists the options of a command. FILTER is the language\n"
		      "of ss(8): state close-wait, dport = :443, src 10.0.0.0/8, and or not ( ), and\n"
		      "pid, comm, age, rqueue, orphan, rule ...; see tcpwhy-filter(7).\n"));
}

/* Damerau-free edit distance of two short words; 99: not worth comparing. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t row[32];

	if (la >= ARRAY_LEN(row) || lb >= ARRAY_LEN(row))
		return 99;
	for (size_t k = 0; k <= lb; k++)
		row[k] = k;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= lb; k++) {
			size_t changed = diagonal + (a[i - 1] != b[k - 1]);
			size_t best = row[k] < row[k - 1] ? row[k] + 1 : row[k - 1] + 1;

			diagonal = row[k];
			row[k] = changed < best ? changed : best;
		}
	}
	return row[lb];
}

/* What many know and few look for stands in one paragraph, so that --help fits a screen of 80x24. */
static bool is_brief(enum option_id id)
{
	static const enum option_id brief[] = {
		OPT_IPV4, OPT_IPV6, OPT_NUMERIC, OPT_NO_HEADER, OPT_PROCESSES, OPT_TIMERS, OPT_EXTENDED, OPT_INFO,
		OPT_MEMORY, OPT_CSV, OPT_BUDGET, OPT_WRITE, OPT_MAX_CONNECTIONS, OPT_COLOUR, OPT_NO_PROGRESS, OPT_NO_SANDBOX,
		OPT_HELP, OPT_VERSION,
	};

	for (size_t i = 0; i < ARRAY_LEN(brief); i++)
		if (brief[i] == id)
			return true;
	return false;
}

static void put_option(const struct row *r, bool has_gap, char *to, size_t size)
{
	snprintf(to, size, "%c%c%s--%s%s%s", r->letter ? '-' : ' ', r->letter ? r->letter : ' ',
		 !has_gap ? " " : r->letter ? ", " : "  ", r->name, r->arg ? "=" : "", r->arg ? r->arg : "");
}

/* -4 --ipv4, -6 --ipv6, ...: names only, in lines of 80 columns. */
static void print_brief(FILE *to, enum command command)
{
	const char *between = _("\nAlso ");
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[40], *from = text;

		if (!(rows[i].commands & (1u << command)) || !rows[i].help || !is_brief(rows[i].id))
			continue;
		put_option(&rows[i], false, text, sizeof(text));
		from += strspn(from, " ");
		if (used + strlen(between) + strlen(from) > 78) {
			between = ",\n";
			used = 0;
		}
		used += strlen(between) + strlen(from);
		fprintf(to, "%s%s", between, from);
		between = ", ";
	}
	fprintf(to, ".\n");
}

static void print_help(FILE *to, enum command command)
{
	fprintf(to, _("Usage: tcpwhy %s %s\n%s.\n\n"), commands[command].name,
		commands[command].usage, _(commands[command].does));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		char left[40];

		if (!(r->commands & (1u << command)) || !r->help || is_brief(r->id))
			continue;
		put_option(r, true, left, sizeof(left));
		fprintf(to, "  %-22s %s\n", left, _(r->help));
	}
	print_brief(to, command);
}

const char *options_nearest_command(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		size_t wrong = distance(word, commands[i].name);

		/* Half of the letters right are a slip, fewer are another word. */
		if (wrong <= 2 && 2 * wrong <= strlen(commands[i].name))
			return commands[i].name;
	}
	return NULL;
}

/* What is wrong with the command line; of a check also where monitoring reads it. */
PRINTF(2, 3) static void complain(enum command command, const char *fmt, ...)
{
	AUTO_BUF what = { 0 }, answer = { 0 };
	va_list args;

	va_start(args, fmt);
	buf_vprintf(&what, fmt, args);
	va_end(args);
	say_line("tcpwhy: %s", buf_text(&what));
	if (command != COMMAND_CHECK)
		return;
	check_put_failure(&answer, _("wrong usage"), buf_text(&what), strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
	fputs(buf_text(&answer), stdout);
}

static void complain_about_option(const char *given, enum command command)
{
	const char *nearest = NULL;
	size_t best = 3; /* more wrong letters than two are another word */
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="), given);
	for (size_t i = 0; given[0] == '-' && given[1] == '-' && i < ARRAY_LEN(rows); i++) {
		size_t d = distance(name + 2, rows[i].name);

		if ((rows[i].commands & (1u << command)) && d < best) {
			best = d;
			nearest = rows[i].name;
		}
	}
	complain(command, _("%s: no such option of '%s'"), given, commands[command].name);
	if (nearest)
		say_line(_("Did you mean --%s? `tcpwhy %s --help` lists them."), nearest,
			 commands[command].name);
	else
		say_line(_("`tcpwhy %s --help` lists them."), commands[command].name);
}

static bool number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || n > max)
		return false;
	*ret = n;
	return true;
}

static bool wrong_value(const struct options *o, const char *option, const char *value, const char *expected)
{
	complain(o->command, _("--%s=%s: expected %s"), option, value, expected);
	return false;
}

/* false: the value is wrong, and that is said. */
static bool apply(struct options *o, enum option_id id, const char *value)
{
	uint64_t n = 0;

	switch (id) {
	case OPT_CAPTURE:
		if (o->n_captures == MAX_CAPTURES)
			return wrong_value(o, "read", value, _("at most 64 captures"));
		o->captures[o->n_captures++] = value;
		break;
	case OPT_INTERFACE:
		o->interface = value;
		break;
	case OPT_FOR:
		if (!duration_parse(value, &o->for_ms) || o->for_ms == 0)
			return wrong_value(o, "for", value, _("a time like 10s, 500ms or 2m"));
		break;
	case OPT_WRITE:
		o->write = value;
		break;
	case OPT_FROM:
		o->from = value;
		break;
	case OPT_RECORD:
		o->record = value;
		break;
	case OPT_NETNS:
		o->netns = value;
		break;
	case OPT_ALL_NETNS:
		o->all_netns = true;
		break;
	case OPT_DEAD_SOCKETS:
		o->dead_sockets = true;
		break;
	case OPT_SOCKOPTS:
		o->sockopts = true;
		break;
	case OPT_MIN_AGE:
		/* A day is beyond every threshold; the larger ones are sixty times as long. */
		if (!duration_parse(value, &o->min_age_ms) || o->min_age_ms > 86400000)
			return wrong_value(o, "min-age", value, _("a time like 60s, 5m or 0, a day at most"));
		break;
	case OPT_EXAMPLES:
		if (!number(value, 100000, &n))
			return wrong_value(o, "examples", value, _("a number up to 100000"));
		o->n_examples = n;
		break;
	case OPT_COUNT:
		if (!number(value, UINT64_MAX, &o->max_packets) || o->max_packets == 0)
			return wrong_value(o, "count", value, _("a number above 0"));
		break;
	case OPT_JSON:
		o->format = "json";
		break;
	case OPT_JSON_LINES:
		o->format = "json-lines";
		break;
	case OPT_WARNING:
	case OPT_CRITICAL:
		if (o->n_levels == MAX_LEVELS)
			return wrong_value(o, id == OPT_CRITICAL ? "critical" : "warning", value,
					   _("at most 32 times"));
		o->levels[o->n_levels].text = value;
		o->levels[o->n_levels++].is_critical = id == OPT_CRITICAL;
		break;
	case OPT_TIMEOUT:
		if (!duration_parse(value, &o->timeout_ms) || o->timeout_ms == 0 ||
		    o->timeout_ms > 86400000)
			return wrong_value(o, "timeout", value, _("a time like 10 or 30s, a day at most"));
		break;
	case OPT_CONFIG:
		o->config = value;
		break;
	case OPT_EVENTS:
		o->events = true;
		break;
	case OPT_DELAY:
		/* Below, it would watch itself. */
		if (!duration_parse(value, &o->delay_ms) || o->delay_ms < 100 || o->delay_ms > 86400000)
			return wrong_value(o, "delay", value, _("a time like 2s or 500ms, from 100ms to a day"));
		break;
	case OPT_STATE:
		o->state = value;
		break;
	case OPT_FORMAT:
		if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0 &&
		    strcmp(value, "prometheus") != 0 && strcmp(value, "openmetrics") != 0)
			return wrong_value(o, "format", value,
					   _("text, json, prometheus or openmetrics"));
		o->format = value;
		break;
	case OPT_OUTPUT:
		o->output = value;
		break;
	case OPT_EXIT_CODE:
		o->exit_code = true;
		break;
	case OPT_NUMERIC:
		break;
	case OPT_PROCESSES:
		o->processes = true;
		break;
	case OPT_TIMERS:
		o->timers = true;
		break;
	case OPT_EXTENDED:
		o->extended = true;
		break;
	case OPT_INFO:
		o->info = true;
		break;
	case OPT_MEMORY:
		o->memory = true;
		break;
	case OPT_IPV4:
		o->only_inet4 = true;
		break;
	case OPT_IPV6:
		o->only_inet6 = true;
		break;
	case OPT_TCP:
	case OPT_ONELINE:
		break; /* what is so anyway */
	case OPT_ALL_STATES:
		o->all_states = true;
		break;
	case OPT_NO_HEADER:
		o->no_header = true;
		break;
	case OPT_ALL:
		o->all = true;
		break;
	case OPT_BY:
		o->by = value;
		break;
	case OPT_TOP:
		if (!number(value, UINT32_MAX, &n))
			return wrong_value(o, "top", value, _("a number"));
		o->top = n;
		break;
	case OPT_BUDGET:
		if (!duration_parse(value, &o->budget_ms) || o->budget_ms == 0 || o->budget_ms > 86400000)
			return wrong_value(o, "budget", value, _("a time like 2s or 500ms, a day at most"));
		break;
	case OPT_COLUMNS:
		o->columns = value;
		break;
	case OPT_SORT:
		o->sort = value;
		break;
	case OPT_CSV:
		o->format = "csv";
		break;
	case OPT_NO_SANDBOX:
		o->no_sandbox = true;
		break;
	case OPT_DRAFT:
		o->draft = value;
		break;
	case OPT_COLOUR:
		if (strcmp(value, "auto") == 0)
			o->colour = COLOUR_AUTO;
		else if (strcmp(value, "always") == 0)
			o->colour = COLOUR_ALWAYS;
		else if (strcmp(value, "never") == 0)
			o->colour = COLOUR_NEVER;
		else
			return wrong_value(o, "color", value, _("auto, always or never"));
		break;
	case OPT_MAX_CONNECTIONS:
		if (!number(value, 1 << 24, &n) || n == 0)
			return wrong_value(o, "max-connections", value, _("a number from 1 to 16777216"));
		o->max_connections = n;
		break;
	case OPT_TWO_SIDED:
		o->two_sided = true;
		break;
	case OPT_NO_PROGRESS:
		o->no_progress = true;
		break;
	case OPT_VERBOSE:
		o->verbose = true;
		break;
	case OPT_HELP:
	case OPT_VERSION:
		break;
	}
	return true;
}

/* getopt_long's own tables, cut to one command. */
static void fill_getopt(enum command command, struct option longs[], char *letters)
{
	size_t n = 0;

	*letters++ = ':'; /* errors are ours to word */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		if (!(r->commands & (1u << command)))
			continue;
		longs[n++] = (struct option){ r->name, r->arg ? required_argument : no_argument,
					      NULL, (int)r->id };
		if (!r->letter)
			continue;
		*letters++ = r->letter;
		if (r->arg)
			*letters++ = ':';
	}
	longs[n] = (struct option){ 0 };
	*letters = '\0';
}

static int id_of(enum command command, int found)
{
	for (size_t i = 0; found < 256 && i < ARRAY_LEN(rows); i++)
		if (rows[i].letter == found && (rows[i].commands & (1u << command)))
			return (int)rows[i].id;
	return found;
}

static bool parse_options(int argc, char **argv, struct options *o, int *ret_status)
{
	struct option longs[ARRAY_LEN(rows) + 1];
	char letters[ARRAY_LEN(rows) * 2 + 2];
	int found;

	fill_getopt(o->command, longs, letters);
	*ret_status = STATUS_USAGE;
	optind = 0; /* the lab parses more than one command line in a process */
	for (;;) {
		int at = optind ? optind : 1;

		found = getopt_long(argc, argv, letters, longs, NULL);
		if (found == -1)
			break;
		if (found == ':') {
			complain(o->command, _("%s: needs a value"), argv[optind - 1]);
			return false;
		}
		if (found == '?') {
			char letter[3] = { '-', (char)optopt, '\0' };
			bool is_long = optopt == 0 || optopt >= 256;

			complain_about_option(is_long ? argv[optind > at ? optind - 1 : at] : letter,
					      o->command);
			return false;
		}
		int id = id_of(o->command, found);
		if (id == OPT_HELP || id == OPT_VERSION) {
			*ret_status = STATUS_OK;
			if (id == OPT_VERSION)
				printf("tcpwhy %s\n", TCPWHY_VERSION);
			else
				print_help(stdout, o->command);
			return false;
		}
		if (!apply(o, (enum option_id)id, optarg))
			return false;
	}
	o->words = (const char *const *)(argv + optind);
	o->n_words = (size_t)(argc - optind);
	return true;
}

static bool do_not_fit(const struct options *o)
{
	enum { MAX_CHECK_TOP = 100 };
	bool is_metrics = strcmp(o->format, "prometheus") == 0 ||
			  strcmp(o->format, "openmetrics") == 0;
	const char *wrong = NULL;

	if (o->write && !o->interface)
		wrong = _("-w FILE keeps a live capture: it needs an interface");
	else if (o->from && o->record)
		wrong = _("--from and --record exclude each other");
	else if (o->from && o->interface)
		wrong = _("a recorded look has no interface to capture on");
	else if (o->from && (o->netns || o->all_netns))
		wrong = _("a recorded look has the namespaces it was recorded with");
	else if (o->from && o->state)
		wrong = _("a recorded look has no time before it: --state is for this host");
	else if (o->from && o->sockopts)
		wrong = _("a recorded look has no sockets to ask: it shows the options it was recorded with");
	else if (o->netns && o->all_netns)
		wrong = _("-N and -A exclude each other");
	else if (o->only_inet4 && o->only_inet6)
		wrong = _("-4 and -6 exclude each other");
	else if (o->command == COMMAND_CHECK && o->output && !is_metrics)
		wrong = _("-o FILE is for --format=prometheus or openmetrics");
	else if (o->command == COMMAND_CHECK && o->top > MAX_CHECK_TOP)
		wrong = _("--top: at most 100 owners, every label costs");
	else if (o->command == COMMAND_CHECK && o->top && !is_metrics)
		wrong = _("--top N is for --format=prometheus or openmetrics");
	else if (o->command == COMMAND_CHECK && o->n_words > 0)
		wrong = _("check judges the whole host: it takes no filter");
	if (wrong)
		complain(o->command, "%s", wrong);
	return wrong != NULL;
}

const char *options_command_at(size_t i, const char **ret_does)
{
	if (i >= ARRAY_LEN(commands))
		return NULL;
	*ret_does = commands[i].does;
	return commands[i].name;
}

bool options_next(enum command command, size_t *at, struct option_shown *ret)
{
	while (*at < ARRAY_LEN(rows)) {
		const struct row *r = &rows[(*at)++];

		if (!(r->commands & (1u << command)) || !r->help)
			continue;
		*ret = (struct option_shown){ r->name, r->arg, r->help, r->letter };
		return true;
	}
	return false;
}

int options_command(int argc, char **argv, bool *ret_is_word)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

	*ret_is_word = false;
	if (argc > 0 && strcmp(slash ? slash + 1 : argv[0], "check_tcpwhy") == 0)
		return COMMAND_CHECK;
	*ret_is_word = true;
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return (int)i;
	return -1;
}

bool options_parse(int argc, char **argv, struct options *ret, int *ret_status)
{
	struct options o = { .format = "text", .for_ms = 10000, .min_age_ms = 60000, .n_examples = 3,
			     .timeout_ms = 10000, .delay_ms = 2000 };
	bool is_word;
	int command = options_command(argc, argv, &is_word);

	/* Before the command, only these two mean something. */
	if (is_word && argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	     strcmp(argv[1], "help") == 0)) {
		print_commands(stdout);
		*ret_status = STATUS_OK;
		return false;
	}
	if (command >= 0) {
		o.command = (enum command)command;
		argv += is_word;
		argc -= is_word;
	}
	bool is_good = parse_options(argc, argv, &o, ret_status);
	if (is_good && do_not_fit(&o)) {
		*ret_status = STATUS_USAGE;
		is_good = false;
	}
	if (!is_good && o.command == COMMAND_CHECK)
		*ret_status = STATUS_UNKNOWN;
	if (is_good)
		*ret = o;
	return is_good;
}
