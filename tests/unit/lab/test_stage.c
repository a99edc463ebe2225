#include "test.h"

#include "lab/stage.h"
#include "util/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What becomes of a stage when one of its actors cannot go on. */

static void plays(void)
{
	cue_ready();
}

static void may_not(void)
{
	errno = EPERM;
	stage_impossible("TCP_REPAIR");
}

static void may_not_go_on(void)
{
	cue_ready();
	may_not();
}

static void fails(void)
{
	errno = ENOMEM;
	stage_die("listen");
}

static void leaves(void)
{
	_exit(STAGE_AS_EXPECTED);
}

static void is_killed(void)
{
	cue_ready();
	kill(getpid(), SIGKILL);
}

static void presents(void)
{
	cue_pid(getpid());
	cue_ready();
}

static void once(struct stage *st, part *play)
{
	stage_cast_ready(st, "actor", play);
}

static void twice(struct stage *st, part *play)
{
	stage_await(stage_cast_ready(st, "actor", play));
}

static void its_child(struct stage *st, part *play)
{
	stage_await_pid(st, stage_cast(st, "actor", play), "child");
}

/* The status of a stage on which that is played, and what was said meanwhile. */
static int status_of(void (*make)(struct stage *st, part *play), part *play, char ret_said[static 256])
{
	int said[2], status;

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct stage st = { 0 };

		dup2(said[1], STDERR_FILENO);
		make(&st, play);
		stage_clear(&st);
		_exit(STAGE_AS_EXPECTED);
	}
	close(said[1]);
	size_t n = 0;
	for (ssize_t more; n < 255 && (more = read(said[0], ret_said + n, 255 - n)) > 0;)
		n += (size_t)more;
	ret_said[n] = '\0';
	close(said[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void what_an_actor_cannot_do_the_stage_cannot(void **state)
{
	static const char refused[] = "tcpwhy: lab: not possible here: TCP_REPAIR: Operation not permitted\n";
	static const struct {
		void (*make)(struct stage *st, part *play);
		part *play;
		int status;
		const char *said;
	} rows[] = {
		{ once, plays, STAGE_AS_EXPECTED, "" },
		{ its_child, presents, STAGE_AS_EXPECTED, "" },
		{ once, may_not, STAGE_IMPOSSIBLE, refused },
		{ twice, may_not_go_on, STAGE_IMPOSSIBLE, refused },
		{ its_child, may_not, STAGE_IMPOSSIBLE, refused },
		{ once, fails, STAGE_FAILED, "tcpwhy: lab: actor: listen: Cannot allocate memory\n" },
		{ its_child, fails, STAGE_FAILED, "tcpwhy: lab: actor: listen: Cannot allocate memory\n" },
		{ once, leaves, STAGE_FAILED, "" },
		{ twice, is_killed, STAGE_FAILED, "" },
	};
	char said[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status = status_of(rows[i].make, rows[i].play, said);

		if (status != rows[i].status || strcmp(said, rows[i].said) != 0)
			fail_msg("row %zu: %d: %s", i, status, said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_actor_cannot_do_the_stage_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
