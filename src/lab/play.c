#include "lab/play.h"
#include "lab/stage.h"
#include "lab/verdict.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

/* How it works:
 *
 *   caller      waits with a deadline, catches interrupts, removes the capture
 *     stage     the namespace; makes the scenario, judges the verdict
 *       capture   keeps the packets of lo until the stage hangs up
 *       actors    hold the sockets
 *       tcpwhy    once for people, once as JSON for the verdict
 *
 * Each child dies with its parent, so killing the stage is enough to end everything. */

enum { DEADLINE_S = 120 };

struct recording {
	pid_t pid;
	int stop; /* closing it ends the recording; -1: none */
};

NORETURN static void leave(int status)
{
	fflush(NULL);
	_exit(status);
}

static pid_t child(void)
{
	pid_t parent = getpid();

	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		stage_die("fork");
	if (pid == 0)
		stage_end_with(parent);
	return pid;
}

NORETURN static void fail_capture(void)
{
	fprintf(stderr, _("tcpwhy: lab: the capture failed\n"));
	_exit(STAGE_FAILED);
}

static struct recording start_recording(const struct lab_request *req, const char *file)
{
	struct recording r = { .stop = -1 };
	int ready[2], stop[2];
	char byte;

	if (!req->capture)
		return r;
	if (pipe(ready) < 0 || pipe(stop) < 0)
		stage_die("pipe");
	r.pid = child();
	if (r.pid == 0) {
		close(ready[0]);
		close(stop[1]);
		leave(req->capture("lo", file, ready[1], stop[0]));
	}
	close(ready[1]);
	close(stop[0]);
	if (!stage_hear(ready[0], &byte, 1, "pipe"))
		fail_capture();
	close(ready[0]);
	r.stop = stop[1];
	return r;
}

static void end_recording(struct recording *r)
{
	int status = 0;

	if (r->stop < 0)
		return;
	close(r->stop);
	if (waitpid(r->pid, &status, 0) != r->pid || status != 0)
		fail_capture();
}

/* Runs `tcpwhy why` on the namespace with its output to `to`; answers its exit status. */
static int diagnose(const struct lab_request *req, const struct lab_scenario *scenario,
		    const char *file, int to, bool for_people)
{
	const char *argv[16] = { "tcpwhy", "why", "--no-progress" };
	int argc = 3, status = 0;

	/* Healthy life is judged as it would be elsewhere; a disease at once, however young. */
	if (!scenario->is_near_miss) {
		argv[argc++] = "--min-age";
		argv[argc++] = "0";
	}
	if (scenario->option)
		argv[argc++] = scenario->option;
	if (file) {
		argv[argc++] = "-r";
		argv[argc++] = file;
	}
	if (!for_people) {
		argv[argc++] = "--examples";
		argv[argc++] = "10000";
	}
	if (!for_people || req->json)
		argv[argc++] = "--json";
	if (for_people && req->verbose)
		argv[argc++] = "-v";
	pid_t pid = child();
	if (pid == 0) {
		if (dup2(to, STDOUT_FILENO) < 0)
			stage_die("dup2");
		leave(req->tcpwhy(argc, (char **)argv));
	}
	if (waitpid(pid, &status, 0) != pid)
		stage_die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : STAGE_FAILED;
}

static bool judge(const struct lab_request *req, struct stage *st,
		  const struct lab_scenario *scenario, const char *file)
{
	AUTO_FD report = memfd_create("report", MFD_CLOEXEC);

	if (report < 0)
		stage_die("memfd_create");
	diagnose(req, scenario, file, report, false);
	lseek(report, 0, SEEK_SET);
	return verdict_judge(st, scenario, report);
}

static void spoil(struct stage *st, const struct lab_scenario *scenario)
{
	stage_set(scenario->sysctl, scenario->value);
	stage_made(st, _("%s was set to %s"), scenario->sysctl, scenario->value);
	stage_expect(st, scenario->rule, NULL, 1);
}

NORETURN static void run_stage(const struct lab_request *req, const struct lab_scenario *scenario,
			       const char *file)
{
	struct stage st = {
		.out = req->json ? stderr : stdout,
		.quiet = req->quiet,
		.has_capture = req->capture,
	};

	signal(SIGPIPE, SIG_IGN);
	stage_enter();
	struct recording recording = start_recording(req, file);
	if (scenario->sysctl)
		spoil(&st, scenario);
	if (scenario->make)
		scenario->make(&st);
	end_recording(&recording);
	file = req->capture ? file : NULL;
	bool is_told = req->quiet || diagnose(req, scenario, file, STDOUT_FILENO, true) == 0;
	bool good = judge(req, &st, scenario, file) && is_told;
	stage_clear(&st);
	leave(good ? STAGE_AS_EXPECTED : STAGE_FAILED);
}

/* The stage's exit status. `signals` are blocked; *ret_signal is the one that interrupted, or 0. */
static int wait_for_stage(pid_t pid, const sigset_t *signals, int *ret_signal)
{
	int64_t since = stage_now_ms();
	int status = 0;

	*ret_signal = 0;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		static const struct timespec second = { .tv_sec = 1 };
		int got = sigtimedwait(signals, NULL, &second);

		if (got > 0 && got != SIGCHLD)
			*ret_signal = got;
		if (*ret_signal == 0 && stage_now_ms() - since < DEADLINE_S * 1000)
			continue;
		if (*ret_signal == 0)
			fprintf(stderr, _("tcpwhy: lab: not done after %d s\n"), DEADLINE_S);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return STAGE_FAILED;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : STAGE_FAILED;
}

static int run_and_wait(const struct lab_request *req, const struct lab_scenario *scenario,
			const char *file, int *ret_signal)
{
	sigset_t ours, before;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ours, &before);
	pid_t pid = child();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		run_stage(req, scenario, file);
	}
	int status = wait_for_stage(pid, &ours, ret_signal);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}

int play_scenario(const struct lab_request *req, const struct lab_scenario *scenario)
{
	const char *tmp = getenv("TMPDIR");
	char folder[PATH_MAX], file[PATH_MAX + 16];
	int interrupted;

	snprintf(folder, sizeof(folder), "%s/tcpwhy-lab-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder)) {
		fprintf(stderr, "tcpwhy: lab: %s: %s\n", folder, strerror(errno));
		return STAGE_FAILED;
	}
	snprintf(file, sizeof(file), "%s/lo.pcap", folder);
	int status = run_and_wait(req, scenario, file, &interrupted);
	unlink(file);
	rmdir(folder);
	if (interrupted)
		raise(interrupted);
	return status;
}
