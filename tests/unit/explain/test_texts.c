#include "explain/topics.h"
#include "test.h"
#include "util/attr.h"

#include <ctype.h>
#include <string.h>

/* Longest of the words are kernel paths and option names; longer ones do not fit a terminal. */
enum { WORDS_MIN = 60, WORDS_MAX = 250, WORD_MAX = 60, TITLE_MAX = 80 };

static void assert_plain(const struct topic *topic, const char *text)
{
	size_t len = strlen(text);

	assert_true(len > 0);
	if (isspace((unsigned char)text[0]) || isspace((unsigned char)text[len - 1]))
		fail_msg("%s: blanks around a text", topic->id);
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
			fail_msg("%s: not plain ASCII behind '%.20s'", topic->id, text + i);
	if (strstr(text, "  ") || strstr(text, " \n") || strstr(text, "\n "))
		fail_msg("%s: double blanks", topic->id);
}

static size_t count_words(const struct topic *topic, const char *text)
{
	size_t n = 0;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (len > WORD_MAX)
			fail_msg("%s: too long a word: %.20s", topic->id, text);
		n += len > 0;
		text += len;
		text += strspn(text, " \n");
	}
	return n;
}

/* Paragraphs are separated by exactly one empty line; nothing else breaks a line. */
static void assert_paragraphs(const struct topic *topic)
{
	for (const char *at = strchr(topic->text, '\n'); at; at = strchr(at + 2, '\n'))
		if (at[1] != '\n' || at[2] == '\n')
			fail_msg("%s: a stray line break at '%.20s'", topic->id, at);
}

static void every_topic_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < topics_count(); i++) {
		const struct topic *topic = topics_at(i);

		assert_non_null(topic->title);
		assert_non_null(topic->text);
		if (!topic->refs)
			fail_msg("%s: no source", topic->id);
		assert_int_not_equal(topic->kind, TOPIC_RULE);
		assert_null(topic->rule);
		assert_true(strlen(topic->title) <= TITLE_MAX);
		assert_null(strchr(topic->title, '\n'));
		assert_true(topic->title[strlen(topic->title) - 1] != '.');
	}
}

static void every_text_is_well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < topics_count(); i++) {
		const struct topic *topic = topics_at(i);
		size_t n;

		assert_plain(topic, topic->id);
		assert_plain(topic, topic->title);
		assert_plain(topic, topic->text);
		assert_plain(topic, topic->refs);
		assert_paragraphs(topic);
		n = count_words(topic, topic->text);
		if (n < WORDS_MIN || n > WORDS_MAX)
			fail_msg("%s: %zu words", topic->id, n);
	}
}

/* A reference is one of: a kernel file, an RFC, a manual page, a named document. */
static void sources_are_a_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < topics_count(); i++)
		for (const char *at = topics_at(i)->refs; *at;) {
			size_t len = strcspn(at, ";");

			assert_true(len >= strlen("ss(8)"));
			at += len;
			if (*at == ';')
				assert_true(*++at == ' ' && *++at != '\0');
		}
}

/* Names in a text that look like a setting, an option or an error of ours have a topic. */
static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void every_name_in_a_text_is_explained(void **state)
{
	static const char *const prefixes[] = {
		"tcp_", "nf_conntrack_", "TCP_", "SO_", "IP_", "WSA"
	};
	/* Kernel names that are no setting of teardown, or not Linux's. */
	static const char *const known[] = { "tcp_rmem", "tcp_wmem", "SO_RCVTIMEO",
					     "TCP_RTO_MAX_MS" };

	(void)state;
	for (size_t i = 0; i < topics_count(); i++)
		for (const char *at = topics_at(i)->text; *at; at++) {
			char name[64];
			size_t len = 0;
			bool is_ours = false;

			if (at > topics_at(i)->text && is_name_char(at[-1]))
				continue;
			while (is_name_char(at[len]) && len < sizeof(name) - 1)
				len++;
			memcpy(name, at, len);
			name[len] = '\0';
			for (size_t p = 0; p < ARRAY_LEN(prefixes); p++)
				is_ours |= strncmp(name, prefixes[p], strlen(prefixes[p])) == 0;
			for (size_t k = 0; k < ARRAY_LEN(known); k++)
				is_ours &= strcmp(name, known[k]) != 0;
			if (is_ours && !topics_find(name))
				fail_msg("%s speaks of %s", topics_at(i)->id, name);
		}
}

/* Words that must stand, and words that must not, where popular advice is wrong. */
static void assert_says(const char *name, const char *words)
{
	if (!strstr(topics_find(name)->text, words))
		fail_msg("%s does not say: %s", name, words);
}

static void popular_mistakes_are_contradicted(void **state)
{
	(void)state;
	assert_says("tcp_fin_timeout", "It is not the length of TIME-WAIT");
	assert_says("tcp_fin_timeout", "twice the part above 60");
	assert_says("TIME-WAIT", "tcp_fin_timeout does not shorten it");
	assert_says("TIME-WAIT", "60 s, a constant of the kernel");
	assert_says("CLOSE-WAIT", "no sysctl ends it");
	assert_says("CLOSE-WAIT", "never becomes TIME-WAIT");
	assert_says("tcp_orphan_retries", "0 means 8");
	assert_says("tcp_tw_recycle", "removed");
	assert_says("tcp_max_tw_buckets", "Never lower it");
	assert_says("SO_LINGER", "O_NONBLOCK does not prevent");
	assert_says("SO_KEEPALIVE", "7875 s");
	assert_says("10053", "It is not ECONNRESET");
	assert_says("nf_conntrack_tcp_timeout_close_wait", "ends no socket");
	assert_says("somaxconn", "It is read at listen()");
	assert_says("shutdown", "SHUT_RD sends nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_topic_is_complete),
		cmocka_unit_test(every_text_is_well_formed),
		cmocka_unit_test(sources_are_a_list),
		cmocka_unit_test(every_name_in_a_text_is_explained),
		cmocka_unit_test(popular_mistakes_are_contradicted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
