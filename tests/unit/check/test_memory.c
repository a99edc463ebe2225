#include "check/memory.h"
#include "test.h"

#include <string.h>

static const struct memory_owner owners[] = { { 812, 123456, 300 }, { 1, 0, 1 } };
static const struct memory_ports ports[] = {
	{ 4026531840, { { [10] = 0xff, 0xff, 192, 0, 2, 1 } }, { { { [10] = 0xff, 0xff, 192, 0, 2, 2 } }, 443 },
	  3, 4 },
	{ 0, { { 0x20, 1, 0xd, 0xb8 } }, { { { 0x20, 1, 0xd, 0xb8, [15] = 9 } }, 65535 }, 1, 0 },
};

static const struct memory_netns netnses[] = { { 4026531840, { 1, -1, INT64_MAX } }, { 0, { 0, 0, 0 } } };
static const struct memory_listener listeners[] = { { 4026531840, 1 << 30, UINT32_MAX }, { 0, 0, 1 } };

static struct memory example(void)
{
	return (struct memory){ .boot_id = "6fd1", .netns = 4026531840, .uptime_ms = 99,
				.owners = (struct memory_owner *)owners, .n_owners = 2,
				.ports = (struct memory_ports *)ports, .n_ports = 2,
				.netnses = (struct memory_netns *)netnses, .n_netnses = 2,
				.listeners = (struct memory_listener *)listeners, .n_listeners = 2 };
}

static void what_is_written_is_read(void **state)
{
	struct arena *arena = arena_new();
	struct memory in = example(), out;
	AUTO_BUF text = { 0 };

	(void)state;
	memory_write(&text, &in);
	assert_true(memory_read(buf_text(&text), text.n, arena, &out));
	assert_string_equal(out.boot_id, in.boot_id);
	assert_int_equal(out.netns, in.netns);
	assert_int_equal(out.uptime_ms, 99);
	assert_int_equal(out.n_owners, 2);
	assert_memory_equal(out.owners, owners, sizeof(owners));
	assert_int_equal(out.n_ports, 2);
	assert_int_equal(out.ports[1].peer.port, 65535);
	for (size_t i = 0; i < 2; i++) {
		const struct memory_ports *p = memory_ports(&out, ports[i].netns, ports[i].local,
							    ports[i].peer);

		assert_ptr_equal(p, &out.ports[i]);
		assert_int_equal(p->held, ports[i].held);
	}
	assert_int_equal(out.n_netnses, 2);
	assert_memory_equal(out.netnses, netnses, sizeof(netnses));
	assert_ptr_equal(memory_netns(&out, 0), &out.netnses[1]);
	assert_null(memory_netns(&out, 5));
	assert_memory_equal(out.listeners, listeners, sizeof(listeners));
	assert_int_equal(memory_drops(&out, 4026531840, 1 << 30), UINT32_MAX);
	assert_int_equal(memory_drops(&out, 4026531840, 7), 0);
	assert_int_equal(memory_drops(&out, 5, 7), -1);
	assert_ptr_equal(memory_owner(&out, &(struct proc){ .pid = 1 }), &out.owners[1]);
	assert_null(memory_owner(&out, &(struct proc){ .pid = 1, .start_ticks = 5 }));
	arena_free(arena);
}

/* No part of it is a whole, and no changed byte does more than change a number. */
static void damage_is_noticed(void **state)
{
	struct arena *arena = arena_new();
	struct memory in = example(), out;
	AUTO_BUF text = { 0 };

	(void)state;
	memory_write(&text, &in);
	/* The last byte is a line's end, which JSON does not need. */
	for (size_t n = 0; n + 1 < text.n; n++)
		if (memory_read(text.at, n, arena, &out))
			fail_msg("the first %zu bytes were believed", n);
	for (size_t i = 0; i < text.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			text.at[i] = (char)(text.at[i] ^ 1 << bit);
			if (memory_read(text.at, text.n, arena, &out)) {
				assert_true(out.n_owners <= MEMORY_MAX_OWNERS);
				assert_true(out.uptime_ms >= 0 && out.owners[0].n >= 0);
			}
			text.at[i] = (char)(text.at[i] ^ 1 << bit);
		}
	arena_free(arena);
}

static void other_texts_are_nothing(void **state)
{
#define HEAD "{\"schema\":\"tcpwhy.state/1\",\"boot_id\":\"b\","
#define GOOD "\"netns\":1,\"uptime_ms\":1,\"owners\":[],\"ports\":[],"
#define TAIL "\"complete\":true}"
	static const char *const texts[] = {
		"", "null", "[]", "{}", "\xff", "tcpwhy", "{\"schema\":\"tcpwhy.check/1\"}",
		HEAD TAIL,
		HEAD "\"netns\":1,\"uptime_ms\":-1,\"owners\":[],\"ports\":[]," TAIL,
		HEAD "\"netns\":1,\"uptime_ms\":1.5,\"owners\":[],\"ports\":[]," TAIL,
		HEAD "\"netns\":1,\"uptime_ms\":1,\"owners\":{},\"ports\":[]," TAIL,
		HEAD "\"netns\":1,\"uptime_ms\":1,\"owners\":[],\"ports\":[],\"complete\":false}",
		HEAD "\"netns\":1,\"uptime_ms\":1,\"owners\":[7],\"ports\":[]," TAIL,
		HEAD "\"netns\":1,\"uptime_ms\":1,\"owners\":[{\"pid\":1,\"start_ticks\":1}],\"ports\":[]," TAIL,
		HEAD "\"netns\":1,\"uptime_ms\":1,\"owners\":[{\"pid\":99999999999,\"start_ticks\":1,"
		     "\"close_waits\":1}],\"ports\":[]," TAIL,
		HEAD "\"netns\":1,\"uptime_ms\":1,\"owners\":[],\"ports\":[{\"netns\":1,\"local\":\"x\"}]," TAIL,
		HEAD "\"netns\":99999999999999999999,\"uptime_ms\":1,\"owners\":[],\"ports\":[]," TAIL,
		HEAD GOOD "\"netnses\":[]," TAIL,
		HEAD GOOD "\"netnses\":[],\"listeners\":{}," TAIL,
		HEAD GOOD "\"netnses\":[{}],\"listeners\":[]," TAIL,
		HEAD GOOD "\"netnses\":[{\"netns\":1,\"tw_overflows\":-1}],\"listeners\":[]," TAIL,
		HEAD GOOD "\"netnses\":[{\"netns\":1,\"aborts_on_memory\":\"1\"}],\"listeners\":[]," TAIL,
		HEAD GOOD "\"netnses\":[],\"listeners\":[{\"netns\":1,\"cookie\":1,\"drops\":4294967296}]," TAIL,
		HEAD "\"boot_id\":\"c\",\"netns\":1,\"uptime_ms\":1,\"owners\":[],\"ports\":[]," TAIL,
	};
	static const char good[] = HEAD GOOD TAIL; /* as it was before counters were kept */
	static const char young[] = HEAD GOOD "\"netnses\":[{\"netns\":1}],\"listeners\":[]," TAIL;
	struct arena *arena = arena_new();
	struct memory out = { .uptime_ms = 5 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (memory_read(texts[i], strlen(texts[i]), arena, &out) || out.uptime_ms != 5)
			fail_msg("%s was believed", texts[i]);
	assert_true(memory_read(young, strlen(young), arena, &out));
	assert_int_equal(out.netnses[0].counters[MEMORY_TW_OVERFLOWS], -1);
	assert_true(memory_read(good, strlen(good), arena, &out));
	assert_int_equal(out.n_netnses, 0);
	AUTO_BUF large = { 0 };
	buf_puts(&large, good);
	while (large.n <= MEMORY_MAX_BYTES)
		buf_putc(&large, ' ');
	assert_false(memory_read(large.at, large.n, arena, &out));
	arena_free(arena);
}

static void too_many_are_refused(void **state)
{
	static struct memory_owner many[MEMORY_MAX_OWNERS + 1];
	struct arena *arena = arena_new();
	struct memory in = example(), out;

	(void)state;
	in.owners = many;
	for (in.n_owners = MEMORY_MAX_OWNERS; in.n_owners <= MEMORY_MAX_OWNERS + 1; in.n_owners++) {
		AUTO_BUF text = { 0 };

		memory_write(&text, &in);
		assert_int_equal(memory_read(text.at, text.n, arena, &out),
				 in.n_owners == MEMORY_MAX_OWNERS);
	}
	arena_free(arena);
}

static void another_boot_says_nothing(void **state)
{
	struct netns netns[2] = { { .inode = 4026531840 } };
	struct look look = { .netns = netns, .n_netns = 1,
			     .host = { .boot_id = "6fd1", .uptime_ms = 100 } };
	struct memory m = example();

	(void)state;
	assert_true(memory_is_of(&m, &look, false));
	look.host.uptime_ms = 98;
	assert_false(memory_is_of(&m, &look, false));
	look.host.uptime_ms = 100;
	look.n_netns = 2;
	assert_false(memory_is_of(&m, &look, false));
	look.n_netns = 1;
	look.host.boot_id = "6fd2";
	assert_false(memory_is_of(&m, &look, false));
	look.host.boot_id = NULL;
	assert_false(memory_is_of(&m, &look, false));
}

/* Containers come and go: with -A that is the same way of looking, and another one than at one alone. */
static void all_namespaces_are_as_many_as_there_are(void **state)
{
	struct netns netns[3] = { { .inode = 4026531840 }, { .inode = 5 }, { .inode = 6 } };
	struct look look = { .netns = netns, .host = { .boot_id = "6fd1", .uptime_ms = 100 } };
	struct memory m = example();

	(void)state;
	for (size_t then = 1; then <= ARRAY_LEN(netns); then++)
		for (size_t now = 1; now <= ARRAY_LEN(netns); now++) {
			look.n_netns = then;
			m.netns = memory_netns_of(&look, true);
			look.n_netns = now;
			assert_true(memory_is_of(&m, &look, true));
			assert_int_equal(memory_is_of(&m, &look, false), now > 1);
		}
	look.n_netns = 1;
	m.netns = memory_netns_of(&look, false);
	assert_int_equal(m.netns, 4026531840);
	assert_false(memory_is_of(&m, &look, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(other_texts_are_nothing),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(another_boot_says_nothing),
		cmocka_unit_test(all_namespaces_are_as_many_as_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
