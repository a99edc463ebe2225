#include "cli/calls.h"
#include "util/attr.h"
#include "util/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How it works: the filters are put together here, of constants: libseccomp allocates, and without
 * memory it corrupts its own (2.5.4), at the very moment that is to make things safe. What is not
 * allowed fails with EPERM instead of killing: a library that would like to look something up can do
 * without. */

#if defined(__x86_64__)
enum { ARCH = AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { ARCH = AUDIT_ARCH_AARCH64 };
#elif defined(__riscv) && __riscv_xlen == 64
enum { ARCH = AUDIT_ARCH_RISCV64 };
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
enum { ARCH = AUDIT_ARCH_PPC64LE };
#elif defined(__loongarch64)
enum { ARCH = AUDIT_ARCH_LOONGARCH64 };
#else
enum { ARCH = 0 }; /* no filter there */
#endif

/* What reading open files, thinking and writing takes. */
static const int allowed[] = {
	SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_lseek, SYS_close, SYS_fstat, SYS_dup,
	SYS_fcntl, SYS_ppoll, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_rt_sigaction,
	SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_clock_gettime, SYS_gettimeofday,
	SYS_getrandom, SYS_futex, SYS_getpid, SYS_gettid, SYS_geteuid, SYS_restart_syscall,
	SYS_timer_delete, SYS_exit, SYS_exit_group,
#ifdef SYS_poll
	SYS_poll,
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

/* A call that is right if `argument & mask` is `value`. */
struct condition {
	int call;
	unsigned argument;
	uint32_t mask, value;
};

/* Of ioctl() only what asks about a terminal: the request is an unsigned int (Linux fs/ioctl.c). */
static const struct condition asking[] = {
	{ SYS_ioctl, 1, UINT32_MAX, TCGETS },
#ifdef KERNEL_TCGETS2
	{ SYS_ioctl, 1, UINT32_MAX, KERNEL_TCGETS2 },
#endif
	{ SYS_ioctl, 1, UINT32_MAX, TIOCGWINSZ },
};

/* And the screen of `watch`, which ncurses sets up, empties of keys and, for ^Z, asks whose it is; never
 * TIOCSTI, which types: by CAP_SYS_ADMIN into any terminal that can be opened (Linux drivers/tty/tty_io.c, tiocsti()). */
static const struct condition drawing[] = {
	{ SYS_ioctl, 1, UINT32_MAX, TCSETS },
	{ SYS_ioctl, 1, UINT32_MAX, TCSETSW },
	{ SYS_ioctl, 1, UINT32_MAX, TCSETSF },
#ifdef KERNEL_TCSETS2
	{ SYS_ioctl, 1, UINT32_MAX, KERNEL_TCSETS2 },
	{ SYS_ioctl, 1, UINT32_MAX, KERNEL_TCSETSW2 },
	{ SYS_ioctl, 1, UINT32_MAX, KERNEL_TCSETSF2 },
#endif
	{ SYS_ioctl, 1, UINT32_MAX, TCFLSH },
	{ SYS_ioctl, 1, UINT32_MAX, TIOCGPGRP },
};

/* Memory that can be run is not given out. fstat() of newer C libraries is newfstatat() of a descriptor and
 * an empty name. */
static const struct condition conditions[] = {
	{ SYS_mmap, 2, PROT_EXEC, 0 },
	{ SYS_mprotect, 2, PROT_EXEC, 0 },
#ifdef SYS_newfstatat
	{ SYS_newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH },
#endif
};
static const struct condition only_reading = {
	SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY,
};
/* What may be read could be emptied: Landlock knows of that only in its third version. */
static const struct condition only_new = { SYS_openat, 2, O_TRUNC, 0 };

/* What no look at a machine calls: to run something or to reach into what runs, to change the machine, its
 * devices, its kernel or its mounts, to leave for another namespace than that of a network. Who holds a socket
 * is read in ways that differ from one C library to the next; so here the harmful is named, not the harmless.
 * Behind what is allowed of them above. */
static const int denied[] = {
	SYS_ioctl, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
	SYS_pidfd_send_signal, SYS_sched_setparam, SYS_sched_setscheduler, SYS_sched_setaffinity,
	SYS_sched_setattr, SYS_setpriority, SYS_ioprio_set, SYS_process_madvise, SYS_process_mrelease,
	SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_bpf, SYS_perf_event_open, SYS_kexec_load,
	SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_syslog, SYS_add_key, SYS_request_key, SYS_keyctl,
	SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_mount,
	SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_open_by_handle_at, SYS_quotactl, SYS_quotactl_fd,
	SYS_clock_adjtime, SYS_migrate_pages, SYS_move_pages,
	/* It hands out what others open, open for writing (Linux fs/notify/fanotify/fanotify_user.c, create_fd()). */
	SYS_fanotify_init,
	/* One end of a pair can be sent from to any other name, and be given one. */
	SYS_socketpair,
	SYS_mq_open, SYS_mq_unlink,
#ifdef SYS_shmat
	SYS_shmget, SYS_shmat, SYS_shmctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_semget, SYS_semop,
	SYS_semctl,
#endif
#ifdef SYS_semtimedop
	SYS_semtimedop,
#endif
	/* Of ppc64le: many calls by one number. */
#ifdef SYS_ipc
	SYS_ipc,
#endif
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
#ifdef SYS_userfaultfd
	SYS_userfaultfd,
#endif
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
	SYS_io_uring_setup, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_open_tree, SYS_move_mount,
	SYS_mount_setattr, SYS_open_tree_attr,
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm,
#endif
};

/* Where no file is asked for. */
static const int denied_writing[] = {
	SYS_mkdirat, SYS_mknodat, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_fchmod,
	SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_utimensat,
	SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
	SYS_openat2, SYS_fchmodat2, SYS_setxattrat, SYS_removexattrat, SYS_file_setattr,
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef SYS_open
	SYS_creat, SYS_mkdir, SYS_mknod, SYS_unlink, SYS_rmdir, SYS_rename, SYS_link, SYS_symlink,
	SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
};

/* In a user namespace of its own a process has all capabilities. Flags are the first argument of clone() on all
 * of these architectures (Linux kernel/fork.c). */
enum {
	NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
			 CLONE_NEWPID | CLONE_NEWNET,
};

static const struct condition only_netlink = { SYS_socket, 0, UINT32_MAX, AF_NETLINK },
			      only_diag = { SYS_socket, 2, UINT32_MAX, NETLINK_SOCK_DIAG },
			      only_network = { SYS_setns, 1, UINT32_MAX, CLONE_NEWNET },
			      only_processes = { SYS_clone, 0, NEW_NAMESPACES, 0 },
			      only_own_limits = { SYS_prlimit64, 0, UINT32_MAX, 0 },
			      /* Is there such a process? */
			      only_asked = { SYS_kill, 1, UINT32_MAX, 0 },
			      /* A helper that hangs, whose number is not known yet. */
			      only_to_end = { SYS_kill, 1, UINT32_MAX, SIGKILL };

/* Any process can be given a descriptor's signals, whatever signal that is to be: with the user who asks, or
 * root, it may be anybody's (Linux fs/fcntl.c, sigio_perm()). */
static const struct condition owning[] = {
	{ SYS_fcntl, 1, UINT32_MAX, F_SETOWN },
	{ SYS_fcntl, 1, UINT32_MAX, F_SETSIG },
	{ SYS_fcntl, 1, UINT32_MAX, F_SETOWN_EX },
};
#ifdef SYS_open
static const struct condition only_reading_by_name = {
	SYS_open, 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY,
};
#endif

enum {
	N_OWN_SIGNALS = 3,
	N_PARSING = 2 * (ARRAY_LEN(allowed) + ARRAY_LEN(allowed_reading) + ARRAY_LEN(allowed_writing)) +
		    6 * (ARRAY_LEN(asking) + ARRAY_LEN(conditions) + ARRAY_LEN(owning) + N_OWN_SIGNALS + 2),
	N_LOOKING = 2 + 2 * (ARRAY_LEN(denied) + 2 + ARRAY_LEN(denied_writing)) +
		    6 * (ARRAY_LEN(asking) + ARRAY_LEN(drawing) + ARRAY_LEN(owning) + N_OWN_SIGNALS + 9),
	N_INSTRUCTIONS = 5 + (N_PARSING > N_LOOKING ? N_PARSING : N_LOOKING)
};

enum { REFUSED = SECCOMP_RET_ERRNO | EPERM };

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

static void answer(struct program *p, const int calls[], size_t n, uint32_t with)
{
	for (size_t i = 0; i < n; i++) {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)calls[i]);
		put(p, BPF_RET | BPF_K, 0, 0, with);
	}
}

static void allow(struct program *p, const int calls[], size_t n)
{
	answer(p, calls, n, SECCOMP_RET_ALLOW);
}

/* All arguments asked about are of 32 bits to the kernel: the upper half of the register means nothing. */
static void answer_if(struct program *p, const struct condition *c, bool is_met, uint32_t with)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 5, (uint32_t)c->call);
	put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0,
	    (uint32_t)(offsetof(struct seccomp_data, args) + c->argument * sizeof(uint64_t)));
	put(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, c->mask);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, !is_met, is_met, c->value);
	put(p, BPF_RET | BPF_K, 0, 0, with);
	load_call(p);
}

static void allow_if(struct program *p, const struct condition c[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		answer_if(p, &c[i], true, SECCOMP_RET_ALLOW);
}

static void refuse_if(struct program *p, const struct condition c[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		answer_if(p, &c[i], true, REFUSED);
}

/* abort() and raise() ask for a signal: tgkill(), or tkill() in musl; ncurses for ^Z by kill(). What is forked
 * later can ask for none. */
static void allow_own_signals(struct program *p)
{
	const uint32_t self = (uint32_t)getpid();
	const struct condition own[N_OWN_SIGNALS] = {
		{ SYS_tgkill, 0, UINT32_MAX, self },
		{ SYS_tkill, 0, UINT32_MAX, self },
		{ SYS_kill, 0, UINT32_MAX, self },
	};

	allow_if(p, own, ARRAY_LEN(own));
}

static void refuse_unless(struct program *p, const struct condition *c)
{
	answer_if(p, c, false, REFUSED);
}

static void begin(struct program *p)
{
	p->n = 0;
	put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (uint32_t)ARCH);
	put(p, BPF_RET | BPF_K, 0, 0, REFUSED);
	load_call(p);
}

static void install(struct program *p, uint32_t otherwise)
{
	put(p, BPF_RET | BPF_K, 0, 0, otherwise);
	const struct sock_fprog program = { p->n, p->at };
	if (ARCH != 0)
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

void calls_of_parsing(bool reads, bool writes)
{
	struct program p;

	begin(&p);
	refuse_if(&p, owning, ARRAY_LEN(owning));
	allow_own_signals(&p);
	allow(&p, allowed, ARRAY_LEN(allowed));
	allow_if(&p, asking, ARRAY_LEN(asking));
	allow_if(&p, conditions, ARRAY_LEN(conditions));
	if (reads) {
		allow(&p, allowed_reading, ARRAY_LEN(allowed_reading));
		allow_if(&p, &only_reading, 1);
	}
	if (writes) {
		allow(&p, allowed_writing, ARRAY_LEN(allowed_writing));
		allow_if(&p, &only_new, 1);
	}
	install(&p, REFUSED);
}

void calls_of_looking(unsigned takes)
{
	/* Whose flags no filter can read: C libraries then take clone(). */
	static const int clone_of_a_struct[] = { SYS_clone3 };
	static const int borrowing[] = { SYS_pidfd_getfd };

	struct program p;

	begin(&p);
#if defined(__x86_64__)
	/* The calls of x32 have this bit, and numbers that would be unknown here. */
	put(&p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000);
	put(&p, BPF_RET | BPF_K, 0, 0, REFUSED);
#endif
	refuse_unless(&p, &only_netlink);
	refuse_unless(&p, &only_diag);
	refuse_unless(&p, &only_network);
	refuse_unless(&p, &only_processes);
	answer(&p, clone_of_a_struct, ARRAY_LEN(clone_of_a_struct), SECCOMP_RET_ERRNO | ENOSYS);
	allow_if(&p, asking, ARRAY_LEN(asking));
	refuse_unless(&p, &only_own_limits);
	refuse_if(&p, owning, ARRAY_LEN(owning));
	allow_if(&p, drawing, ARRAY_LEN(drawing));
	allow_own_signals(&p);
	allow_if(&p, &only_asked, 1);
	if (takes & LOOK_BORROWS)
		allow_if(&p, &only_to_end, 1);
	answer(&p, denied, ARRAY_LEN(denied), REFUSED);
	if (!(takes & LOOK_BORROWS))
		answer(&p, borrowing, ARRAY_LEN(borrowing), REFUSED);
	if (!(takes & LOOK_WRITES)) {
		refuse_unless(&p, &only_reading);
#ifdef SYS_open
		refuse_unless(&p, &only_reading_by_name);
#endif
		answer(&p, denied_writing, ARRAY_LEN(denied_writing), REFUSED);
	}
	install(&p, SECCOMP_RET_ALLOW);
}
