#pragma once

/* What the kernel may have and the headers of an older distribution do not name: Debian 11 builds with
 * glibc 2.31 and Linux 5.10. All of it is the kernel's ABI, the same on every architecture we build
 * for; whether the running kernel has it, the call itself answers.
 * Source: Linux include/uapi/linux/in.h, landlock.h, asm-generic/ioctls.h, and the tables of system calls. */

#include <netinet/in.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* What isatty() asks with: here a number with the size of a struct in it. */
#if defined(__powerpc__)
#include <asm/termbits.h>
#endif
/* And since glibc 2.42, without the struct, which <termios.h> would collide with; and what tcsetattr() then sets. */
#ifdef TCGETS2
#define KERNEL_TCGETS2 _IOR('T', 0x2A, char[44])
#define KERNEL_TCSETS2 _IOW('T', 0x2B, char[44])
#define KERNEL_TCSETSW2 _IOW('T', 0x2C, char[44])
#define KERNEL_TCSETSF2 _IOW('T', 0x2D, char[44])
#endif

/* What a sandbox refuses must be refused where the kernel is newer than the headers, too. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig 431
#endif
#ifndef SYS_fsmount
#define SYS_fsmount 432
#endif
#ifndef SYS_fspick
#define SYS_fspick 433
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif
#ifndef SYS_removexattrat
#define SYS_removexattrat 466
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#else
struct landlock_ruleset_attr {
	uint64_t handled_access_fs;
};

struct landlock_path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

enum { LANDLOCK_RULE_PATH_BENEATH = 1 };

enum {
	LANDLOCK_ACCESS_FS_EXECUTE = 1 << 0,
	LANDLOCK_ACCESS_FS_WRITE_FILE = 1 << 1,
	LANDLOCK_ACCESS_FS_READ_FILE = 1 << 2,
	LANDLOCK_ACCESS_FS_READ_DIR = 1 << 3,
	LANDLOCK_ACCESS_FS_REMOVE_DIR = 1 << 4,
	LANDLOCK_ACCESS_FS_REMOVE_FILE = 1 << 5,
	LANDLOCK_ACCESS_FS_MAKE_CHAR = 1 << 6,
	LANDLOCK_ACCESS_FS_MAKE_DIR = 1 << 7,
	LANDLOCK_ACCESS_FS_MAKE_REG = 1 << 8,
	LANDLOCK_ACCESS_FS_MAKE_SOCK = 1 << 9,
	LANDLOCK_ACCESS_FS_MAKE_FIFO = 1 << 10,
	LANDLOCK_ACCESS_FS_MAKE_BLOCK = 1 << 11,
	LANDLOCK_ACCESS_FS_MAKE_SYM = 1 << 12,
};
#endif
