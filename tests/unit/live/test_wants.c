#include "live/wants.h"
#include "test.h"

#include <stdlib.h>

enum { MANY = 3000, INODES = 20000 };

/* Inodes of all sizes, some of them twice: an MPTCP socket and its first subflow. */
static uint32_t inode_of(unsigned i)
{
	static const uint32_t spread[] = { 1, 3, 255, 65537, 16777259 };

	return (i * 7919 % INODES + 1) * spread[i % 5];
}

static struct look *make_look(void)
{
	struct look *look = look_new();

	for (unsigned i = 0; i < MANY; i++) {
		struct sock *s = look_add_sock(look);

		s->state = i % 10 == 0 ? STATE_ESTABLISHED : STATE_CLOSE_WAIT;
		s->full = arena_alloc(look->arena, sizeof(*s->full));
		s->full->inode = i % 11 == 0 ? 0 : i % 7 == 6 ? look->socks[i - 1].full->inode : inode_of(i);
	}
	look_add_sock(look)->state = STATE_TIME_WAIT;
	return look;
}

static bool is_asked(const struct look *look, uint32_t inode)
{
	for (size_t i = 0; i < look->n_socks; i++)
		if (look->socks[i].state == STATE_CLOSE_WAIT && look->socks[i].full->inode == inode)
			return inode != 0;
	return false;
}

/* In whatever order they are asked for: upwards, downwards, one here and one there. */
static void each_is_found(void **state)
{
	struct look *look = make_look();
	struct wants w = { 0 };

	(void)state;
	wants_collect(&w, look, OWNERS_TEARDOWN);
	assert_int_equal(w.n, w.n_unowned);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < MANY; i++) {
			unsigned at = round == 0 ? i : round == 1 ? MANY - 1 - i : i * 1009 % MANY;
			uint32_t inode = look->socks[at].full->inode;

			for (uint32_t near = inode ? inode - 1 : 0; near <= inode + 1; near++) {
				struct want *found = wants_find(&w, near);

				assert_int_equal(found != NULL, is_asked(look, near));
				if (found)
					assert_int_equal(found->inode, near);
			}
		}
	}
	for (size_t i = 0; i < w.n; i++)
		assert_ptr_equal(wants_find(&w, w.at[i].inode), &w.at[i]);
	assert_null(wants_find(&w, UINT64_C(1) << 32 | w.at[0].inode));
	assert_null(wants_find(&w, UINT32_MAX));
	wants_free(&w);
	look_free(look);
}

static void each_gets_its_own(void **state)
{
	struct proc proc = { .pid = 7 };
	struct look *look = make_look();
	struct wants w = { 0 };

	(void)state;
	wants_collect(&w, look, OWNERS_TEARDOWN);
	for (size_t i = 0; i < w.n; i++)
		for (unsigned k = 0; k < i % 3; k++)
			wants_add(&w, &w.at[i], (struct holder){ .proc = &proc, .fd = (int)w.at[i].inode });
	wants_assign(&w, look, false);
	for (size_t i = 0; i < look->n_socks; i++) {
		const struct sock_full *full = look->socks[i].full;

		if (!full)
			continue;
		const struct want *want = is_asked(look, full->inode) && look->socks[i].state == STATE_CLOSE_WAIT ?
						  wants_find(&w, full->inode) : NULL;
		assert_int_equal(full->n_holders, want ? (size_t)(want - w.at) % 3 : 0);
		for (uint32_t k = 0; k < full->n_holders; k++)
			assert_int_equal(full->holders[k].fd, (int)full->inode);
	}
	wants_free(&w);
	look_free(look);
}

static void nothing_is_asked(void **state)
{
	struct look *look = look_new();
	struct wants w = { 0 };

	(void)state;
	wants_collect(&w, look, OWNERS_ALL);
	assert_null(wants_find(&w, 1));
	wants_assign(&w, look, true);
	wants_free(&w);
	look_free(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found),
		cmocka_unit_test(each_gets_its_own),
		cmocka_unit_test(nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
