#include "cli/sandbox.h"
#include "util/attr.h"
#include "util/i18n.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How it works: the sanitizers start threads and trace at the end of the program, so a build with one
 * keeps only the steps that do not hinder it. */
#if defined(__SANITIZE_ADDRESS__)
enum { IS_SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif
#else
enum { IS_SANITIZED = 0 };
#endif

enum { NOBODY = 65534 };

/* What reading open files, thinking and writing takes. Anything else fails with EPERM instead of
 * killing: a library that would like to look something up can do without. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(dup), SCMP_SYS(fcntl),
	SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getrandom), SCMP_SYS(futex),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static void close_file_system(void)
{
#ifdef SYS_landlock_create_ruleset
	/* All rights of the first version; no path is given any of them. */
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				     LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
				     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
				     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
				     LANDLOCK_ACCESS_FS_MAKE_SYM,
	};
	long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd < 0)
		return;
	syscall(SYS_landlock_restrict_self, fd, 0);
	close((int)fd);
#endif
}

/* Memory that can be run is not given out, and of ioctl() only what asks about a terminal. */
static bool allow_some(scmp_filter_ctx ctx)
{
	static const unsigned long terminal[] = { TCGETS, TIOCGWINSZ };
	bool failed = false;

	failed |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0;
	failed |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0;
	/* fstat() of newer C libraries: a descriptor and an empty name. */
	failed |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
				   SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH)) != 0;
	for (size_t i = 0; i < ARRAY_LEN(terminal); i++)
		failed |= seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					   SCMP_A1(SCMP_CMP_EQ, terminal[i], 0)) != 0;
	return !failed;
}

static void close_system_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool is_whole = ctx && allow_some(ctx);

	for (size_t i = 0; is_whole && i < ARRAY_LEN(allowed); i++)
		is_whole = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
	/* A filter with a hole in what it allows would break the program; without one it goes on. */
	if (is_whole)
		(void)seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
}

static void drop_privileges(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	/* In a user namespace of one id there is nobody to become. */
	if (geteuid() == 0 && !IS_SANITIZED &&
	    capng_change_id(NOBODY, NOBODY, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) == 0)
		return;
	if (capng_apply(CAPNG_SELECT_BOTH) != 0)
		capng_apply(CAPNG_SELECT_CAPS);
}

void sandbox_enter(void)
{
	tzset();
	(void)_("No TCP connection matches.\n");
	(void)strerror(EPERM);
	if (IS_SANITIZED)
		return;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	drop_privileges();
	close_file_system();
	close_system_calls();
}
