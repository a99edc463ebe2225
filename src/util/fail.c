#include "util/fail.h"

#include <stdarg.h>
#include <stdio.h>

void fail_set(struct fail *f, const char *object, const char *fmt, ...)
{
	va_list args;

	snprintf(f->object, sizeof(f->object), "%s", object);
	va_start(args, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, args);
	va_end(args);
	f->hint[0] = '\0';
}

void fail_hint(struct fail *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->hint, sizeof(f->hint), fmt, args);
	va_end(args);
}
