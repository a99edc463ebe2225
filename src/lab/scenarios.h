#pragma once

/* What each scenario makes, by family; the rows are in lab.c. Each returns once the sockets are in
 * the states it promises, with the expectations noted in the stage. */

struct stage;

void make_demo(struct stage *st);

void make_close_wait_leaked_fd(struct stage *st);
void make_close_wait_eof_unread(struct stage *st);
void make_close_wait_data_unread(struct stage *st);
void make_close_wait_never_accepted(struct stage *st);
void make_near_ends_unread(struct stage *st);
void make_near_data_unread(struct stage *st);
void make_near_unaccepted(struct stage *st);

void make_close_wait_stopped_process(struct stage *st);
void make_close_wait_shared_fd(struct stage *st);
void make_close_wait_idle_pool(struct stage *st);
void make_close_wait_kernel_held(struct stage *st);
void make_close_wait_epoll_deaf(struct stage *st);
void make_close_wait_loop_stuck(struct stage *st);
void make_close_wait_send_stuck(struct stage *st);

void make_fin_wait_1_peer_gone(struct stage *st);
void make_fin_wait_1_zero_window(struct stage *st);
void make_send_refused_here(struct stage *st);
void make_last_ack_peer_gone(struct stage *st);
void make_half_close_conntrack(struct stage *st);
void make_closing_simultaneous(struct stage *st);
void make_accept_queue_full(struct stage *st);
void make_nofile_near_limit(struct stage *st);
void make_listener_held_by_child(struct stage *st);
void make_listener_inherited(struct stage *st);
void make_near_daemon(struct stage *st);
void make_mptcp_close_wait(struct stage *st);
void make_close_wait_kernel_tls(struct stage *st);
void make_near_mptcp(struct stage *st);
void make_dead_socket_leaked_fd(struct stage *st);
void make_sockopts(struct stage *st);
void make_near_sockopts(struct stage *st);
void make_dead_socket_bound(struct stage *st);
void make_near_fresh_sockets(struct stage *st);
void make_near_bound_sockets(struct stage *st);
void make_near_busy_sockets(struct stage *st);

void make_fin_wait_2_held(struct stage *st);
void make_fin_wait_2_orphan(struct stage *st);

void make_time_wait(struct stage *st);
void make_time_wait_port_exhaustion(struct stage *st);
void make_time_wait_blocks_bind(struct stage *st);
void make_time_wait_bucket_overflow(struct stage *st);
void make_near_restarted(struct stage *st);

void make_rst_refused(struct stage *st);
void make_rst_after_close(struct stage *st);
void make_fin_unanswered(struct stage *st);
void make_half_close_long(struct stage *st);

void make_near_young_close_wait(struct stage *st);
void make_near_idle_keepalive(struct stage *st);
void make_near_half_close_in_use(struct stage *st);
void make_near_server_time_wait(struct stage *st);
void make_near_many_destinations(struct stage *st);
void make_near_refused_once(struct stage *st);
void make_near_orderly_close(struct stage *st);
void make_near_stopped_idle(struct stage *st);
void make_near_preforked(struct stage *st);
void make_near_idle_pool(struct stage *st);
void make_near_lost_once(struct stage *st);
void make_near_slow_reader(struct stage *st);
void make_near_half_queue(struct stage *st);
void make_near_half_nofile(struct stage *st);
