#pragma once

/* The texts of `tcpwhy explain`: one topic as text or as an object of tcpwhy.explain/1. */

#include "model/topic.h"
#include "report/report.h"

/* 0, or -errno of the first failed write. */
MUST_CHECK int explain_write(const struct topic *const *topics, size_t n, const struct format *format,
			     const struct report_options *options, int fd);
/* "ID  title", a line each, grouped by kind. */
MUST_CHECK int explain_list(const struct topic *const *topics, size_t n, const struct report_options *options,
			    int fd);
