#include "explain/topics.h"

#include "explain/tables.h"
#include "util/attr.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const struct topic_table *const tables[] = {
	&explain_states,    &explain_timers, &explain_time_wait, &explain_ports,
	&explain_listeners, &explain_limits, &explain_conntrack, &explain_closing,
	&explain_options,   &explain_errnos, &explain_winsock,
	&explain_counters,
};

size_t topics_count(void)
{
	size_t n = 0;

	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		n += tables[t]->n;
	return n;
}

const struct topic *topics_at(size_t i)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		if (i < tables[t]->n)
			return &tables[t]->at[i];
		i -= tables[t]->n;
	}
	return NULL;
}

size_t topic_name_fold(const char *name, char ret[static TOPIC_NAME_MAX + 1])
{
	static const char proc_sys[] = "/proc/sys/";
	size_t n = 0;

	if (strncmp(name, proc_sys, strlen(proc_sys)) == 0)
		name += strlen(proc_sys);
	for (; *name && *name != '('; name++) {
		if (strchr("-_./ ", *name))
			continue;
		if (n == TOPIC_NAME_MAX)
			return 0;
		ret[n++] = (char)tolower((unsigned char)*name);
	}
	ret[n] = '\0';
	return n;
}

static bool same_exactly(const char *wanted, const char *known)
{
	return strcmp(wanted, known) == 0;
}

static bool same_folded(const char *wanted, const char *known)
{
	char folded[TOPIC_NAME_MAX + 1];

	return topic_name_fold(known, folded) > 0 && strcmp(wanted, folded) == 0;
}

static const struct topic *find(const char *wanted, bool (*same)(const char *, const char *))
{
	const struct topic *topic;

	for (size_t i = 0; (topic = topics_at(i)); i++) {
		if (same(wanted, topic->id))
			return topic;
		for (const char *const *a = topic->aliases; a && *a; a++)
			if (same(wanted, *a))
				return topic;
	}
	return NULL;
}

const struct topic *topics_find(const char *name)
{
	char folded[TOPIC_NAME_MAX + 1];
	const struct topic *exact = find(name, same_exactly);

	if (exact)
		return exact;
	return topic_name_fold(name, folded) > 0 ? find(folded, same_folded) : NULL;
}
