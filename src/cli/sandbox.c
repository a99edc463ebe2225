#include "cli/sandbox.h"
#include "util/attr.h"
#include "util/cleanup.h"
#include "util/i18n.h"
#include "util/kernel.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The sanitizers start threads and trace at the end of the program, so a build with one has none. */
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

/* ---- the file system ---- */

bool sandbox_has_written(const struct sandbox_doors *doors)
{
	for (size_t i = 0; doors && i < SANDBOX_MAX_WRITTEN; i++)
		if (doors->written[i])
			return true;
	return false;
}

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

	for (size_t i = sandbox_has_written(doors); i < ARRAY_LEN(keys) && is_closed && geteuid() == 0; i++) {
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, keys[i]);
		if (apply_capabilities())
			return true;
		capng_clear(CAPNG_SELECT_BOTH);
	}
	if (!is_closed && !sandbox_has_written(doors) && stat(doors->read_folder, &st) == 0 && st.st_uid != 0)
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
	calls_of_parsing(doors, sandbox_has_written(doors));
	return is_dropped;
}

/* What a look takes, and then giving it up; files that are written may be in a folder of somebody else. */
static bool is_of_a_look(unsigned capability, bool writes)
{
	switch (capability) {
	case CAP_SYS_PTRACE:
	case CAP_DAC_READ_SEARCH:
	case CAP_SYS_ADMIN:
	case CAP_NET_ADMIN:
	case CAP_SETUID:
	case CAP_SETGID:
	case CAP_SETPCAP:
		return true;
	case CAP_DAC_OVERRIDE:
		return writes;
	default:
		return false;
	}
}

/* Without CAP_SYS_PTRACE the kernel shows only processes that may no more than this one: then it keeps all. */
static void narrow_capabilities(bool writes)
{
	capng_get_caps_process();
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE))
		return;
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
		if (!is_of_a_look(c, writes))
			capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_BOUNDING_SET, c);
	(void)!apply_capabilities();
}

void sandbox_look(unsigned takes)
{
	/* A core is a file, written where the process stands when it likes to die. */
	const struct rlimit no_core = { 0, 0 };

	if (IS_SANITIZED)
		return;
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	narrow_capabilities(takes & LOOK_WRITES);
	calls_of_looking(takes);
}
