#include "explain/tables.h"
#include "util/i18n.h"

/* Settings of local ports. */

static const struct topic rows[] = {
	{
		.kind = TOPIC_SYSCTL,
		.id = "ip_local_port_range",
		.aliases = ALIASES("net.ipv4.ip_local_port_range", "ephemeral ports",
				   "port range"),
		.title = N_("the ports the kernel may choose from"),
		.text = N_("Two numbers, 32768 60999 by default: 28232 ports. For each "
			   "namespace, effective at once. It is used when the kernel picks a "
			   "port: connect() without bind(), and bind() to port 0.\n\n"
			   "For connect() the limit holds for each source address, destination "
			   "address and destination port together, not for the host: the same "
			   "local ports serve other destinations at the same time. \"A host can "
			   "have only 65535 connections\" is a myth; a server's connections "
			   "share its listening port and use none of these.\n\n"
			   "Connections in every state count, TIME-WAIT too. If our side closes "
			   "first and nothing is reused, 28232 ports and 60 seconds give 470 "
			   "new connections a second to one destination.\n\n"
			   "When they run out, connect() fails with EADDRNOTAVAIL, but bind() "
			   "to port 0 with EADDRINUSE; such bound ports are lost for all "
			   "destinations. Before it fails, the search eats CPU.\n\n"
			   "What to do: pool connections first; IP_BIND_ADDRESS_NO_PORT where "
			   "the source address is bound; more source or destination addresses; "
			   "then a range such as 10240 65535. Danger: \"1024 65535\" takes the "
			   "ports of services that start later; list those in "
			   "ip_local_reserved_ports. Keep one bound even and the other odd: "
			   "connect() prefers one kind."),
		.refs = "ip(7); Linux net/ipv4/inet_hashtables.c, __inet_hash_connect(); "
			"Linux net/ipv4/inet_connection_sock.c, inet_csk_find_open_port()",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "ip_local_reserved_ports",
		.aliases = ALIASES("net.ipv4.ip_local_reserved_ports", "reserved ports"),
		.title = N_("ports the kernel must not choose by itself"),
		.text = N_("A list such as 8080,9000-9100; empty by default. For each "
			   "namespace, effective at once. These ports are never assigned by "
			   "connect() or by bind() to port 0. A program may still bind one of "
			   "them by its number, which is the purpose: a service that starts "
			   "late finds its port free.\n\n"
			   "Without it a client connection may sit on 9100 when the service is "
			   "started, and bind() fails with EADDRINUSE; after a close that side "
			   "began the port stays taken for a minute more.\n\n"
			   "It does not close or protect ports: nothing is filtered, and a "
			   "connection that has such a port already keeps it.\n\n"
			   "The ports it takes out of ip_local_port_range are missing for "
			   "connections: with ten ports in the range and five of them reserved, "
			   "five connections to one destination were possible.\n\n"
			   "What to do: when you widen ip_local_port_range downwards, reserve "
			   "the ports of your services first. Danger: writing replaces the "
			   "whole list; read the old value and add to it. A new network "
			   "namespace, a container for example, begins with an empty list."),
		.refs = "Linux Documentation/networking/ip-sysctl.rst; ip(7)",
	},
	{
		.kind = TOPIC_SYSCTL,
		.id = "tcp_migrate_req",
		.aliases = ALIASES("net.ipv4.tcp_migrate_req", "migrate_req"),
		.title = N_("move waiting clients when a SO_REUSEPORT listener closes"),
		.text = N_("0 by default, 1 on; since Linux 5.14, for each namespace. With "
			   "SO_REUSEPORT several listeners share a port and each has a queue of "
			   "its own. With 0, closing one of them resets the clients that wait "
			   "in its queue: they see ECONNRESET although other listeners are "
			   "ready. With 1 these clients and the unfinished handshakes move to "
			   "another listener of the group. In a test with eight waiting clients "
			   "0 reset all eight, 1 moved all eight.\n\n"
			   "TCPMigrateReqSuccess and TCPMigrateReqFailure count. No TCPAbortOn "
			   "counter moves for the resets.\n\n"
			   "It does not help a single listener, which has nowhere to move to, "
			   "nor connections that were accepted. In the stable series 5.10 the "
			   "file exists and no code reads it: a file is not yet a feature.\n\n"
			   "What to do: set 1 for rolling restarts with SO_REUSEPORT, where old "
			   "and new process overlap. Where an eBPF program selects listeners, "
			   "it can do the same selectively. Danger: none known; the listeners "
			   "must be able to serve each other's clients, certificates and "
			   "configuration included."),
		.refs = "Linux net/core/sock_reuseport.c, reuseport_migrate_sock(); Linux "
			"net/ipv4/inet_connection_sock.c, inet_csk_listen_stop(); Linux "
			"Documentation/networking/ip-sysctl.rst",
	},
};

const struct topic_table explain_ports = { rows, ARRAY_LEN(rows) };
