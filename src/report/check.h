#pragma once

/* A health check as monitoring reads it: one line with performance data by the Monitoring Plugins
 * guidelines, a JSON document, or text for Prometheus. Names that came from outside are escaped, the bar that begins
 * performance data included. */

#include "model/check.h"
#include "model/look.h"
#include "util/buf.h"

/* The first line; with `verbose` one line a check and one a gap behind it. */
void check_put_text(struct buf *b, const struct check_results *results, const struct look *look,
		    bool verbose, bool ascii);
void check_put_json(struct buf *b, const struct check_results *results, const struct look *look);

/* Text 0.0.4 of Prometheus, for the textfile collector, or OpenMetrics 1.0.0. */
enum metrics { METRICS_PROMETHEUS, METRICS_OPENMETRICS };

/* Gauges and counters in base units, no timestamps; the CLOSE-WAITs of the first `top` owners. */
void check_put_metrics(struct buf *b, enum metrics dialect, const struct check_results *results,
		       const struct look *look, size_t top);
/* There is no result at all: whole in its dialect, and tcpwhy_look_complete is 0. */
void check_put_metrics_failure(struct buf *b, enum metrics dialect, const char *object,
			       const char *what);
/* What stands between the quotes of a label: valid UTF-8, controls and quotes escaped. */
void check_put_label(struct buf *b, const char *text);
/* Why there is no result at all: "UNKNOWN - OBJECT: what". */
void check_put_failure(struct buf *b, const char *object, const char *what, bool ascii);
/* The same as a document of tcpwhy.check/1. */
void check_put_json_failure(struct buf *b, const char *object, const char *what);

/* "'close-wait.age'=312.5s;3600;;0;" and so on, for all. */
void check_put_perfdata(struct buf *b, const struct check_results *results);
/* "10", "5:", "~:10", "@10:20"; nothing if there is no such level. */
void check_put_range(struct buf *b, const struct range *r);
