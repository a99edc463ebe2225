#include "cli/pager.h"
#include "util/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Never for root by way of another user's environment: sudo and su keep PAGER out, and who sets it for
 * root has set it. */
NORETURN static void show(int from)
{
	const char *pager = getenv("PAGER");

	if (dup2(from, STDIN_FILENO) < 0)
		_exit(1);
	/* Leave where one screen is enough, keep colours, leave the text on the screen. */
	setenv("LESS", "FRX", 0);
	if (pager && *pager)
		execlp("sh", "sh", "-c", pager, NULL);
	execlp("less", "less", NULL);
	execlp("more", "more", NULL);
	/* A host that has nothing: the text as it is. */
	char text[4096];
	for (ssize_t n; (n = read(STDIN_FILENO, text, sizeof(text))) > 0;)
		if (write(STDOUT_FILENO, text, (size_t)n) != n)
			break;
	_exit(0);
}

pid_t pager_begin(void)
{
	int ends[2];

	if (!isatty(STDOUT_FILENO) || pipe(ends) < 0)
		return 0;
	AUTO_FD from = ends[0], to = ends[1];
	pid_t pid = fork();
	if (pid == 0) {
		close(to);
		show(from);
	}
	if (pid < 0)
		return 0;
	/* An interrupt is for the pager, which would be left without its terminal. */
	signal(SIGINT, SIG_IGN);
	return dup2(to, STDOUT_FILENO) < 0 ? 0 : pid;
}

void pager_end(pid_t pager)
{
	if (!pager)
		return;
	close(STDOUT_FILENO);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
}
