#include "rules/runtime.h"
#include "util/attr.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char *advice_of(const char *exe, const char *comm, enum advice about)
{
	const struct proc p = { .exe = exe, .comm = comm };
	const struct fix *fix = runtime_fix(&p, about);

	return fix ? fix->text : NULL;
}

static void programs_are_known_by_name(void **state)
{
	static const struct {
		const char *exe, *comm, *begins;
	} rows[] = {
		{ "/usr/sbin/nginx", "nginx", "nginx" },
		{ "/usr/sbin/nginx (deleted)", "nginx", "nginx" },
		{ "/usr/bin/python3.11", "shop-api", "Python:" },
		{ NULL, "gunicorn: maste", "Python:" },
		{ "/opt/jdk/bin/java", "main", "Java:" },
		{ "/usr/bin/node", "MainThread", "Node:" },
		{ "/usr/local/bin/envoy", "wrk:worker_0", "Envoy:" },
		{ "/usr/sbin/haproxy", "haproxy", "HAProxy:" },
		{ "/usr/bin/etcd", "etcd", "Go:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = advice_of(rows[i].exe, rows[i].comm, ADVICE_POOL);

		if (!text || strncmp(text, rows[i].begins, strlen(rows[i].begins)) != 0)
			fail_msg("%s: %s", rows[i].comm, text ? text : "nothing");
	}
}

static void others_are_not(void **state)
{
	(void)state;
	assert_null(advice_of("/usr/bin/nginx-exporter", "nginx-exporter", ADVICE_POOL));
	assert_null(advice_of("/usr/bin/sleep", "sleep", ADVICE_LEAK));
	assert_null(advice_of("/usr/sbin/nginx", "nginx", ADVICE_NONE));
	/* Nothing particular to say. */
	assert_null(advice_of("/usr/local/bin/envoy", "envoy", ADVICE_STUCK));
	assert_null(runtime_fix(NULL, ADVICE_LEAK));
	assert_null(advice_of(NULL, NULL, ADVICE_LEAK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_are_known_by_name),
		cmocka_unit_test(others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
