#include "explain/tables.h"
#include "explain/topics.h"
#include "model/state.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

/* Every spelling of every topic: what topics_find() chooses from. */
struct name {
	char folded[TOPIC_NAME_MAX + 1];
	const char *spelling;
	const struct topic *topic;
};

struct names {
	struct name at[1024];
	size_t n;
};

static void add(struct names *names, const char *spelling, const struct topic *topic)
{
	struct name *name = &names->at[names->n];

	assert_true(names->n++ < ARRAY_LEN(names->at));
	assert_true(topic_name_fold(spelling, name->folded) > 0);
	name->spelling = spelling;
	name->topic = topic;
}

static void collect(struct names *names)
{
	names->n = 0;
	for (size_t i = 0; i < topics_count(); i++) {
		const struct topic *topic = topics_at(i);

		add(names, topic->id, topic);
		for (const char *const *a = topic->aliases; a && *a; a++)
			add(names, *a, topic);
	}
}

/* The one pair that only case tells apart; both names are the kernel's. */
static bool may_be_alike(const struct name *a, const struct name *b)
{
	return strcmp(a->folded, "iplocalportrange") == 0 && strcmp(a->spelling, b->spelling) != 0;
}

static void no_name_means_two_things(void **state)
{
	struct names names;
	size_t alike = 0;

	(void)state;
	collect(&names);
	for (size_t i = 0; i < names.n; i++)
		for (size_t j = i + 1; j < names.n; j++) {
			const struct name *a = &names.at[i], *b = &names.at[j];

			if (strcmp(a->folded, b->folded) != 0)
				continue;
			alike++;
			if (!may_be_alike(a, b))
				fail_msg("%s is %s and %s", a->spelling, a->topic->id,
					 b->topic->id);
		}
	assert_int_equal(alike, 1);
}

static void every_name_finds_its_topic(void **state)
{
	struct names names;

	(void)state;
	collect(&names);
	for (size_t i = 0; i < names.n; i++)
		assert_ptr_equal(topics_find(names.at[i].spelling), names.at[i].topic);
}

static void assert_finds(const char *name, const char *id)
{
	const struct topic *topic = topics_find(name);

	if (!topic)
		fail_msg("%s was not found", name);
	assert_string_equal(topic->id, id);
}

static void spellings_are_folded(void **state)
{
	(void)state;
	assert_finds("close-wait", "CLOSE-WAIT");
	assert_finds("CLOSE_WAIT", "CLOSE-WAIT");
	assert_finds("closewait", "CLOSE-WAIT");
	assert_finds("fin_wait2", "FIN-WAIT-2");
	assert_finds("FinWait1", "FIN-WAIT-1");
	assert_finds("estab", "ESTABLISHED");
	assert_finds("net.ipv4.tcp_fin_timeout", "tcp_fin_timeout");
	assert_finds("net/ipv4/tcp_fin_timeout", "tcp_fin_timeout");
	assert_finds("/proc/sys/net/ipv4/tcp_fin_timeout", "tcp_fin_timeout");
	assert_finds("so_linger", "SO_LINGER");
	assert_finds("close(2)", "close");
	assert_finds("shutdown()", "shutdown");
	assert_finds("four-way close", "FIN-WAIT-1");
	assert_finds("ip_local_port_range", "ip_local_port_range");
	assert_finds("IP_LOCAL_PORT_RANGE", "IP_LOCAL_PORT_RANGE");
}

/* Where Windows means the same, its number is an alias; where not, it has a topic of its own. */
static void error_numbers_find_the_right_system(void **state)
{
	(void)state;
	assert_finds("104", "ECONNRESET");
	assert_finds("32", "EPIPE");
	assert_finds("110", "ETIMEDOUT");
	assert_finds("111", "ECONNREFUSED");
	assert_finds("103", "ECONNABORTED");
	assert_finds("99", "EADDRNOTAVAIL");
	assert_finds("98", "EADDRINUSE");
	assert_finds("24", "EMFILE");
	assert_finds("23", "ENFILE");
	assert_finds("10048", "EADDRINUSE");
	assert_finds("10060", "ETIMEDOUT");
	assert_finds("10061", "ECONNREFUSED");
	assert_finds("10053", "WSAECONNABORTED");
	assert_finds("10054", "WSAECONNRESET");
	assert_finds("10055", "WSAENOBUFS");
	assert_finds("10058", "WSAESHUTDOWN");
}

static void strange_names_find_nothing(void **state)
{
	char long_name[100000];

	(void)state;
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_null(topics_find(long_name));
	assert_null(topics_nearest(long_name, NULL, 0));
	assert_null(topics_find(""));
	assert_null(topics_find("-_./ "));
	assert_null(topics_find("()"));
	assert_null(topics_find("105"));
	assert_null(topics_find("\xff\xfe"));
	assert_null(topics_nearest("", NULL, 0));
	assert_null(topics_at(topics_count()));
	assert_null(topics_at(SIZE_MAX));
}

static void every_state_has_a_topic(void **state)
{
	(void)state;
	for (enum state s = STATE_ESTABLISHED; s <= STATE_CLOSING; s++) {
		assert_finds(state_name(s), state_name(s));
		assert_int_equal(topics_find(state_name(s))->kind, TOPIC_STATE);
	}
}

static void every_setting_has_a_topic(void **state)
{
	static const char *const paths[] = {
#define SYSCTL(member, path, unit, does) path,
#include "model/sysctls.def"
#undef SYSCTL
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct topic *topic = topics_find(paths[i]);

		if (!topic)
			fail_msg("%s has no topic", paths[i]);
		assert_int_equal(topic->kind, TOPIC_SYSCTL);
	}
}

static void settings_are_found_by_their_full_name(void **state)
{
	static const struct {
		const char *prefix, *folder;
	} families[] = {
		{ "tcp_", "net.ipv4." },      { "ip_", "net.ipv4." }, { "nf_", "net.netfilter." },
		{ "somaxconn", "net.core." }, { "file-max", "fs." },  { "nr_open", "fs." },
	};
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < topics_count(); i++)
		for (size_t f = 0; f < ARRAY_LEN(families); f++) {
			const struct topic *topic = topics_at(i);
			char name[128];

			if (topic->kind != TOPIC_SYSCTL ||
			    strncmp(topic->id, families[f].prefix, strlen(families[f].prefix)) != 0)
				continue;
			snprintf(name, sizeof(name), "%s%s", families[f].folder, topic->id);
			assert_finds(name, topic->id);
			n++;
		}
	assert_true(n > 30);
}

static void assert_nearest(const char *typed, const char *meant)
{
	static const char *const rules[] = { "close-wait-leaked-fd", "rst-unread-data" };
	const char *found = topics_nearest(typed, rules, ARRAY_LEN(rules));

	if (meant)
		assert_string_equal(found ? found : "nothing", meant);
	else if (found)
		fail_msg("%s was taken for %s", typed, found);
}

static void typing_errors_are_recognised(void **state)
{
	(void)state;
	assert_nearest("tcp_fin_timout", "tcp_fin_timeout");
	assert_nearest("tcp_fin_tiemout", "tcp_fin_timeout");
	assert_nearest("net.ipv4.tcp_fin_timout", "tcp_fin_timeout");
	assert_nearest("CLSOE-WAIT", "CLOSE-WAIT");
	assert_nearest("LASTAKC", "LAST-ACK");
	assert_nearest("SO_LIGNER", "SO_LINGER");
	assert_nearest("ECONRESET", "ECONNRESET");
	assert_nearest("close-wait-leaked-df", "close-wait-leaked-fd");
	assert_nearest("rst-unread-date", "rst-unread-data");
	assert_nearest("CLOSE-WAIT", "CLOSE-WAIT");
	/* Three letters may hold one error, six two; neighbours in the wrong order are one. */
	assert_nearest("RTS", "ECONNRESET");
	assert_nearest("lxstxn", "LISTEN");
	assert_nearest("lxsxxn", NULL);
	assert_nearest("105", NULL);
	assert_nearest("10056", NULL);
	assert_nearest("xyzzy", NULL);
	assert_nearest("q", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_name_means_two_things),
		cmocka_unit_test(every_name_finds_its_topic),
		cmocka_unit_test(spellings_are_folded),
		cmocka_unit_test(error_numbers_find_the_right_system),
		cmocka_unit_test(strange_names_find_nothing),
		cmocka_unit_test(every_state_has_a_topic),
		cmocka_unit_test(every_setting_has_a_topic),
		cmocka_unit_test(settings_are_found_by_their_full_name),
		cmocka_unit_test(typing_errors_are_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
