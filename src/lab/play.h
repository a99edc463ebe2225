#pragma once

/* Plays one scenario from the empty namespace to the verdict, in processes of its own, and leaves
 * nothing behind: no process, no namespace, no file. An interrupt ends it first and the caller then. */

#include "lab/lab.h"

/* STAGE_AS_EXPECTED, STAGE_FAILED or STAGE_IMPOSSIBLE; why is said. */
int play_scenario(const struct lab_request *req, const struct lab_scenario *scenario);
