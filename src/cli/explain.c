#include "cli/pager.h"
#include "cli/run.h"
#include "explain/topics.h"
#include "report/explain.h"
#include "rules/judge.h"
#include "util/i18n.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Rules come from the catalogue, everything else from the topics. */

static struct topic topic_of_rule(const struct rule_text *rule)
{
	return (struct topic){
		.kind = TOPIC_RULE,
		.id = rule->id,
		.title = rule->title,
		.text = rule->why,
		.refs = rule->refs,
		.rule = rule,
	};
}

struct catalogue {
	struct topic *rules;
	const char **rule_ids;
	const struct topic **all;
	size_t n_rules, n;
};

static void catalogue_fill(struct arena *arena, struct catalogue *c)
{
	c->n_rules = rules_count();
	c->rules = arena_array(arena, c->n_rules, sizeof(*c->rules));
	c->rule_ids = arena_array(arena, c->n_rules, sizeof(*c->rule_ids));
	c->all = arena_array(arena, c->n_rules + topics_count(), sizeof(*c->all));
	for (size_t i = 0; i < c->n_rules; i++) {
		c->rules[i] = topic_of_rule(rules_text(i));
		c->rule_ids[i] = c->rules[i].id;
		c->all[c->n++] = &c->rules[i];
	}
	for (size_t i = 0; i < topics_count(); i++)
		c->all[c->n++] = topics_at(i);
}

static const struct topic *find(const struct catalogue *c, const char *name)
{
	for (size_t i = 0; i < c->n_rules; i++)
		if (strcasecmp(c->rules[i].id, name) == 0)
			return &c->rules[i];
	return topics_find(name);
}

static int explain(const struct options *o, struct arena *arena)
{
	const struct topic **asked = arena_array(arena, o->n_words + 1, sizeof(*asked));
	struct report_options options;
	struct catalogue c = { 0 };

	catalogue_fill(arena, &c);
	fill_report_options(o, REPORT_WHY, &options);
	for (size_t i = 0; i < o->n_words; i++) {
		const char *nearest;

		asked[i] = find(&c, o->words[i]);
		if (asked[i])
			continue;
		nearest = topics_nearest(o->words[i], c.rule_ids, c.n_rules);
		say_line(_("tcpwhy: explain: %s: no such topic"), o->words[i]);
		if (nearest)
			say_line(_("Did you mean %s? `tcpwhy explain` lists them all."), nearest);
		else
			say_line(_("`tcpwhy explain` lists them all."));
		return STATUS_USAGE;
	}
	int failed;
	pid_t pager = strcmp(o->format, "json") == 0 ? 0 : pager_begin();
	if (o->n_words > 0)
		failed = explain_write(asked, o->n_words, format_find(o->format), &options,
				       STDOUT_FILENO);
	else if (strcmp(o->format, "json") == 0)
		failed = explain_write(c.all, c.n, format_find(o->format), &options, STDOUT_FILENO);
	else
		failed = explain_list(c.all, c.n, &options, STDOUT_FILENO);
	int status = was_written(failed) ? STATUS_OK : STATUS_FAILED;
	pager_end(pager);
	return status;
}

int run_explain(const struct options *o)
{
	struct arena *arena = arena_new();
	int status = explain(o, arena);

	arena_free(arena);
	return status;
}
