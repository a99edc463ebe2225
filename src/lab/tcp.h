#pragma once

/* What actors do with sockets, one call each. Blocking, on 192.0.2.1, and like everything on the
 * stage: what the kernel refuses ends the process with its reason. Descriptors belong to the caller;
 * most are left open on purpose. */

#include "model/state.h"

#include <stddef.h>
#include <stdint.h>

int tcp_listen(uint16_t port, int backlog);
/* With SO_REUSEADDR, which servers set to start beside what their last run left. */
int tcp_listen_again(uint16_t port, int backlog);
/* The same of MPTCP; where the kernel has none the scenario is impossible. */
int mptcp_listen(uint16_t port, int backlog);
int mptcp_connect(uint16_t port);
/* The kernel decrypts what comes, with a key of zeros (kTLS); where it cannot the scenario is impossible. */
void tcp_decrypt(int fd);
/* A socket with an address and nothing more. */
int tcp_bind(uint16_t port);
int tcp_accept(int listener);
int tcp_connect(uint16_t port);
/* Connects a socket that has an address already. */
void tcp_connect_bound(int fd, uint16_t port);
void tcp_send(int fd, size_t n_bytes);
/* Reads until the end of the stream. */
void tcp_drain(int fd);
/* shutdown(SHUT_WR): the FIN goes, the descriptor stays. */
void tcp_half_close(int fd);
void tcp_await_state(int fd, enum state state);
/* Sends until the peer takes no more. */
void tcp_fill(int fd);
/* From now on every segment for this socket is lost on its way, or no longer. */
void tcp_go_deaf(int fd);
void tcp_hear_again(int fd);
/* Sends the descriptor through a UNIX socket. */
void tcp_pass(int through, int fd);
void tcp_keepalive(int fd, int idle_s, int interval_s, int probes);
void tcp_linger(int fd, int seconds);
/* SO_LINGER with 0: a reset instead of a FIN. */
void tcp_abort(int fd);
/* The connection vanishes without a packet, as if the host had lost its power. */
void tcp_vanish(int fd);

/* An actor's whole part: connects (64 times at most), cues, and closes all when it is told to. */
void tcp_leave_when_told(uint16_t port, size_t n);

/* The same `n` times. */
void tcp_accept_all(int listener, int fds[], size_t n);
void tcp_connect_all(uint16_t port, int fds[], size_t n);
void tcp_drain_all(const int fds[], size_t n);
void tcp_close_all(const int fds[], size_t n);
