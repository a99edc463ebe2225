#include "cli/sandbox.h"
#include "util/attr.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/kernel.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How it works: the seccomp filter is put together here, of constants: libseccomp allocates, and
 * without memory it corrupts its own (2.5.4), at the very moment that is to make things safe. What the
 * filter does not name fails with EPERM instead of killing: a library that would like to look something
 * up can do without.
 *
 * The sanitizers start threads and trace at the end of the program, so a build with one has none. */
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

/* ---- system calls ---- */

#if defined(__x86_64__)
enum { ARCH = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { ARCH = AUDIT_ARCH_AARCH64 };
#elif defined(__i386__)
enum { ARCH = AUDIT_ARCH_I386 };
#elif defined(__arm__)
enum { ARCH = AUDIT_ARCH_ARM };
#elif defined(__riscv) && __riscv_xlen == 64
enum { ARCH = AUDIT_ARCH_RISCV64 };
#elif defined(__s390x__)
enum { ARCH = AUDIT_ARCH_S390X };
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
enum { ARCH = AUDIT_ARCH_PPC64LE };
#else
enum { ARCH = 0 }; /* no filter there */
#endif

/* What reading open files, thinking and writing takes. */
static const int allowed[] = {
	SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_lseek, SYS_close, SYS_fstat, SYS_dup,
	SYS_fcntl, SYS_ppoll, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_rt_sigaction,
	SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_clock_gettime, SYS_gettimeofday,
	SYS_getrandom, SYS_futex, SYS_getpid, SYS_gettid, SYS_geteuid, SYS_tgkill, SYS_restart_syscall,
	SYS_timer_delete, SYS_exit, SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS__llseek
	SYS__llseek, SYS_fstat64, SYS_fcntl64,
#endif
#ifdef SYS_clock_gettime64
	SYS_clock_gettime64, SYS_ppoll_time64, SYS_futex_time64,
#endif
};

/* For a folder of files. */
static const int allowed_reading[] = {
	SYS_readlinkat, SYS_getdents64, SYS_faccessat,
#ifdef SYS_newfstatat
	SYS_newfstatat,
#endif
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_fstatat64
	SYS_fstatat64,
#endif
};

/* For a file that is written beside its name and put in place. */
static const int allowed_writing[] = {
	SYS_fsync, SYS_fchmod, SYS_linkat, SYS_unlinkat,
#ifdef SYS_renameat
	SYS_renameat,
#endif
	SYS_renameat2,
#ifdef SYS_rename
	SYS_rename,
#endif
#ifdef SYS_unlink
	SYS_unlink,
#endif
};

/* A call that is allowed if `argument & mask` is `value`. */
struct condition {
	int call;
	unsigned argument;
	uint32_t mask, value;
};

/* Memory that can be run is not given out, and of ioctl() only what asks about a terminal. fstat() of
 * newer C libraries is newfstatat() of a descriptor and an empty name. */
static const struct condition conditions[] = {
#ifdef SYS_mmap2
	{ SYS_mmap2, 2, PROT_EXEC, 0 },
#else
	{ SYS_mmap, 2, PROT_EXEC, 0 },
#endif
	{ SYS_mprotect, 2, PROT_EXEC, 0 },
	{ SYS_ioctl, 1, UINT32_MAX, TCGETS },
#ifdef KERNEL_TCGETS2
	{ SYS_ioctl, 1, UINT32_MAX, KERNEL_TCGETS2 },
#endif
	{ SYS_ioctl, 1, UINT32_MAX, TIOCGWINSZ },
#ifdef SYS_newfstatat
	{ SYS_newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH },
#endif
};
static const struct condition only_reading = {
	SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY,
};
/* What may be read could be emptied: Landlock knows of that only in its third version. */
static const struct condition only_new = { SYS_openat, 2, O_TRUNC, 0 };

enum {
	N_INSTRUCTIONS = 5 + 2 * (ARRAY_LEN(allowed) + ARRAY_LEN(allowed_reading) + ARRAY_LEN(allowed_writing)) +
			 6 * (ARRAY_LEN(conditions) + 2)
};

struct program {
	struct sock_filter at[N_INSTRUCTIONS];
	unsigned short n;
};

static void put(struct program *p, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	p->at[p->n++] = (struct sock_filter){ code, yes, no, k };
}

static void load_call(struct program *p)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
}

static void allow(struct program *p, const int calls[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)calls[i]);
		put(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	}
}

/* All arguments asked about are int: the upper half of the register means nothing. */
static void allow_if(struct program *p, const struct condition *c)
{
	const uint32_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;

	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 5, (uint32_t)c->call);
	put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0,
	    (uint32_t)(offsetof(struct seccomp_data, args) + c->argument * sizeof(uint64_t)) + low);
	put(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, c->mask);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, c->value);
	put(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	load_call(p);
}

static bool has_written(const struct sandbox_doors *doors)
{
	for (size_t i = 0; doors && i < SANDBOX_MAX_WRITTEN; i++)
		if (doors->written[i])
			return true;
	return false;
}

static void close_system_calls(const struct sandbox_doors *doors)
{
	struct program p = { .n = 0 };

	if (ARCH == 0)
		return;
	put(&p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (uint32_t)ARCH);
	put(&p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
	load_call(&p);
	allow(&p, allowed, ARRAY_LEN(allowed));
	for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
		allow_if(&p, &conditions[i]);
	if (doors) {
		allow(&p, allowed_reading, ARRAY_LEN(allowed_reading));
		allow_if(&p, &only_reading);
	}
	if (has_written(doors)) {
		allow(&p, allowed_writing, ARRAY_LEN(allowed_writing));
		allow_if(&p, &only_new);
	}
	put(&p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
	const struct sock_fprog program = { p.n, p.at };
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* ---- the file system ---- */

enum {
	READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	WRITING = READING | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
		  LANDLOCK_ACCESS_FS_REMOVE_FILE,
	/* All rights of the first version. */
	ALL = WRITING | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	      LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	      LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
};

static void leave_open(int rules, const char *path, uint64_t rights)
{
	AUTO_FD fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr attr = { .allowed_access = rights, .parent_fd = fd };
	struct stat st;

	/* Whoever reads what is not there says so. A file has no rights of folders. */
	if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		attr.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
	if (fd >= 0)
		syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
}

static void leave_folder_of(int rules, const char *file)
{
	const char *slash = strrchr(file, '/');
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - file) + 1 : 1, slash ? file : ".");
	leave_open(rules, folder, WRITING);
}

/* false: this kernel has no Landlock. */
static bool close_file_system(const struct sandbox_doors *doors)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = ALL };
	AUTO_FD rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (rules < 0)
		return false;
	if (doors && doors->read_folder)
		leave_open(rules, doors->read_folder, READING);
	for (size_t i = 0; doors && i < SANDBOX_MAX_WRITTEN; i++)
		if (doors->written[i])
			leave_folder_of(rules, doors->written[i]);
	return syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}

/* ---- privileges ---- */

static bool has_capabilities(void)
{
	struct __user_cap_header_struct self = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &self, has) != 0 || has[0].permitted || has[1].permitted;
}

static bool apply_capabilities(void)
{
	/* The bounding set takes a capability of its own to drop. */
	return capng_apply(CAPNG_SELECT_BOTH) == 0 || capng_apply(CAPNG_SELECT_CAPS) == 0;
}

/* Who has none, and may not even say so (a service whose filter has no capset()), has none to give up. */
static bool drop_capabilities(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	return apply_capabilities() || !has_capabilities();
}

static bool become(uid_t uid, gid_t gid)
{
	if (geteuid() == 0 &&
	    capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) == 0)
		return true;
	/* In a user namespace of one id there is nobody to become. */
	return drop_capabilities();
}

/* A look belongs to whoever recorded it. Root may read it all the same, where that opens no other folder;
 * in a container root often has only the second of these. */
static bool keep_doors(const struct sandbox_doors *doors, bool is_closed)
{
	static const unsigned keys[] = { CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE };
	struct stat st;

	for (size_t i = has_written(doors); i < ARRAY_LEN(keys) && is_closed && geteuid() == 0; i++) {
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, keys[i]);
		if (apply_capabilities())
			return true;
		capng_clear(CAPNG_SELECT_BOTH);
	}
	if (!is_closed && !has_written(doors) && stat(doors->read_folder, &st) == 0 && st.st_uid != 0)
		return become(st.st_uid, st.st_gid);
	return drop_capabilities();
}

bool sandbox_enter(const struct sandbox_doors *doors)
{
	tzset();
	(void)_("No TCP connection matches.\n");
	(void)strerror(EPERM);
	if (IS_SANITIZED)
		return true;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	capng_clear(CAPNG_SELECT_BOTH);
	bool is_closed = close_file_system(doors);
	bool is_dropped = doors ? keep_doors(doors, is_closed) : become(NOBODY, NOBODY);
	close_system_calls(doors);
	return is_dropped;
}
