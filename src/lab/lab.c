#include "lab/lab.h"
#include "lab/play.h"
#include "lab/scenarios.h"
#include "lab/stage.h"
#include "util/i18n.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct lab_scenario scenarios[] = {
	{ .name = "demo", .rule = "close-wait-leaked-fd", .make = make_demo,
	  .title = N_("several diseases at once: leaked, half-closed, never accepted, TIME-WAIT") },

	{ .name = "close-wait-leaked-fd", .rule = "close-wait-leaked-fd",
	  .make = make_close_wait_leaked_fd,
	  .title = N_("a server that reads the end of 200 connections and forgets close()") },
	{ .name = "mptcp-close-wait", .rule = "close-wait-leaked-fd", .make = make_mptcp_close_wait,
	  .title = N_("the same over MPTCP, whose subflows stay ESTABLISHED") },
	{ .name = "close-wait-kernel-tls", .rule = "close-wait-leaked-fd",
	  .make = make_close_wait_kernel_tls,
	  .title = N_("connections that the kernel decrypts, read to the end and not closed") },
	{ .name = "close-wait-eof-unread", .rule = "close-wait-eof-unread",
	  .make = make_close_wait_eof_unread,
	  .title = N_("a server that is busy elsewhere and never looks at its connections") },
	{ .name = "close-wait-data-unread", .rule = "close-wait-data-unread",
	  .make = make_close_wait_data_unread,
	  .title = N_("requests and the end of the stream lie unread") },
	{ .name = "close-wait-never-accepted", .rule = "close-wait-never-accepted",
	  .make = make_close_wait_never_accepted,
	  .title = N_("a listener that does not call accept(), clients that gave up") },

	{ .name = "close-wait-stopped-process", .rule = "close-wait-stopped-process",
	  .make = make_close_wait_stopped_process,
	  .title = N_("a server that a signal has stopped") },
	{ .name = "close-wait-shared-fd", .rule = "close-wait-shared-fd",
	  .make = make_close_wait_shared_fd,
	  .title = N_("children that inherited connections their parent has closed") },
	{ .name = "close-wait-idle-pool", .rule = "close-wait-idle-pool",
	  .make = make_close_wait_idle_pool,
	  .title = N_("a client's pool of connections that the server has closed") },
	{ .name = "close-wait-kernel-held", .rule = "close-wait-kernel-held",
	  .make = make_close_wait_kernel_held,
	  .title = N_("a connection on its way through a UNIX socket that nobody reads") },
	{ .name = "close-wait-epoll-deaf", .rule = "close-wait-epoll-deaf",
	  .make = make_close_wait_epoll_deaf,
	  .title = N_("an event loop that does not listen for the end") },
	{ .name = "close-wait-loop-stuck", .rule = "close-wait-eof-unread",
	  .make = make_close_wait_loop_stuck,
	  .title = N_("an event loop that listens, and is stuck") },
	{ .name = "close-wait-send-stuck", .rule = "close-wait-send-stuck",
	  .make = make_close_wait_send_stuck,
	  .title = N_("a server that cannot send its answer: the client does not read") },

	{ .name = "fin-wait-1-peer-gone", .rule = "fin-wait-1-peer-gone",
	  .make = make_fin_wait_1_peer_gone,
	  .title = N_("a client that closes when the way to the server is dead") },
	{ .name = "fin-wait-1-zero-window", .rule = "fin-wait-1-zero-window",
	  .make = make_fin_wait_1_zero_window,
	  .title = N_("a server that closes with data left for a client that does not read") },
	{ .name = "send-refused-here", .rule = "send-refused-here", .make = make_send_refused_here,
	  .title = N_("a client that closes when its own address is gone, as with a VPN") },
	{ .name = "last-ack-peer-gone", .rule = "last-ack-peer-gone",
	  .make = make_last_ack_peer_gone,
	  .title = N_("a peer that closed first and is gone when we follow") },
	{ .name = "half-close-conntrack", .rule = "half-close-conntrack",
	  .make = make_half_close_conntrack,
	  .title = N_("a half-closed connection that the way forgets before we close") },
	{ .name = "fin-wait-1-no-timer", .rule = "fin-wait-1-no-timer",
	  .title = N_("closed, and no timer runs"),
	  .why_not = N_("it takes a network device that has stopped") },
	{ .name = "closing-simultaneous", .rule = "closing-simultaneous",
	  .make = make_closing_simultaneous,
	  .title = N_("both ends close at once, and the last ACK is lost") },

	{ .name = "fin-wait-2-held", .rule = "fin-wait-2-held", .make = make_fin_wait_2_held,
	  .title = N_("a client that half-closes and waits, for a server that never closes") },
	{ .name = "fin-wait-2-orphan", .rule = "fin-wait-2-orphan", .make = make_fin_wait_2_orphan,
	  .title = N_("a client that closed, a server that does not follow") },

	{ .name = "time-wait", .rule = "time-wait-active-closer", .make = make_time_wait,
	  .title = N_("a client that opens and closes 1200 connections") },
	{ .name = "time-wait-port-exhaustion", .rule = "time-wait-port-exhaustion",
	  .make = make_time_wait_port_exhaustion,
	  .title = N_("97 of 100 local ports towards one destination in TIME-WAIT") },

	{ .name = "time-wait-blocks-bind", .rule = "time-wait-blocks-bind",
	  .make = make_time_wait_blocks_bind,
	  .title = N_("a server that cannot start again: TIME-WAITs keep its port") },

	{ .name = "accept-queue-full", .rule = "accept-queue-full",
	  .make = make_accept_queue_full,
	  .title = N_("a listener whose queue has no room left") },
	{ .name = "nofile-near-limit", .rule = "nofile-near-limit",
	  .make = make_nofile_near_limit,
	  .title = N_("a server with nearly all its descriptors in use") },

	{ .name = "listener-held-by-child", .rule = "listener-held-by-child",
	  .make = make_listener_held_by_child,
	  .title = N_("a server's child that inherited its listener and outlived it") },
	{ .name = "listener-inherited", .rule = "listener-held-by-child",
	  .make = make_listener_inherited,
	  .title = N_("a program that a server started with its listener open in it") },

	{ .name = "dead-socket-leaked-fd", .rule = "dead-socket-leaked-fd",
	  .make = make_dead_socket_leaked_fd,
	  .title = N_("descriptors of connections that were reset and never closed") },
	{ .name = "dead-socket-bound", .rule = "dead-socket-leaked-fd", .make = make_dead_socket_bound,
	  .title = N_("the same of connections that were bound before connect()") },

	{ .name = "sockopts", .rule = "close-wait-leaked-fd", .option = "--sockopts",
	  .make = make_sockopts,
	  .title = N_("socket options of a server that forgets to close, read from its sockets") },

	{ .name = "time-wait-bucket-overflow", .rule = "time-wait-bucket-overflow",
	  .make = make_time_wait_bucket_overflow,
	  .title = N_("a table of TIME-WAITs with one place, three connections") },
	{ .name = "orphans-near-limit", .rule = "orphans-near-limit", .title = N_("too many orphans"),
	  .why_not = N_("their number and limit are the whole machine's") },
	{ .name = "conntrack-near-limit", .rule = "conntrack-near-limit",
	  .title = N_("a firewall that can remember no more connections"),
	  .why_not = N_("the limit is the whole machine's") },

	{ .name = "sysctl-harmful-fin-timeout-over-60", .rule = "sysctl-harmful-fin-timeout-over-60",
	  .sysctl = "net/ipv4/tcp_fin_timeout", .value = "90",
	  .title = N_("FIN-WAIT-2 lasts another time than is written") },
	{ .name = "sysctl-harmful-fin-timeout-low", .rule = "sysctl-harmful-fin-timeout-low",
	  .sysctl = "net/ipv4/tcp_fin_timeout", .value = "3",
	  .title = N_("a FIN-WAIT-2 too short for slow peers") },
	{ .name = "sysctl-harmful-tw-buckets-low", .rule = "sysctl-harmful-tw-buckets-low",
	  .sysctl = "net/ipv4/tcp_max_tw_buckets", .value = "100",
	  .title = N_("a table for a hundred TIME-WAITs") },
	{ .name = "sysctl-harmful-timestamps-off", .rule = "sysctl-harmful-timestamps-off",
	  .sysctl = "net/ipv4/tcp_timestamps", .value = "0",
	  .title = N_("no TCP timestamps") },
	{ .name = "sysctl-harmful-abort-on-overflow", .rule = "sysctl-harmful-abort-on-overflow",
	  .sysctl = "net/ipv4/tcp_abort_on_overflow", .value = "1",
	  .title = N_("bursts become hard errors") },
	{ .name = "sysctl-harmful-retries2-low", .rule = "sysctl-harmful-retries2-low",
	  .sysctl = "net/ipv4/tcp_retries2", .value = "3",
	  .title = N_("connections that do not survive a short outage") },
	{ .name = "sysctl-harmful-orphan-retries-low", .rule = "sysctl-harmful-orphan-retries-low",
	  .sysctl = "net/ipv4/tcp_orphan_retries", .value = "1",
	  .title = N_("the end of responses is given up at once") },
	{ .name = "sysctl-harmful-port-range", .rule = "sysctl-harmful-port-range",
	  .sysctl = "net/ipv4/ip_local_port_range", .value = "40000 40099",
	  .title = N_("a hundred local ports") },
	{ .name = "sysctl-harmful-challenge-ack-limit", .rule = "sysctl-harmful-challenge-ack-limit",
	  .sysctl = "net/ipv4/tcp_challenge_ack_limit", .value = "100",
	  .title = N_("a limit that tells strangers of connections") },
	{ .name = "sysctl-harmful-somaxconn-low", .rule = "sysctl-harmful-somaxconn-low",
	  .sysctl = "net/core/somaxconn", .value = "16",
	  .title = N_("every accept queue cut to 16") },
	{ .name = "sysctl-harmful-max-orphans-low", .rule = "sysctl-harmful-max-orphans-low",
	  .title = N_("a limit of orphans so low that innocent clients are reset"),
	  .why_not = N_("the limit is the whole machine's") },
	{ .name = "sysctl-harmful-tw-recycle", .rule = "sysctl-harmful-tw-recycle",
	  .title = N_("clients behind NAT are refused"),
	  .why_not = N_("Linux has not had this setting since 4.12") },
	{ .name = "sysctl-harmful-conntrack-short", .rule = "sysctl-harmful-conntrack-short",
	  .title = N_("a firewall that forgets half-closed connections"),
	  .why_not = N_("it takes a firewall that tracks connections") },

	{ .name = "rst-refused", .rule = "rst-refused", .make = make_rst_refused,
	  .title = N_("a client that knocks where nobody listens") },
	{ .name = "rst-after-close", .rule = "rst-after-close", .make = make_rst_after_close,
	  .title = N_("a server that has closed, a client that goes on sending") },
	{ .name = "fin-unanswered", .rule = "fin-unanswered", .make = make_fin_unanswered,
	  .title = N_("one end closes, the other never does, and both hosts are gone by now") },
	{ .name = "half-close-long", .rule = "half-close-long", .make = make_half_close_long,
	  .title = N_("a server that takes its time to close after the client has") },

	{ .name = "near-young-close-wait", .rule = "close-wait-leaked-fd", .is_near_miss = true,
	  .make = make_near_young_close_wait,
	  .title = N_("healthy: 50 connections whose end was read a moment ago") },
	{ .name = "near-ends-unread", .rule = "close-wait-eof-unread", .is_near_miss = true,
	  .make = make_near_ends_unread,
	  .title = N_("healthy: connections whose end came a moment ago") },
	{ .name = "near-data-unread", .rule = "close-wait-data-unread", .is_near_miss = true,
	  .make = make_near_data_unread,
	  .title = N_("healthy: requests that came a moment ago") },
	{ .name = "near-unaccepted", .rule = "close-wait-never-accepted", .is_near_miss = true, .option = "--min-age=10m",
	  .make = make_near_unaccepted,
	  .title = N_("healthy: clients that came, and left, a moment ago") },
	{ .name = "near-idle-keepalive", .rule = "unjudged", .is_near_miss = true,
	  .make = make_near_idle_keepalive,
	  .title = N_("healthy: a quiet server with idle connections, keepalive on") },
	{ .name = "near-half-close-in-use", .rule = "fin-wait-2-held", .is_near_miss = true,
	  .make = make_near_half_close_in_use,
	  .title = N_("healthy: half-closed on purpose, the answer is flowing") },
	{ .name = "near-server-time-wait", .rule = "time-wait-port-exhaustion",
	  .is_near_miss = true, .make = make_near_server_time_wait,
	  .title = N_("healthy: TIME-WAIT on a listener's port uses no local ports") },
	{ .name = "near-restarted", .rule = "time-wait-blocks-bind", .is_near_miss = true,
	  .make = make_near_restarted,
	  .title = N_("healthy: a server that started again beside its TIME-WAITs") },
	{ .name = "near-many-destinations", .rule = "time-wait-port-exhaustion",
	  .is_near_miss = true, .make = make_near_many_destinations,
	  .title = N_("healthy: many TIME-WAITs, but of four destinations") },
	{ .name = "near-refused-once", .rule = "rst-after-close", .is_near_miss = true,
	  .make = make_near_refused_once,
	  .title = N_("healthy: one refused connection is nothing to worry about") },
	{ .name = "near-orderly-close", .rule = "unjudged", .is_near_miss = true,
	  .make = make_near_orderly_close,
	  .title = N_("healthy: connections that ended with four segments, either end first") },
	{ .name = "near-mptcp", .rule = "unjudged", .is_near_miss = true, .make = make_near_mptcp,
	  .title = N_("healthy: MPTCP connections that were half-closed a moment ago") },
	{ .name = "near-sockopts", .rule = "close-wait-leaked-fd", .option = "--sockopts",
	  .is_near_miss = true, .make = make_near_sockopts,
	  .title = N_("healthy: connections with such options, in use") },
	{ .name = "near-fresh-sockets", .rule = "dead-socket-leaked-fd", .is_near_miss = true,
	  .make = make_near_fresh_sockets,
	  .title = N_("healthy: sockets that are about to connect") },
	{ .name = "near-bound-sockets", .rule = "dead-socket-leaked-fd", .is_near_miss = true,
	  .make = make_near_bound_sockets,
	  .title = N_("healthy: sockets that are bound and not connected yet") },
	{ .name = "near-busy-sockets", .rule = "dead-socket-leaked-fd", .is_near_miss = true,
	  .make = make_near_busy_sockets,
	  .title = N_("healthy: connections that come and go while they are looked at") },
	{ .name = "near-daemon", .rule = "listener-held-by-child", .is_near_miss = true,
	  .make = make_near_daemon,
	  .title = N_("healthy: a daemon whose starter has ended, with an empty queue") },
	{ .name = "near-stopped-idle", .rule = "close-wait-stopped-process", .is_near_miss = true,
	  .make = make_near_stopped_idle,
	  .title = N_("healthy: a stopped server whose clients have not closed") },
	{ .name = "near-preforked", .rule = "close-wait-shared-fd", .is_near_miss = true,
	  .make = make_near_preforked,
	  .title = N_("healthy: workers that share a listener, and no connection") },
	{ .name = "near-idle-pool", .rule = "close-wait-idle-pool", .is_near_miss = true,
	  .make = make_near_idle_pool,
	  .title = N_("healthy: a pool of open connections") },
	{ .name = "near-lost-once", .rule = "fin-wait-1-peer-gone", .is_near_miss = true,
	  .make = make_near_lost_once,
	  .title = N_("healthy: the first FIN was lost, the next may arrive") },
	{ .name = "near-slow-reader", .rule = "close-wait-send-stuck", .is_near_miss = true,
	  .make = make_near_slow_reader,
	  .title = N_("healthy: a client that has not read everything yet") },
	{ .name = "near-half-queue", .rule = "accept-queue-full", .is_near_miss = true,
	  .make = make_near_half_queue,
	  .title = N_("healthy: a queue with room") },
	{ .name = "near-half-nofile", .rule = "nofile-near-limit", .is_near_miss = true,
	  .make = make_near_half_nofile,
	  .title = N_("healthy: half of the descriptors in use") },
};

const struct lab_scenario *lab_scenarios(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(scenarios);
	return scenarios;
}

static int list_text(void)
{
	int width = 0;

	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
		if ((int)strlen(scenarios[i].name) > width)
			width = (int)strlen(scenarios[i].name);
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		const struct lab_scenario *s = &scenarios[i];

		printf("%-*s  %s\n", width, s->name, _(s->title));
		if (s->why_not)
			printf(_("%*s  cannot be made here: %s\n"), width, "", _(s->why_not));
	}
	return 0;
}

static int list_json(void)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		const struct lab_scenario *s = &scenarios[i];

		json_array_append_new(
			rows, json_pack("{s:s, s:s, s:s, s:b, s:s?}", "name", s->name, "rule", s->rule,
					"title", _(s->title), "near_miss", s->is_near_miss, "why_not",
					s->why_not ? _(s->why_not) : NULL));
	}
	json_t *list = json_pack("{s:s, s:o, s:b}", "schema", "tcpwhy.lab/1", "scenarios", rows,
				 "complete", true);
	int failed = json_dumpf(list, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(list);
	return failed ? 1 : 0;
}

static const struct lab_scenario *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}

static int play(const struct lab_request *req, const struct lab_scenario *s)
{
	if (!s->why_not)
		return play_scenario(req, s);
	fprintf(stderr, _("tcpwhy: lab: not possible here: %s: %s\n"), s->name, _(s->why_not));
	return STAGE_IMPOSSIBLE;
}

static int play_all(const struct lab_request *req)
{
	struct lab_request each = *req;
	FILE *out = req->json ? stderr : stdout;
	unsigned n_good = 0, n_bad = 0, n_impossible = 0;

	/* A page for each scenario is too much to read; a verdict for each is not. */
	each.quiet = !req->verbose && !req->json;
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		fprintf(out, "== %s: %s\n", scenarios[i].name, _(scenarios[i].title));
		int status = play(&each, &scenarios[i]);

		n_good += status == STAGE_AS_EXPECTED;
		n_impossible += status == STAGE_IMPOSSIBLE;
		n_bad += status != STAGE_AS_EXPECTED && status != STAGE_IMPOSSIBLE;
	}
	fprintf(out, _("%u as expected, %u not, %u not possible here\n"), n_good, n_bad,
		n_impossible);
	return n_bad || !n_good ? 1 : 0;
}

int lab_run(const struct lab_request *req)
{
	if (req->all)
		return play_all(req);
	if (!req->name)
		return req->json ? list_json() : list_text();
	const struct lab_scenario *s = find(req->name);
	if (!s)
		return 2;
	return play(req, s) == STAGE_AS_EXPECTED ? 0 : 1;
}
