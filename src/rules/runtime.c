#include "rules/runtime.h"
#include "util/attr.h"
#include "util/i18n.h"

#include <string.h>

#define CODE(words) { .kind = FIX_CODE, .text = words }
#define LOOK(words, line) { .kind = FIX_OPERATION, .text = words, .command = line }

static const struct runtime {
	const char *names[8]; /* of the program; one that ends in '*' is a beginning */
	struct fix fixes[N_ADVICES];
} runtimes[] = {
	{
		.names = { "nginx" },
		.fixes = {
			[ADVICE_LEAK] = CODE(N_("nginx closes by itself when a request is over: look at "
						"Lua and third-party modules (ngx.socket without close() or "
						"setkeepalive()) and at upstreams that never end their answer "
						"(proxy_read_timeout).")),
			[ADVICE_ACCEPT] = CODE(N_("nginx: worker_connections, worker_rlimit_nofile and "
						  "`listen ... backlog=` (511 by default) bound what is "
						  "accepted; a blocking module stops a whole worker.")),
			[ADVICE_POOL] = CODE(N_("nginx: keepalive_timeout inside upstream {{ } (60 s by "
						"default) below the backend's idle timeout.")),
			[ADVICE_PORTS] = CODE(N_("nginx: upstream {{ keepalive N; } with proxy_http_version "
						 "1.1 and `proxy_set_header Connection \"\"`, so that it does "
						 "not open a connection for each request.")),
		},
	},
	{
		.names = { "haproxy" },
		.fixes = {
			[ADVICE_LEAK] = CODE(N_("HAProxy: timeout client-fin and timeout server-fin bound "
						"half-closed connections; without them the ordinary client "
						"and server timeouts do.")),
			[ADVICE_ACCEPT] = CODE(N_("HAProxy: above maxconn (global, and of the bind line) it "
						  "does not accept; clients wait in the kernel's queue.")),
			[ADVICE_POOL] = CODE(N_("HAProxy: pool-purge-delay and pool-max-conn of the server "
						"line limit idle connections; keep them below the server's "
						"own idle timeout.")),
			[ADVICE_PORTS] = CODE(N_("HAProxy: http-reuse safe or always, or several source "
						 "addresses (`source ... usesrc`) towards one server.")),
		},
	},
	{
		.names = { "envoy" },
		.fixes = {
			[ADVICE_POOL] = CODE(N_("Envoy: idle_timeout in the cluster's "
						"common_http_protocol_options (1 h by default) below the "
						"upstream's idle timeout.")),
			[ADVICE_PORTS] = CODE(N_("Envoy: max_requests_per_connection and HTTP/2 towards the "
						 "cluster decide how often it connects.")),
		},
	},
	{
		.names = { "java", "jsvc" },
		.fixes = {
			[ADVICE_LEAK] = CODE(N_("Java: try-with-resources around Socket, Connection and "
						"CloseableHttpResponse; consume or close every response body, "
						"and give JDBC connections back in finally.")),
			[ADVICE_STUCK] = LOOK(N_("Java: the threads that should read are in the thread "
						 "dump."), "jstack {pid}"),
			[ADVICE_ACCEPT] = LOOK(N_("Java: acceptCount and maxThreads of the connector; the "
						  "thread dump shows what the acceptor waits for."),
					       "jstack {pid}"),
			[ADVICE_POOL] = CODE(N_("Java: evictIdleConnections() or setValidateAfterInactivity() "
						"in Apache HttpClient, -Djdk.httpclient.keepalive.timeout in "
						"the JDK's, maxLifetime and keepaliveTime in HikariCP, all "
						"below the server's idle timeout.")),
			[ADVICE_PORTS] = CODE(N_("Java: one shared HttpClient with a pool; setMaxPerRoute() "
						 "of Apache HttpClient is small by default.")),
		},
	},
	{
		.names = { "python*", "gunicorn*", "uwsgi*", "celery*" },
		.fixes = {
			[ADVICE_LEAK] = CODE(N_("Python: `with` or `async with` around sockets, sessions and "
						"responses; requests with stream=True needs response.close().")),
			[ADVICE_STUCK] = LOOK(N_("Python: see where it stands."), "py-spy dump --pid {pid}"),
			[ADVICE_ACCEPT] = LOOK(N_("Python: every worker is busy, or one blocks the event "
						  "loop; see where it stands."), "py-spy dump --pid {pid}"),
			[ADVICE_POOL] = CODE(N_("Python: requests and urllib3 test a connection when they "
						"take it; with aiohttp set keepalive_timeout of TCPConnector "
						"(15 s by default) below the server's.")),
			[ADVICE_PORTS] = CODE(N_("Python: one Session for all requests; requests.get() "
						 "opens a connection each time.")),
		},
	},
	{
		.names = { "node", "nodejs", "PM2*" },
		.fixes = {
			[ADVICE_LEAK] = CODE(N_("Node: with allowHalfOpen the program must call socket.end() "
						"in its 'end' handler; a response nobody consumes "
						"(res.resume()) keeps its socket.")),
			[ADVICE_STUCK] = CODE(N_("Node: a paused stream or synchronous work keeps the loop "
						 "from reading; resume() after pause() on every path.")),
			[ADVICE_POOL] = CODE(N_("Node: an http.Agent with keepAlive keeps sockets as long as "
						"the server lets it; server.keepAliveTimeout is 5 s by "
						"default, set the agent's timeout below.")),
			[ADVICE_PORTS] = CODE(N_("Node: one http.Agent({{ keepAlive: true }) for all "
						 "requests.")),
		},
	},
	{
		/* Go programs do not say that they are: the well-known ones. */
		.names = { "caddy", "traefik", "etcd", "dockerd", "containerd*", "kubelet",
			   "prometheus", "consul" },
		.fixes = {
			[ADVICE_LEAK] = CODE(N_("Go: `defer resp.Body.Close()` after the error check, on "
						"every path, and conn.Close() with it.")),
			[ADVICE_STUCK] = CODE(N_("Go: net/http/pprof, /debug/pprof/goroutine?debug=2, shows "
						 "the goroutine that should read; set ReadTimeout and "
						 "WriteTimeout.")),
			[ADVICE_POOL] = CODE(N_("Go: http.Transport.IdleConnTimeout (90 s by default) below "
						"the server's IdleTimeout.")),
			[ADVICE_PORTS] = CODE(N_("Go: http.Transport.MaxIdleConnsPerHost is 2 by default: "
						 "raise it; and read bodies to the end, or the connection is "
						 "not used again.")),
		},
	},
	{
		.names = { "php-fpm*", "php*" },
		.fixes = {
			[ADVICE_STUCK] = CODE(N_("PHP-FPM: request_terminate_timeout ends a request that "
						 "hangs, request_slowlog_timeout shows where.")),
			[ADVICE_ACCEPT] = CODE(N_("PHP-FPM: pm.max_children bounds what is accepted, "
						  "listen.backlog the queue.")),
		},
	},
};

static bool is_called(const char *name, const char *pattern)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] == '*')
		return strncmp(name, pattern, n - 1) == 0;
	return strcmp(name, pattern) == 0;
}

static const struct runtime *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
		for (size_t k = 0; k < ARRAY_LEN(runtimes[i].names) && runtimes[i].names[k]; k++)
			if (is_called(name, runtimes[i].names[k]))
				return &runtimes[i];
	return NULL;
}

const struct fix *runtime_fix(const struct proc *p, enum advice about)
{
	const struct runtime *r = NULL;

	if (!p || about == ADVICE_NONE)
		return NULL;
	/* Threads and scripts name themselves; the program is what runs. */
	if (p->exe) {
		const char *slash = strrchr(p->exe, '/');

		r = find(slash ? slash + 1 : p->exe);
	}
	if (!r && p->comm)
		r = find(p->comm);
	return r && r->fixes[about].text ? &r->fixes[about] : NULL;
}
