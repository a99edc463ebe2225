#include "check/table.h"
#include "cli/run.h"
#include "explain/topics.h"
#include "lab/lab.h"
#include "report/columns.h"
#include "rules/judge.h"
#include "util/buf.h"
#include "util/i18n.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* How it works: a shell calls `tcpwhy __complete WORD...` with the words of the line so far, the last
 * one unfinished and perhaps empty. A line of the answer is a whole word that may stand there, a tab
 * and what it means; ":files" and ":folders" ask the shell for its own. So there is one grammar, here,
 * and three small scripts in completions/. */

struct line {
	const char *const *words; /* behind the command */
	size_t n;                 /* at least 1: the last is the unfinished one */
	enum command command;
	const char *typed;  /* what the candidates must begin with */
	const char *prefix; /* printed in front of each: "--color=" */
	int prefix_length;
};

static void ask_shell_for(const char *what)
{
	printf(":%s\n", what);
}

static void offer(const struct line *l, const char *word, const char *means)
{
	if (strncmp(word, l->typed, strlen(l->typed)) == 0)
		printf("%.*s%s\t%s\n", l->prefix_length, l->prefix, word, means);
}

/* Names of which case does not matter are offered in the case in which they were begun. */
static void offer_folded(const struct line *l, const char *word, const char *means)
{
	AUTO_BUF folded = { 0 };
	bool has_lower = false;

	for (const char *c = l->typed; *c; c++)
		has_lower |= islower((unsigned char)*c) != 0;
	for (const char *c = word; *c; c++)
		buf_putc(&folded, has_lower ? (char)tolower((unsigned char)*c) : *c);
	offer(l, buf_text(&folded), means);
}

/* The names in a folder that are no trouble to a terminal or a shell. */
static void offer_names_in(const struct line *l, const char *folder, const char *means)
{
	DIR *names = opendir(folder);
	struct dirent *name;

	while (names && (name = readdir(names))) {
		size_t plain = strspn(name->d_name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
						    "0123456789._-");

		if (name->d_name[0] != '.' && name->d_name[plain] == '\0')
			offer(l, name->d_name, means);
	}
	if (names)
		closedir(names);
}

static void offer_states(const struct line *l)
{
	const char *group;

	for (enum state s = STATE_ESTABLISHED; s < STATE_NEW_SYN_RECV; s++)
		offer_folded(l, state_name(s), _("state"));
	for (size_t i = 0; (group = filter_state_group_at(i)); i++)
		offer(l, group, _("group of states"));
}

static void offer_rules(const struct line *l)
{
	for (size_t i = 0; i < rules_count(); i++)
		offer(l, rules_text(i)->id, _(rules_text(i)->title));
}

static void offer_topics(const struct line *l)
{
	const struct topic *t;

	offer_rules(l);
	for (size_t i = 0; (t = topics_at(i)); i++)
		offer_folded(l, t->id, _(t->title));
}

static void offer_scenarios(const struct line *l)
{
	size_t n;
	const struct lab_scenario *scenarios = lab_scenarios(&n);

	for (size_t i = 0; i < n; i++)
		offer(l, scenarios[i].name, _(scenarios[i].title));
}

static void offer_checks(const struct line *l)
{
	for (size_t i = 0; i < N_CHECK_ROWS; i++) {
		AUTO_BUF name = { 0 };

		buf_printf(&name, "%s=", check_rows[i].name);
		offer(l, buf_text(&name), "");
	}
}

/* Behind those that are typed already, and behind a sign. */
static void offer_columns(const struct line *l)
{
	const char *comma = strrchr(l->typed, ','), *begun = comma ? comma + 1 : l->typed;
	const struct column *c;

	begun += *begun == '+' || *begun == '-';
	for (size_t i = 0; (c = column_at(i)); i++) {
		AUTO_BUF word = { 0 };

		buf_add(&word, l->typed, (size_t)(begun - l->typed));
		buf_puts(&word, c->name);
		offer(l, buf_text(&word), c->heading);
	}
}

/* Words with blanks between. */
static void offer_each(const struct line *l, const char *words, const char *means)
{
	while (*words) {
		char word[32];
		size_t length = strcspn(words, " ");

		snprintf(word, sizeof(word), "%.*s", (int)length, words);
		offer(l, word, means);
		words += length + strspn(words + length, " ");
	}
}

/* By what --help calls the value of an option. Of a number or a time nothing can be known. */
static void offer_values(const struct line *l, const char *arg)
{
	if (!arg)
		return;
	if (strcmp(arg, "FILE") == 0)
		ask_shell_for("files");
	else if (strcmp(arg, "DIR") == 0)
		ask_shell_for("folders");
	else if (strcmp(arg, "IFACE") == 0) {
		offer(l, "any", _("all interfaces"));
		offer_names_in(l, "/sys/class/net", _("interface"));
	} else if (strcmp(arg, "NS") == 0)
		offer_names_in(l, "/run/netns", _("network namespace"));
	else if (strcmp(arg, "WHEN") == 0)
		offer_each(l, "auto always never", "");
	else if (strcmp(arg, "FORMAT") == 0)
		offer_each(l, "text json prometheus openmetrics", "");
	else if (strcmp(arg, "COLUMNS") == 0 || strcmp(arg, "COLUMN") == 0)
		offer_columns(l);
	else if (strcmp(arg, "WHAT") == 0)
		offer_each(l, "state peer local-port owner unit container pod netns", "");
	else if (strcmp(arg, "RANGES") == 0)
		offer_checks(l);
}

/* The option that this word is or ends with, if it then wants a value: -r, -nr, --read. */
static const char *wants(const struct line *l, const char *word)
{
	struct option_shown o;
	bool is_long = strncmp(word, "--", 2) == 0;

	if (word[0] != '-' || word[1] == '\0')
		return NULL;
	for (size_t at = 0; options_next(l->command, &at, &o);) {
		if (is_long ? strcmp(word + 2, o.name) == 0 : word[strlen(word) - 1] == o.letter)
			return o.arg;
	}
	return NULL;
}

static void offer_options(const struct line *l)
{
	struct option_shown o;

	for (size_t at = 0; options_next(l->command, &at, &o);) {
		AUTO_BUF word = { 0 };

		buf_printf(&word, "--%s", o.name);
		offer(l, buf_text(&word), _(o.help));
	}
}

static void offer_commands(const struct line *l)
{
	const char *name, *does;

	for (size_t i = 0; (name = options_command_at(i, &does)); i++)
		offer(l, name, _(does));
}

static void offer_conditions(const struct line *l, const char *previous)
{
	const char *word;

	if (strcmp(previous, "state") == 0 || strcmp(previous, "exclude") == 0)
		offer_states(l);
	else if (strcmp(previous, "rule") == 0)
		offer_rules(l);
	else if (strcmp(previous, "timer") == 0)
		offer_each(l, "off on keepalive timewait persist", "");
	else if (strcmp(previous, "dev") == 0)
		offer_names_in(l, "/sys/class/net", _("interface")); /* `any` is none of a socket */
	else if (strcmp(previous, "netns") == 0)
		offer_values(l, "NS");
	else {
		for (size_t i = 0; (word = filter_word_at(i)); i++)
			offer(l, word, _("condition"));
		offer_each(l, "and or not", "");
	}
}

static void offer_words(const struct line *l, const char *previous)
{
	switch (l->command) {
	case COMMAND_EXPLAIN:
		offer_topics(l);
		break;
	case COMMAND_LAB:
		offer_scenarios(l);
		break;
	case COMMAND_AUDIT:
	case COMMAND_CHECK:
	case COMMAND_SNAPSHOT:
		break;
	case COMMAND_PCAP:
		ask_shell_for("files");
		offer_conditions(l, previous);
		break;
	case COMMAND_WHY:
	case COMMAND_LIST:
	case COMMAND_WATCH:
		offer_conditions(l, previous);
		break;
	}
}

static void complete(const struct line *l, bool has_command)
{
	struct line value = *l;
	const char *last = l->typed, *previous = l->n > 1 ? l->words[l->n - 2] : "";
	const char *equals = strncmp(last, "--", 2) == 0 ? strchr(last, '=') : NULL;

	if (equals) {
		char option[32];

		snprintf(option, sizeof(option), "%.*s", (int)(equals - last), last);
		value.prefix = last;
		value.prefix_length = (int)(equals + 1 - last);
		value.typed = equals + 1;
		offer_values(&value, wants(l, option));
	} else if (wants(l, previous)) {
		offer_values(l, wants(l, previous));
	} else if (last[0] == '-') {
		offer_options(l);
	} else {
		if (l->n == 1 && !has_command)
			offer_commands(l);
		offer_words(l, previous);
	}
}

int run_complete(int argc, char **argv)
{
	bool is_word;

	if (argc < 3)
		return STATUS_USAGE;
	argv[1] = argv[0]; /* check_tcpwhy is a command by its name */
	argc--;
	argv++;
	int command = options_command(argc, argv, &is_word);
	/* A word that is not finished is no command yet. */
	if (is_word && argc == 2)
		command = -1;
	int n_before = 1 + (is_word && command >= 0);

	complete(&(struct line){ .words = (const char *const *)argv + n_before,
				 .n = (size_t)(argc - n_before),
				 .command = command >= 0 ? (enum command)command : COMMAND_WHY,
				 .typed = argv[argc - 1],
				 .prefix = "" },
		 command >= 0);
	return STATUS_OK;
}
