#pragma once

/* The verdict on the verdict: the ordinary code's JSON held against what the scenario made. */

#include "lab/lab.h"
#include "lab/stage.h"

/* Reads one whole `tcpwhy why --json` document from `fd`. true: each expectation has its finding,
 * with its process and count, and no other finding of severity problem is about the same sockets;
 * of a near miss: there is no warning, no problem, and nothing of the rule it must not wake. Says
 * on st->out what it found. */
bool verdict_judge(struct stage *st, const struct lab_scenario *scenario, int fd);
