#pragma once

/* Limits that are asked of a listener or a process instead of a closing connection. */

#include "rules/rule.h"

/* Rows of limit_rules. */
enum { LIMIT_ACCEPT_QUEUE, LIMIT_NOFILE, LIMIT_DEAD };

/* Is its share of descriptors worth a word? Unknown numbers are not: nobody could look. */
bool limits_is_near(const struct proc *p);
