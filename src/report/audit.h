#pragma once

/* Writes what `tcpwhy audit` found: for people, as JSON (tcpwhy.audit/1), and as a sysctl.d draft. */

#include "model/audit.h"
#include "report/report.h"

#include <stdio.h>

/* 0, or -errno of the first failed write. */
MUST_CHECK int audit_write(const struct audit_row *rows, size_t n, const struct counters *counters,
			   const struct format *format, const struct report_options *options, int fd);
/* The proposed values as a file for /etc/sysctl.d, with reasons and the old values for the way back.
 * Answers how many values it proposes. */
size_t audit_draft(const struct audit_row *rows, size_t n, const struct host *host, FILE *to);
