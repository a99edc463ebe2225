#include "live/facts.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define ID "3f4e0d9a1b2c3d4e5f60718293a4b5c6d7e8f9000102030405060708090a0b0c"
#define POD "8b0c5b3e-1f0a-4a0e-9d36-0f2f5b8f7a11"
#define POD_ "8b0c5b3e_1f0a_4a0e_9d36_0f2f5b8f7a11"

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* Fields 3 to 22 of proc(5), parent 7, started at tick 98765. */
#define BEHIND_COMM " S 7 812 812 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 200\n"

static void stat_lines(void **state)
{
	static const struct {
		const char *text, *comm;
	} good[] = {
		{ "812 (nginx)" BEHIND_COMM, "nginx" },
		{ "812 (a) R 1 (b)" BEHIND_COMM, "a) R 1 (b" },
		{ "812 ())" BEHIND_COMM, ")" },
		{ "812 (line\nend)" BEHIND_COMM, "line\nend" },
		{ "812 ()" BEHIND_COMM, "" },
	};
	static const char *const bad[] = {
		"", "812", "812 (nginx", "812 nginx) S 7", ")(", "812 (nginx) S 7 812",
		"812 (nginx) S x 812 812 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct proc p = { 0 };

		assert_true(facts_parse_stat(good[i].text, *state, &p));
		assert_string_equal(p.comm, good[i].comm);
		assert_int_equal(p.state, 'S');
		assert_int_equal(p.ppid, 7);
		assert_int_equal(p.pgrp, 812);
		assert_int_equal(p.n_threads, 1);
		assert_int_equal(p.start_ticks, 98765);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct proc p = { .state = '?' };

		assert_false(facts_parse_stat(bad[i], *state, &p));
		assert_int_equal(p.state, '?');
	}
}

static struct proc read_status(const char *text)
{
	struct proc p = { .uid = 5 };

	facts_parse_status(text, &p);
	return p;
}

static void status_files(void **state)
{
	struct proc p = read_status("Name:\tx\nUmask:\t0022\nTracerPid:\t77\nUid:\t1000\t0\t0\t0\n");

	(void)state;
	assert_true(p.has_uid);
	assert_int_equal(p.uid, 1000);
	assert_int_equal(p.tracer, 77);
	/* A name is escaped by the kernel and cannot begin a line. */
	p = read_status("Name:\tx\\nUid:\t7\nTracerPid:\t0\nUid:\t4294967294\t0\n");
	assert_true(p.has_uid && p.uid == 4294967294u);
	assert_int_equal(p.tracer, 0);
	assert_false(read_status("").has_uid);
	assert_false(read_status("Name:\tUid:\t7\n").has_uid);
	assert_false(read_status("Uid:").has_uid);
	assert_int_equal(read_status("Uid:").uid, 5);
	assert_int_equal(read_status("TracerPid:\t-3\n").tracer, 0);
	assert_int_equal(read_status("TracerPid:\n").tracer, 0);
	assert_int_equal(read_status("TracerPid:\tx\n").tracer, 0);
}

static void limits_files(void **state)
{
	static const char head[] = "Limit                     Soft Limit  Hard Limit  Units     \n"
				   "Max processes             31459       31459       processes \n";
	char text[400];

	(void)state;
	assert_int_equal(facts_parse_fd_limit(head), 0);
	snprintf(text, sizeof(text), "%sMax open files            1024       524288   files\n", head);
	assert_int_equal(facts_parse_fd_limit(text), 1024);
	snprintf(text, sizeof(text), "%sMax open files            unlimited  unlimited files\n", head);
	assert_true(facts_parse_fd_limit(text) == UINT64_MAX);
	assert_int_equal(facts_parse_fd_limit("Max open files"), 0);
	assert_int_equal(facts_parse_fd_limit("Max open files            x"), 0);
}

static void cgroup_files(void **state)
{
	static const struct {
		const char *text, *unit, *container, *pod;
	} rows[] = {
		{ "0::/system.slice/nginx.service\n", "nginx.service", NULL, NULL },
		{ "0::/\n", NULL, NULL, NULL },
		/* A group the service made below its own. */
		{ "0::/system.slice/ssh.service/worker\n", "ssh.service", NULL, NULL },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n",
		  "a.service", NULL, NULL },
		{ "0::/user.slice/user-0.slice/session-3.scope", "session-3.scope", NULL, NULL },
		/* Docker with systemd, containerd and CRI-O under Kubernetes. */
		{ "0::/system.slice/docker-" ID ".scope\n", "docker-" ID ".scope", ID, NULL },
		{ "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope\n",
		  "cri-containerd-" ID ".scope", ID, NULL },
		{ "0::/kubepods/burstable/pod8/crio-" ID "\n", NULL, ID, NULL },
		{ "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_ ".slice/"
		  "cri-containerd-" ID ".scope\n", "cri-containerd-" ID ".scope", ID, POD },
		{ "0::/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" ID ".scope/container\n",
		  "crio-" ID ".scope", ID, POD },
		{ "11:memory:/kubepods/besteffort/pod" POD "/" ID "\n0::/\n", NULL, ID, POD },
		/* A static pod; a pause container has it, too. */
		{ "0::/kubepods/pod0123456789abcdef0123456789abcdef/" ID "\n", NULL, ID,
		  "0123456789abcdef0123456789abcdef" },
		/* Kubernetes in a container; then what only looks like it. */
		{ "0::/docker/" ID "/kubepods/pod" POD "/x\n", NULL, ID, POD },
		{ "0::/pod" POD "/x\n", NULL, NULL, NULL },
		{ "0::/kubepods/pod" POD "x/y\n", NULL, NULL, NULL },
		{ "0::/kubepods-pod\n", NULL, NULL, NULL },
		{ "0::/system.slice/podman-" ID ".scope\n", "podman-" ID ".scope", ID, NULL },
		{ "0::/machine.slice/libpod-" ID ".scope/container\n", "libpod-" ID ".scope", ID, NULL },
		{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n",
		  "libpod-" ID ".scope", ID, NULL },
		{ "0::/lxc.payload.web1/system.slice/nginx.service\n", "nginx.service", "web1", NULL },
		{ "5:cpu:/lxc/web1\n1:name=systemd:/lxc/web1/init.scope\n", "init.scope", "web1", NULL },
		{ "0::/lxc.payload.\n", NULL, NULL, NULL },
		{ "0::/lxc/\n", NULL, NULL, NULL },
		/* The first line that says it counts. */
		{ "0::/a.service\n1:name=systemd:/b.service\n", "a.service", NULL, NULL },
		{ "2:cpu:/kubepods/pod" POD "/x\n1:pids:/kubepods/pod0123456789abcdef0123456789abcdef/x\n", NULL, NULL, POD },
		{ "0::/docker/" ID "\n", NULL, ID, NULL },
		/* Version 1: systemd's hierarchy names the unit, any of them the container. */
		{ "9:name=systemd:/system.slice/a.service\n4:memory:/system.slice/b.service\n0::/\n",
		  "a.service", NULL, NULL },
		{ "12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n", NULL, ID, NULL },
		{ "4:memory:/x/b.service\n", NULL, NULL, NULL },
		/* 65 digits are no id, nor are 64 in the middle of a word; a path may hold colons. */
		{ "0::/docker/" ID "0x\n", NULL, NULL, NULL },
		{ "0::/a:b/c.service\n", "c.service", NULL, NULL },
		{ "0::/.service\n", NULL, NULL, NULL },
		{ "", NULL, NULL, NULL }, { "\n\n", NULL, NULL, NULL }, { "0:", NULL, NULL, NULL }, { "::", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct proc p = { 0 };

		facts_parse_cgroup(rows[i].text, *state, &p);
		if (rows[i].unit)
			assert_string_equal(p.unit, rows[i].unit);
		else
			assert_null(p.unit);
		if (rows[i].pod)
			assert_string_equal(p.pod, rows[i].pod);
		else
			assert_null(p.pod);
		if (rows[i].container)
			assert_string_equal(p.container, rows[i].container);
		else
			assert_null(p.container);
	}
}

static void command_lines(void **state)
{
	static const char args[] = "/usr/bin/java\0-jar\0my app.jar\0";

	assert_string_equal(facts_join_cmdline(args, sizeof(args) - 1, *state),
			    "/usr/bin/java -jar my app.jar");
	/* A title written over the arguments is padded with NULs. */
	assert_string_equal(facts_join_cmdline("nginx: worker\0\0\0\0", 17, *state), "nginx: worker");
	assert_string_equal(facts_join_cmdline("", 0, *state), "");
	assert_string_equal(facts_join_cmdline("\0\0", 2, *state), "");
	assert_string_equal(facts_join_cmdline("no end", 6, *state), "no end");
}

static void stacks(void **state)
{
	static const struct {
		const char *text, *innermost;
	} rows[] = {
		{ "[<0>] pipe_read+0x2fa/0x400\n[<0>] vfs_read+0x1a0/0x1b0\n", "pipe_read" },
		{ "[<ffffffff810a1b2c>] do_wait+0x1cb/0x230", "do_wait" },
		/* Symbols nobody may see, no line, half of one. */
		{ "[<0>] 0xffffffffffffffff\n", NULL },
		{ "[<0>] pipe_read\n[<0>] vfs_read+0x1/0x2\n", NULL },
		{ "[<0>] +0x2/0x4\n", NULL },
		{ "[<0>]\n", NULL },
		{ "[<0>] ", NULL },
		{ "\n", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *found = facts_parse_stack(rows[i].text, *state);

		if (rows[i].innermost)
			assert_string_equal(found, rows[i].innermost);
		else
			assert_null(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stat_lines, setup, teardown),
		cmocka_unit_test(status_files),
		cmocka_unit_test(limits_files),
		cmocka_unit_test_setup_teardown(cgroup_files, setup, teardown),
		cmocka_unit_test_setup_teardown(command_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(stacks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
