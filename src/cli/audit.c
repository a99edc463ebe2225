#include "cli/run.h"
#include "live/live.h"
#include "report/audit.h"
#include "rules/settings.h"
#include "util/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Never over a file that is there: it may be the way back from the last one. */
static int write_draft(const char *name, const struct audit_row *rows, size_t n,
		       const struct host *host)
{
	int fd = strcmp(name, "-") == 0 ? dup(STDOUT_FILENO) :
					  open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");

	if (!to) {
		say_line("tcpwhy: %s: %s", name, strerror(errno));
		return STATUS_FAILED;
	}
	size_t proposed = audit_draft(rows, n, host, to);
	if (fclose(to) != 0) {
		say_line("tcpwhy: %s: %s", name, strerror(errno));
		return STATUS_FAILED;
	}
	if (strcmp(name, "-") != 0)
		say_line(_("tcpwhy: %s: %zu values proposed, none changed"), name, proposed);
	return STATUS_OK;
}

static int status_of_rows(const struct audit_row *rows, size_t n)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].is_problem)
			return 2;
		if (rows[i].verdict == AUDIT_WARNING)
			status = 1;
	}
	return status;
}

int run_audit(const struct options *o)
{
	/* Settings only: no socket is asked for but the listeners, of which there are few. */
	struct live_request req = {
		.from = o->from, .netns = o->netns, .states = STATE_BIT(STATE_LISTEN),
		.want_host = true, .owners = OWNERS_NONE,
	};
	struct audit_row rows[MAX_AUDIT_ROWS];
	struct report_options options;
	struct look *look;
	struct fail fail;
	int status;

	if (o->n_words > 0) {
		say_line(_("tcpwhy: audit: %s: it takes no filter; `tcpwhy explain %s` explains one setting"),
			 o->words[0], o->words[0]);
		return STATUS_USAGE;
	}
	if (take_look(o, &req, true, &look, &fail) < 0) {
		say_failure(&fail);
		return STATUS_FAILED;
	}
	size_t n = settings_audit(look, &look->netns[0], rows);
	fill_report_options(o, REPORT_WHY, &options);
	if (o->draft)
		status = write_draft(o->draft, rows, n, &look->host);
	else
		status = was_written(audit_write(rows, n, &look->netns[0].counters,
						 format_find(o->format), &options,
						 STDOUT_FILENO)) ? STATUS_OK : STATUS_FAILED;
	if (status == STATUS_OK && o->exit_code)
		status = status_of_rows(rows, n);
	look_free(look);
	return status;
}
