#pragma once

/* The stage: one process in a private network namespace, and the actors it casts, processes that
 * make the sockets. All the functions below belong to that process or to an actor and are honest
 * about it: what the kernel refuses is said on stderr and ends the process, and with the stage ends
 * every actor. The address of the whole namespace is 192.0.2.1 (RFC 5737), on its loopback device;
 * ports can be fixed, nobody else is there. */

#include "model/state.h"
#include "util/attr.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { STAGE_MAX_ACTORS = 16, STAGE_MAX_EXPECTED = 8 };
/* Exit statuses of the stage process. */
enum { STAGE_AS_EXPECTED = 0, STAGE_FAILED = 1, STAGE_IMPOSSIBLE = 77 };

struct expected {
	const char *rule;
	pid_t pid;      /* the guilty process; 0: nobody holds it any more */
	uint64_t count; /* at least so many connections in one finding */
	const char *fact; /* of that finding, as JSON names it; NULL: none in particular */
	int64_t value;
};

struct actor {
	pid_t pid;
	const char *comm;
	int said;   /* a byte comes when it is ready */
	int prompt; /* a byte lets it go on */
};

struct stage {
	FILE *out; /* where people read */
	bool quiet;
	bool has_capture;
	struct actor actors[STAGE_MAX_ACTORS];
	int n_actors;
	struct expected expected[STAGE_MAX_EXPECTED];
	int n_expected;
};

/* Enters the new namespace: its own user namespace where the caller is not root. */
void stage_enter(void);
/* Its address 192.0.2.1 goes, and with it the route there. */
void stage_lose_address(void);
/* A sysctl of this namespace, named like "net/ipv4/tcp_tw_reuse". */
void stage_set(const char *sysctl, const char *value);

/* The part an actor plays. It may return: then the process holds what it has until it is ended. */
typedef void part(void);
/* Starts a process named `comm` (15 characters at most) that plays `play`. */
struct actor *stage_cast(struct stage *st, const char *comm, part *play);
/* Waits for the actor's next cue_ready(). */
void stage_await(struct actor *a);
/* Starts it and waits for its first cue_ready(). */
struct actor *stage_cast_ready(struct stage *st, const char *comm, part *play);
void stage_prompt(struct actor *a);
/* Stops it by a signal, and waits until it has stopped. */
void stage_stop(const struct actor *a);
/* Ends it, and waits until it is gone. */
void stage_end(struct actor *a);
/* The process that an actor has presented by cue_pid(). It is ended with the others. */
struct actor *stage_await_pid(struct stage *st, const struct actor *by, const char *comm);
/* Waits until at least `n` sockets are in the state, by local and peer port; 0: any port. */
void stage_await_socks(enum state state, uint16_t local_port, uint16_t peer_port, unsigned n);
/* The same, and each has tried `tries` times in vain: retransmissions or probes. */
void stage_await_tries(enum state state, uint16_t local_port, uint16_t peer_port, unsigned n,
		       unsigned tries);
/* Ends the actors, in the order in which they were cast. */
void stage_clear(struct stage *st);

/* In an actor: say that the sockets stand, or wait to be told to go on. */
void cue_ready(void);
void cue_wait(void);
/* Presents another process than this one. */
void cue_pid(pid_t pid);
/* Starts a process that stays when this one ends, and presents it. It plays like an actor and has
 * inherited every descriptor. */
void cue_spawn(const char *comm, part *play);

/* "made: what was done": who reads it learns what the diagnosis should find. */
PRINTF(2, 3) void stage_made(struct stage *st, const char *fmt, ...);
void stage_expect(struct stage *st, const char *rule, const struct actor *guilty, uint64_t count);
/* And this number among the facts of the finding expected last. */
void stage_expect_fact(struct stage *st, const char *fact, int64_t value);

/* Milliseconds on a clock that only goes forward. */
int64_t stage_now_ms(void);
/* One step of waiting for the kernel; ends the process when `since_ms` is too long ago. */
void stage_pause(int64_t since_ms, const char *waiting_for);
/* What the one at the other end of a pipe says; false: it has ended without a word. */
bool stage_hear(int fd, void *ret, size_t n, const char *whom);
/* In a child: from now on it ends when its parent does. */
void stage_end_with(pid_t parent);
/* "tcpwhy: lab: COMM: WHAT: error of errno", and the end of this process. */
NORETURN void stage_die(const char *what);
/* The same where this machine forbids it; errno is said too unless 0. */
NORETURN void stage_impossible(const char *what);
