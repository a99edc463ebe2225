#include "model/finding.h"

#include <assert.h>
#include <string.h>

const char *severity_name(enum severity s)
{
	static const char *const names[] = {
		[SEVERITY_NOTE] = "note",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_PROBLEM] = "problem",
	};

	return names[s];
}

const char *subject_kind_name(enum subject_kind k)
{
	static const char *const names[] = {
		[SUBJECT_PROCESS] = "process",         [SUBJECT_LISTENER] = "listener",
		[SUBJECT_DESTINATION] = "destination", [SUBJECT_HOST] = "host",
		[SUBJECT_CONNECTION] = "connection",
	};

	return names[k];
}

const char *fix_kind_name(enum fix_kind k)
{
	static const char *const names[] = {
		[FIX_CODE] = "code",
		[FIX_SOCKOPT] = "sockopt",
		[FIX_SYSCTL] = "sysctl",
		[FIX_OPERATION] = "operation",
	};

	return names[k];
}

const struct fix *finding_fix(const struct finding *f, size_t i)
{
	if (f->own_fix && i == 0)
		return f->own_fix;
	i -= f->own_fix != NULL;
	return i < MAX_FIXES && f->text->fixes[i].text ? &f->text->fixes[i] : NULL;
}

struct fact *finding_fact(struct finding *f, const char *name, enum fact_kind kind, int64_t number)
{
	assert(f->n_facts < MAX_FACTS);
	struct fact *fact = &f->facts[f->n_facts++];

	*fact = (struct fact){ .name = name, .kind = kind, .number = number };
	return fact;
}

void finding_fact_text(struct finding *f, const char *name, const char *text)
{
	finding_fact(f, name, FACT_TEXT, 0)->text = text;
}

void finding_fact_sentence(struct finding *f, const char *name, const char *text)
{
	finding_fact(f, name, FACT_SENTENCE, 0)->text = text;
}

const struct fact *finding_find_fact(const struct finding *f, const char *name, size_t len)
{
	for (size_t i = 0; i < f->n_facts; i++)
		if (strlen(f->facts[i].name) == len && memcmp(f->facts[i].name, name, len) == 0)
			return &f->facts[i];
	return NULL;
}
