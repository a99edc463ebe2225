#include "lab/verdict.h"
#include "util/i18n.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static bool has_fact(const json_t *finding, const struct expected *e)
{
	const json_t *fact = e->fact ? json_object_get(json_object_get(finding, "facts"), e->fact) : NULL;

	return !e->fact || (json_is_integer(fact) && json_integer_value(fact) == e->value);
}

static bool fits(const json_t *finding, const struct expected *e)
{
	const json_t *subject = json_object_get(finding, "subject");

	return strcmp(text_of(finding, "rule"), e->rule) == 0 &&
	       (e->pid == 0 || json_integer_value(json_object_get(subject, "pid")) == e->pid) &&
	       json_integer_value(json_object_get(finding, "count")) >= (json_int_t)e->count &&
	       has_fact(finding, e);
}

static const json_t *finding_of(const json_t *findings, const struct expected *e)
{
	for (size_t i = 0; i < json_array_size(findings); i++)
		if (fits(json_array_get(findings, i), e))
			return json_array_get(findings, i);
	return NULL;
}

static bool same_endpoints(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "local", "peer", "client", "server" };
	size_t n_common = 0;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const json_t *in_a = json_object_get(a, keys[i]), *in_b = json_object_get(b, keys[i]);

		if (!in_a && !in_b)
			continue;
		if (!json_equal(in_a, in_b))
			return false;
		n_common++;
	}
	return n_common > 0;
}

static bool share_an_example(const json_t *a, const json_t *b)
{
	const json_t *of_a = json_object_get(a, "examples"), *of_b = json_object_get(b, "examples");

	for (size_t i = 0; i < json_array_size(of_a); i++)
		for (size_t k = 0; k < json_array_size(of_b); k++)
			if (same_endpoints(json_array_get(of_a, i), json_array_get(of_b, k)))
				return true;
	return false;
}

/* Another finding that calls the same sockets a problem; NULL: none. */
static const json_t *rival_of(const json_t *findings, const json_t *of)
{
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);

		if (f != of && strcmp(text_of(f, "severity"), "problem") == 0 &&
		    share_an_example(f, of))
			return f;
	}
	return NULL;
}

PRINTF(2, 3) static void say(const struct stage *st, const char *fmt, ...)
{
	va_list args;

	fputs(_("verdict: "), st->out);
	va_start(args, fmt);
	vfprintf(st->out, fmt, args);
	va_end(args);
	fputc('\n', st->out);
}

static const char *comm_of(const struct stage *st, pid_t pid)
{
	for (int i = 0; i < st->n_actors; i++)
		if (st->actors[i].pid == pid)
			return st->actors[i].comm;
	return "";
}

static void say_missing(const struct stage *st, const struct expected *e, const json_t *findings)
{
	say(st, _("NOT as expected: %s of %s[%d], %llu connections or more; there is"), e->rule,
	    comm_of(st, e->pid), e->pid, (unsigned long long)e->count);
	if (e->fact)
		fprintf(st->out, _("  (wanted is %s %lld)\n"), e->fact, (long long)e->value);
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);
		const json_t *subject = json_object_get(f, "subject");

		fprintf(st->out, "  %s %s %s[%" JSON_INTEGER_FORMAT "] %" JSON_INTEGER_FORMAT "\n",
			text_of(f, "severity"), text_of(f, "rule"), text_of(subject, "comm"),
			json_integer_value(json_object_get(subject, "pid")),
			json_integer_value(json_object_get(f, "count")));
	}
}

static bool is_as_expected(const struct stage *st, const json_t *findings, const struct expected *e)
{
	const json_t *found = finding_of(findings, e);

	if (!found) {
		say_missing(st, e, findings);
		return false;
	}
	const json_t *rival = rival_of(findings, found);
	if (rival) {
		say(st, _("NOT as expected: %s as well as %s about the same sockets"),
		    text_of(rival, "rule"), e->rule);
		return false;
	}
	if (e->pid)
		say(st, _("%s as expected: %s[%d]"), e->rule, comm_of(st, e->pid), e->pid);
	else
		say(st, _("%s as expected"), e->rule);
	return true;
}

static bool is_silent(const struct stage *st, const struct lab_scenario *scenario,
		      const json_t *findings)
{
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);

		const json_t *subject = json_object_get(f, "subject");

		if (strcmp(text_of(f, "severity"), "note") == 0 &&
		    strcmp(text_of(f, "rule"), scenario->rule) != 0)
			continue;
		/* The scenario's own settings are odd on purpose. */
		if (strcmp(text_of(subject, "kind"), "host") == 0)
			continue;
		say(st, _("NOT as expected: a %s, %s, about healthy life"), text_of(f, "severity"),
		    text_of(f, "rule"));
		return false;
	}
	say(st, _("silent as expected: no warning, no problem, no %s"), scenario->rule);
	return true;
}

bool verdict_judge(struct stage *st, const struct lab_scenario *scenario, int fd)
{
	json_error_t error;
	json_t *report = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	const json_t *findings = json_object_get(report, "findings");
	bool good = json_is_array(findings) && json_is_true(json_object_get(report, "complete"));

	if (!good)
		say(st, _("NOT as expected: no complete report (%s)"), report ? "" : error.text);
	else if (scenario->is_near_miss)
		good = is_silent(st, scenario, findings);
	for (int i = 0; good && i < st->n_expected; i++)
		good = is_as_expected(st, findings, &st->expected[i]);
	json_decref(report);
	return good;
}
