#include "rules/catalogue.h"
#include "rules/judge.h"

#include <string.h>

static const struct {
	const struct rule *rows;
	const size_t *n;
} families[] = {
	{ owner_rules, &n_owner_rules },           { close_wait_rules, &n_close_wait_rules },
	{ unacked_rules, &n_unacked_rules },       { fin_wait_rules, &n_fin_wait_rules },
	{ time_wait_rules, &n_time_wait_rules },   { port_rules, &n_port_rules },
	{ listener_rules, &n_listener_rules },     { limit_rules, &n_limit_rules },
	{ host_rules, &n_host_rules },             { reset_rules, &n_reset_rules },
	{ ending_rules, &n_ending_rules },         { silence_rules, &n_silence_rules },
	{ ordinary_rules, &n_ordinary_rules },
};

size_t rules_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		n += *families[i].n;
	return n;
}

const struct rule *rules_at(size_t i)
{
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		if (i < *families[f].n)
			return &families[f].rows[i];
		i -= *families[f].n;
	}
	return NULL;
}

size_t rules_place(const struct rule *r)
{
	size_t place = 0;

	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		uintptr_t first = (uintptr_t)families[f].rows, at = (uintptr_t)r;

		if (at >= first && at < first + *families[f].n * sizeof(*r))
			return place + (size_t)(r - families[f].rows);
		place += *families[f].n;
	}
	return place;
}

const struct rule_text *rules_text(size_t i)
{
	const struct rule *r = rules_at(i);

	return r ? &r->text : NULL;
}

const struct rule_text *rules_find(const char *id)
{
	for (size_t i = 0; i < rules_count(); i++)
		if (strcmp(rules_at(i)->text.id, id) == 0)
			return &rules_at(i)->text;
	return NULL;
}
