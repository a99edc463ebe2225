#include "report/watch.h"
#include "test.h"
#include "watch/watcher.h"

#include <jansson.h>
#include <string.h>

/* A host with one process, looked at again and again; no kernel. */

static struct netns netns;
static struct proc leaky = { .pid = 812, .start_ticks = 5, .comm = "leaky", .fd_limit = 1000,
			     .n_fds = 400, .has_fds = true };
static struct proc other = { .pid = 813, .comm = "other" };
static const struct findings nothing;

static struct look *look_at(int64_t uptime_ms, bool owners_looked)
{
	struct look *look = look_new();

	look->netns = &netns;
	look->n_netns = 1;
	look->host.uptime_ms = uptime_ms;
	look->owners_looked = owners_looked;
	return look;
}

static void see(struct watcher *w, enum state state, const struct proc *p, enum owner_status owner,
		size_t n)
{
	struct sock sock = { .state = (uint8_t)state };
	struct conn c = { .sock = &sock, .netns = &netns, .owner = owner, .n_holders = p ? 1 : 0,
			  .holders = { { .proc = p, .fd = 5 } }, .basis = BASIS_NOT_LOOKED };

	while (n-- > 0) {
		c.age = (struct age){ true, true, 1000 * n };
		watcher_conn(w, &c);
	}
}

/* One picture with `n` CLOSE-WAITs of leaky's. */
static struct look *picture(struct watcher *w, int64_t uptime_ms, bool owners_looked, size_t n,
			    struct frame *ret)
{
	struct look *look = look_at(uptime_ms, owners_looked);

	watcher_begin(w, look);
	see(w, STATE_CLOSE_WAIT, &leaky, OWNER_KNOWN, n);
	watcher_end(w, &nothing, ret);
	return look;
}

static void rates_need_two(void **state)
{
	struct watcher *w = watcher_new();
	struct frame f;

	(void)state;
	look_free(picture(w, 10000, true, 10, &f));
	assert_false(f.has_rates);
	assert_int_equal(f.n_owners, 1);
	struct look *look = picture(w, 12000, true, 15, &f);
	assert_true(f.has_rates && f.owners[0].has_rate);
	assert_int_equal(f.rate[STATE_CLOSE_WAIT], 25);
	assert_int_equal(f.owners[0].gain, 25);
	assert_int_equal(f.owners[0].oldest.ms, 14000);
	look_free(look);
	/* The clock stood still: nothing can be told. */
	look = picture(w, 12000, true, 99, &f);
	assert_false(f.has_rates || f.owners[0].has_rate);
	look_free(look);
	/* The process is another one of that number. */
	leaky.start_ticks = 6;
	look = picture(w, 14000, true, 30, &f);
	assert_int_equal(f.owners[0].gain, 150);
	leaky.start_ticks = 5;
	look_free(look);
	watcher_free(w);
}

/* 5 a second, 600 descriptors are free: two minutes. */
static void what_grows_all_along_fills(void **state)
{
	static const struct {
		const char *what;
		size_t n[7]; /* at 0, 1, 2 … s */
		bool fills;
	} rows[] = {
		{ "a leak", { 10, 15, 20, 25, 30, 35, 40 }, true },
		{ "a burst", { 10, 40, 40, 40, 40, 40, 40 }, false },
		{ "a burst now", { 10, 10, 10, 10, 10, 10, 40 }, false },
		{ "what comes and goes", { 10, 40, 10, 40, 10, 40, 10 }, false },
		{ "a few", { 10, 11, 11, 12, 12, 13, 14 }, false },
		{ "what gets less", { 40, 35, 30, 25, 20, 15, 10 }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct watcher *w = watcher_new();
		struct look *look = NULL;
		struct frame f;

		for (size_t k = 0; k < ARRAY_LEN(rows[i].n); k++) {
			if (look)
				look_free(look);
			look = picture(w, (int64_t)(1 + k) * 1000, true, rows[i].n[k], &f);
		}
		if (f.owners[0].is_filling != rows[i].fills)
			fail_msg("%s", rows[i].what);
		if (rows[i].fills)
			assert_int_equal(f.owners[0].left_ms, 120000);
		look_free(look);
		watcher_free(w);
	}
}

static json_t *first_owner(const struct frame *f)
{
	AUTO_BUF json = { 0 };

	watch_put_json(&json, f);
	json_t *doc = json_loads(json.at, JSON_REJECT_DUPLICATES, NULL);
	json_t *owner = json_incref(json_array_get(json_object_get(doc, "owners"), 0));
	json_decref(doc);
	return owner;
}

/* Two workers listen on one port: nobody knows whose queue it waits in. */
static void one_of_several(void **state)
{
	struct sock sock = { .state = STATE_CLOSE_WAIT };
	struct conn c = { .sock = &sock, .netns = &netns, .owner = OWNER_UNACCEPTED, .n_holders = 2,
			  .holders = { { .proc = &leaky, .fd = 5 }, { .proc = &other, .fd = 5 } } };
	struct watcher *w = watcher_new();
	struct look *look = look_at(1000, true);
	AUTO_BUF text = { 0 };
	struct frame f;

	(void)state;
	watcher_begin(w, look);
	watcher_conn(w, &c);
	c.owner = OWNER_KNOWN;
	watcher_conn(w, &c);
	watcher_end(w, &nothing, &f);
	assert_int_equal(f.n_owners, 2);
	f.owners += !!f.owners[0].proc;
	f.n_owners = 1;
	assert_null(f.owners[0].proc);
	watch_put_name(&text, &f.owners[0], false);
	assert_string_equal(buf_text(&text), "(one of several)");
	json_t *owner = first_owner(&f);
	assert_string_equal(json_string_value(json_object_get(owner, "status")), "unaccepted");
	assert_true(json_is_null(json_object_get(owner, "pid")));
	json_decref(owner);
	look_free(look);
	watcher_free(w);
}

/* What waits to be accepted takes no descriptor, nor does what somebody has probably closed. */
static void only_descriptors_fill(void **state)
{
	static const struct {
		enum owner_status growing, besides;
		size_t n_besides; /* they do not grow */
		const char *status;
		bool fills;
	} rows[] = {
		{ OWNER_KNOWN, OWNER_UNACCEPTED, 0, "known", true },
		{ OWNER_KNOWN, OWNER_UNACCEPTED, 100, "known", true },
		{ OWNER_UNACCEPTED, OWNER_KNOWN, 0, "unaccepted", false },
		{ OWNER_UNACCEPTED, OWNER_KNOWN, 1, "known", false },
		{ OWNER_ATTRIBUTED, OWNER_KNOWN, 0, "attributed", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct watcher *w = watcher_new();
		struct look *look = NULL;
		struct frame f;

		for (size_t k = 0; k < 7; k++) {
			if (look)
				look_free(look);
			look = look_at((int64_t)(1 + k) * 1000, true);
			watcher_begin(w, look);
			see(w, STATE_CLOSE_WAIT, &leaky, rows[i].growing, 10 + 5 * k);
			see(w, STATE_CLOSE_WAIT, &leaky, rows[i].besides, rows[i].n_besides);
			watcher_end(w, &nothing, &f);
		}
		json_t *owner = first_owner(&f);
		assert_string_equal(json_string_value(json_object_get(owner, "status")), rows[i].status);
		json_decref(owner);
		assert_int_equal(f.n_owners, 1);
		assert_int_equal(f.owners[0].gain, 50);
		assert_int_equal(f.owners[0].is_filling, rows[i].fills);
		if (rows[i].fills)
			assert_int_equal(f.owners[0].left_ms, 120000);
		look_free(look);
		watcher_free(w);
	}
}

/* In between, the newest have no owner: growth is that of the last search. */
static void a_look_without_owners_shows_the_last_growth(void **state)
{
	struct watcher *w = watcher_new();
	struct look *look = NULL;
	struct frame f;

	(void)state;
	for (int64_t s = 1; s <= 8; s++) {
		if (look)
			look_free(look);
		look = picture(w, s * 1000, s % 2 == 1, (size_t)(s - !(s % 2)) * 5, &f);
		if (s < 3)
			continue;
		assert_int_equal(f.owners[0].gain, 50);
	}
	assert_true(f.owners[0].is_filling);
	look_free(look);
	watcher_free(w);
}

static void owners_are_told_apart(void **state)
{
	struct watcher *w = watcher_new();
	struct look *look = look_at(1000, true);
	struct frame f;

	(void)state;
	watcher_begin(w, look);
	see(w, STATE_TIME_WAIT, NULL, OWNER_NONE, 3);
	see(w, STATE_CLOSE_WAIT, &other, OWNER_KNOWN, 2);
	see(w, STATE_CLOSE_WAIT, NULL, OWNER_HIDDEN, 4);
	see(w, STATE_CLOSE_WAIT, &leaky, OWNER_UNACCEPTED, 5);
	see(w, STATE_TIME_WAIT, &leaky, OWNER_ATTRIBUTED, 1);
	watcher_end(w, &nothing, &f);
	assert_int_equal(f.n_owners, 4);
	assert_ptr_equal(f.owners[0].proc, &leaky);
	assert_int_equal(f.owners[0].n[STATE_TIME_WAIT], 1);
	assert_int_equal(f.owners[1].kind, FRAME_NEW);
	assert_ptr_equal(f.owners[2].proc, &other);
	assert_int_equal(f.owners[3].kind, FRAME_KERNEL);
	assert_int_equal(f.n[STATE_CLOSE_WAIT], 11);
	look_free(look);
	watcher_free(w);
}

/* Half a minute and more between two of them; 1 a second, and 600 descriptors are free. */
static void searches_may_be_rare(void **state)
{
	struct watcher *w = watcher_new();
	struct look *look = NULL;
	struct frame f;

	(void)state;
	for (int64_t s = 0; s <= 120; s += 2) {
		if (look)
			look_free(look);
		look = picture(w, 1000 + s * 1000, s % 40 == 0, (size_t)(s / 40 * 40), &f);
		assert_int_equal(f.owners[0].is_filling, s >= 80);
	}
	assert_int_equal(f.owners[0].left_ms, 600000);
	look_free(look);
	watcher_free(w);
}

/* As the first searches are: near each other, the next one later. */
static void searches_may_be_uneven(void **state)
{
	static const int64_t at_s[] = { 0, 1, 3, 14 };
	struct watcher *w = watcher_new();
	struct look *look = NULL;
	struct frame f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(at_s); i++) {
		if (look)
			look_free(look);
		look = picture(w, 1000 + at_s[i] * 1000, true, (size_t)(10 + 5 * at_s[i]), &f);
		assert_int_equal(f.owners[0].is_filling, i >= 2);
	}
	assert_int_equal(f.owners[0].left_ms, 120000);
	look_free(look);
	watcher_free(w);
}

static void only_a_window_is_kept(void **state)
{
	struct watcher *w = watcher_new();
	struct frame f;

	(void)state;
	/* More pictures than samples are kept of, and a pause of an hour. */
	for (int64_t i = 0; i < 1000; i++)
		look_free(picture(w, 1000 + i * 100, true, (size_t)i, &f));
	struct look *look = picture(w, 3700000, true, 2000, &f);
	assert_false(f.owners[0].is_filling);
	look_free(look);
	watcher_free(w);
}

static void rows_are_aligned_and_harmless(void **state)
{
	static struct proc evil = { .pid = 12345, .comm = "a\033[2Jb\nc|d\xff", .fd_limit = 10 };
	struct watcher *w = watcher_new();
	struct look *look = look_at(1000, true);
	AUTO_BUF heading = { 0 }, row = { 0 }, json = { 0 };
	struct frame f;

	(void)state;
	watcher_begin(w, look);
	see(w, STATE_CLOSE_WAIT, &evil, OWNER_KNOWN, 123456);
	watcher_end(w, &nothing, &f);
	watch_put_heading(&heading);
	watch_put_row(&row, &f.owners[0], true);
	assert_int_equal(heading.n, 77);
	assert_int_equal(row.n, heading.n);
	assert_memory_equal(row.at, "a\\x1b[2Jb\\x0a[12345] 123456", 27);
	watch_put_json(&json, &f);
	assert_ptr_equal(strchr(json.at, '\n'), json.at + json.n - 1);
	json_t *doc = json_loads(json.at, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	json_t *owner = json_array_get(json_object_get(doc, "owners"), 0);
	assert_int_equal(json_integer_value(json_object_get(owner, "pid")), 12345);
	assert_true(json_is_null(json_object_get(owner, "emfile_in_ms")));
	json_decref(doc);
	look_free(look);
	watcher_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_need_two),
		cmocka_unit_test(what_grows_all_along_fills),
		cmocka_unit_test(one_of_several), cmocka_unit_test(only_descriptors_fill),
		cmocka_unit_test(a_look_without_owners_shows_the_last_growth),
		cmocka_unit_test(owners_are_told_apart),
		cmocka_unit_test(searches_may_be_rare),
		cmocka_unit_test(searches_may_be_uneven),
		cmocka_unit_test(only_a_window_is_kept),
		cmocka_unit_test(rows_are_aligned_and_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
