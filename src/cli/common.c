#include "cli/run.h"
#include "cli/sandbox.h"
#include "report/escape.h"
#include "report/wrap.h"
#include "util/buf.h"
#include "util/i18n.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool is_ascii(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

void say_line(const char *fmt, ...)
{
	AUTO_BUF text = { 0 };
	AUTO_BUF line = { 0 };
	va_list args;

	va_start(args, fmt);
	buf_vprintf(&text, fmt, args);
	va_end(args);
	escape_terminal(&line, buf_text(&text), is_ascii());
	buf_putc(&line, '\n');
	fputs(buf_text(&line), stderr);
}

void say_failure(const struct fail *fail)
{
	say_line("tcpwhy: %s: %s", fail->object, fail->what);
	if (fail->hint[0])
		say_line("  %s", fail->hint);
}

/* The expression, and below it a mark at what is wrong. */
static void show_place(const char *text, size_t at)
{
	AUTO_BUF before = { 0 };
	AUTO_BUF shown = { 0 };

	buf_add(&before, text, at < strlen(text) ? at : strlen(text));
	escape_terminal(&shown, buf_text(&before), is_ascii());
	say_line("  %s", text);
	say_line("  %*s^", (int)text_columns(buf_text(&shown), shown.n), "");
}

/* At its first word somebody may have meant something else: a command, or a capture. */
static void say_what_was_meant(const char *word)
{
	const char *command = word ? options_nearest_command(word) : NULL;
	struct stat st;

	if (command)
		say_line(_("Did you mean `tcpwhy %s`? `tcpwhy --help` lists the commands."), command);
	else if (word && stat(word, &st) == 0 && S_ISREG(st.st_mode))
		say_line(_("Did you mean `tcpwhy pcap %s`, a capture alone, or `-r %s`, with the sockets?"), word, word);
	else
		say_line(_("The language is that of tcpwhy-filter(7); `tcpwhy --help` lists the commands."));
}

struct filter *parse_filter(const char *const *words, size_t n)
{
	struct filter_error error = { 0 };
	struct filter *f = filter_parse(words, n, &error);

	if (f)
		return f;
	say_line(_("tcpwhy: filter: %s"), error.what);
	if (error.text)
		show_place(error.text, error.at);
	say_what_was_meant(n > 0 && error.at == 0 ? words[0] : NULL);
	free(error.text);
	return NULL;
}

static int terminal_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (columns && atoi(columns) > 20)
		return atoi(columns);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
		return size.ws_col;
	return 80;
}

static bool wants_colour(const struct options *o)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (o->colour != COLOUR_AUTO)
		return o->colour == COLOUR_ALWAYS;
	if (no && *no)
		return false;
	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

void fill_report_options(const struct options *o, enum report_kind kind, struct report_options *ret)
{
	*ret = (struct report_options){
		.kind = kind,
		.width = terminal_width(),
		.colour = wants_colour(o),
		.ascii = is_ascii(),
		.verbose = o->verbose,
		.no_header = o->no_header,
		.processes = o->processes,
		.timers = o->timers,
		.extended = o->extended,
		.info = o->info,
		.memory = o->memory,
		.n_examples = o->n_examples,
		.min_age_ms = o->min_age_ms,
	};
}

static void show_progress(void *ctx, const struct capture_info *so_far, int percent)
{
	AUTO_BUF name = { 0 };

	(void)ctx;
	escape_terminal(&name, so_far->name, is_ascii());
	if (percent >= 0)
		fprintf(stderr, _("\r%s: %d %%, %llu packets"), buf_text(&name), percent,
			(unsigned long long)so_far->packets);
	else
		fprintf(stderr, _("\r%s: %llu packets"), buf_text(&name),
			(unsigned long long)so_far->packets);
	fflush(stderr);
}

struct capture_progress progress_for(const struct options *o)
{
	bool wanted = !o->no_progress && isatty(STDERR_FILENO);

	return (struct capture_progress){ .report = wanted ? show_progress : NULL };
}

static bool close_doors(const struct sandbox_doors *doors, struct fail *fail)
{
	if (sandbox_enter(doors))
		return true;
	fail_set(fail, "sandbox", "%s", _("the privileges of whoever started this cannot be given up here"));
	fail_hint(fail, "%s", _("start it without them; or --no-sandbox, for input that is trusted"));
	return false;
}

static void say_naked(void)
{
	say_line(_("tcpwhy: WARNING: --no-sandbox: what others wrote is parsed with all the privileges of "
		   "whoever started this"));
}

bool enter_sandbox(const struct options *o, struct fail *fail)
{
	if (!o->no_sandbox)
		return close_doors(NULL, fail);
	say_naked();
	return true;
}

/* Files that are written after the look. */
static struct sandbox_doors doors_of(const struct options *o)
{
	return (struct sandbox_doors){
		.read_folder = o->from,
		.written = { o->output, o->state, o->draft && strcmp(o->draft, "-") != 0 ? o->draft : NULL },
	};
}

/* What is written behind the look has to be allowed during it: filters add up, and Landlock, which knows folders,
 * hides all processes outside (Linux security/landlock, hook_ptrace_access_check()). */
bool begin_look(const struct options *o, struct fail *fail)
{
	const struct sandbox_doors doors = doors_of(o);

	if (o->no_sandbox)
		say_naked();
	else if (o->from)
		return close_doors(&doors, fail);
	else
		sandbox_look((o->record || sandbox_has_written(&doors) ? LOOK_WRITES : 0) |
			     (o->sockopts ? LOOK_BORROWS : 0));
	return true;
}

static bool end_look(const struct options *o, struct fail *fail)
{
	const struct sandbox_doors doors = doors_of(o);

	return o->no_sandbox || o->from || close_doors(sandbox_has_written(&doors) ? &doors : NULL, fail);
}

int take_look(const struct options *o, const struct live_request *req, bool is_last, struct look **ret,
	      struct fail *fail)
{
	int error = begin_look(o, fail) ? live_look(req, ret, fail) : -EPERM;

	if (error >= 0)
		(*ret)->is_narrowed = req->bytecode || req->only_inet4 || req->only_inet6;
	if (error < 0 || !is_last || end_look(o, fail))
		return error;
	look_free(*ret);
	return -EPERM;
}

struct live_request whole_look(const struct options *o)
{
	return (struct live_request){
		.from = o->from,
		.record = o->record,
		.netns = o->netns,
		.all_netns = o->all_netns,
		.states = STATES_ALL,
		.want_info = true,
		.want_memory = o->record || o->command == COMMAND_CHECK,
		.want_host = true,
		.owners = OWNERS_ALL,
		.want_watch = true,
		.want_dead = o->dead_sockets,
		.deadline_ns = deadline_of(o),
		.want_sockopts = o->sockopts,
		.only_inet4 = o->only_inet4,
		.only_inet6 = o->only_inet6,
	};
}

void say_gaps(const struct gaps *gaps)
{
	for (size_t i = 0; i < gaps->n; i++)
		say_line("tcpwhy: %s: %s; %s", gaps->at[i].object, gaps->at[i].reason, gaps->at[i].effect);
}

bool was_written(int error)
{
	if (error < 0 && error != -EPIPE)
		say_line("tcpwhy: stdout: %s", strerror(-error)); /* untranslated: a name */
	return error == 0;
}

int64_t deadline_of(const struct options *o)
{
	struct timespec now;

	if (!o->budget_ms)
		return 0;
	uint64_t ms = o->budget_ms + (o->interface ? o->for_ms : 0); /* the look comes after the capture */

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec + (int64_t)ms * 1000000;
}

void gap_uncounted(const struct findings *findings, struct gaps *gaps)
{
	if (findings->n_uncounted > 0)
		gap_add(gaps, "cap", "findings", _("more destinations than are told apart"),
			_("crowds and idle times that repeat are not looked for at later ones"));
}

const struct gap *gaps_spoiler(const struct gaps *gaps)
{
	static const char *const spoiling[] = { "capture", "dump", "netns", "cap", "read", "budget" };

	for (size_t i = 0; i < gaps->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(spoiling); k++)
			if (strcmp(gaps->at[i].what, spoiling[k]) == 0)
				return &gaps->at[i];
	return NULL;
}

bool gaps_spoil(const struct gaps *gaps)
{
	return gaps_spoiler(gaps) != NULL;
}

int status_of(const struct options *o, const struct findings *findings, bool is_whole)
{
	enum severity worst = SEVERITY_NOTE;

	for (size_t i = 0; i < findings->n; i++)
		if (findings->at[i].severity > worst)
			worst = findings->at[i].severity;
	if (o->exit_code && worst == SEVERITY_PROBLEM)
		return 2;
	if (o->exit_code && worst == SEVERITY_WARNING)
		return 1;
	return is_whole ? STATUS_OK : STATUS_FAILED;
}
