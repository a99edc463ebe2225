#include "filter/host.h"
#include "util/i18n.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_RESOLVED = 16 };

static bool number_parse(const char *text, unsigned long max, unsigned long *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*ret = strtoul(text, &end, 10);
	return !*end && *ret <= max;
}

bool port_parse(const char *text, int *ret)
{
	unsigned long number;

	if (*text == ':')
		text++;
	if (strcmp(text, "*") == 0) {
		*ret = -1;
		return true;
	}
	if (number_parse(text, UINT16_MAX, &number)) {
		*ret = (int)number;
		return true;
	}

	const struct servent *service = *text ? getservbyname(text, "tcp") : NULL;

	if (!service)
		return false;
	*ret = ntohs((uint16_t)service->s_port);
	return true;
}

/* "10", "10.1": the short forms that are usual in front of a prefix length. */
static bool short_v4_parse(const char *text, struct addr *ret)
{
	char whole[64];
	size_t dots = 0;

	if (!*text || strlen(text) > 15 || strspn(text, "0123456789.") != strlen(text))
		return false;
	for (const char *c = text; *c; c++)
		dots += *c == '.';
	if (dots > 3)
		return false;
	strcpy(whole, text);
	for (; dots < 3; dots++)
		strcat(whole, ".0");
	return addr_parse(whole, ret);
}

static struct node *host_node(struct arena *arena, bool is_dst, enum family family, int port)
{
	static const uint8_t zero[4];
	struct node *n = arena_alloc(arena, sizeof(*n));

	*n = (struct node){ .kind = NODE_HOST, .is_dst = is_dst, .family = family, .port = port };
	if (family == FAMILY_INET) {
		n->prefix = addr_from_v4(zero);
		n->bits = V4_OFFSET;
	}
	return n;
}

/* `family`: how it was written. "::ffff:10.0.0.1" asks for IPv6 sockets alone, "10.0.0.1" for both. */
static struct node *numeric_node(struct addr addr, enum family family, bool is_dst, int port,
				 const char *length, struct arena *arena)
{
	unsigned long offset = family == FAMILY_INET ? V4_OFFSET : 0, bits = 128 - offset;
	struct node *n;

	if (length && !number_parse(length, bits, &bits))
		return NULL;
	n = host_node(arena, is_dst, family, port);
	n->prefix = addr;
	n->bits = (unsigned)(offset + bits);
	return n;
}

static struct addr from_sockaddr(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET6)
		return addr_from_v6(((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr);

	struct in_addr v4 = ((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	uint8_t bytes[4];

	memcpy(bytes, &v4, sizeof(bytes));
	return addr_from_v4(bytes);
}

static const struct node *resolved(const char *name, enum family family, bool is_dst, int port,
				   struct arena *arena)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	struct node *all = NULL;
	int n = 0;

	hints.ai_family = family == FAMILY_INET    ? AF_INET
			  : family == FAMILY_INET6 ? AF_INET6
						   : AF_UNSPEC;
	/* Nobody is asked for the loopback (RFC 6761, section 6.3): a container or a rescue system may have
	 * no /etc/hosts, and DNS takes its time. Without a node it is what getaddrinfo() gives. */
	if (getaddrinfo(strcasecmp(name, "localhost") == 0 ? NULL : name, "0", &hints, &list) != 0)
		return NULL;
	for (const struct addrinfo *at = list; at && n < MAX_RESOLVED; at = at->ai_next, n++) {
		if (at->ai_family != AF_INET && at->ai_family != AF_INET6)
			continue;

		struct node *one = numeric_node(from_sockaddr(at->ai_addr),
						at->ai_family == AF_INET ? FAMILY_INET : FAMILY_INET6,
						is_dst, port, NULL, arena);

		if (all) {
			struct node *either = arena_alloc(arena, sizeof(*either));

			*either = (struct node){ .kind = NODE_OR, .a = all, .b = one };
			one = either;
		}
		all = one;
	}
	freeaddrinfo(list);
	return all;
}

/* Cuts the text into host, length and port, in place. NULL where a part is not there. */
static bool split(char *text, char **host, char **length, char **port)
{
	char *colon;

	*length = *port = NULL;
	*host = text;
	if (*text == '[') {
		char *end = strchr(text, ']');

		if (!end)
			return false;
		*host = text + 1;
		*end = '\0';
		text = end + 1;
		if (*text && *text != '/' && *text != ':')
			return false;
		*length = strchr(*host, '/');
		if (*text == '/')
			*length = text;
		*port = strchr(text, ':');
	} else {
		*length = strchr(text, '/');
		/* More than one colon is an IPv6 address, which needs brackets before a port. */
		colon = strchr(text, ':');
		if (colon && !strchr(colon + 1, ':'))
			*port = colon;
	}
	if (*length)
		*(*length)++ = '\0';
	if (*port)
		*(*port)++ = '\0';
	return true;
}

const struct node *host_parse(const char *text, bool is_dst, struct arena *arena,
			      const char **ret_expected)
{
	enum family family = FAMILY_ANY;
	struct node *n = NULL;
	char *host, *length, *port_text;
	struct addr addr;
	int port = -1;

	*ret_expected = _("an address, a prefix or a name, with or without :PORT");
	if (strncmp(text, "inet:", 5) == 0) {
		family = FAMILY_INET;
		text += 5;
	} else if (strncmp(text, "inet6:", 6) == 0) {
		family = FAMILY_INET6;
		text += 6;
	}
	if (!split(arena_strdup(arena, text), &host, &length, &port_text))
		return NULL;
	if (port_text && *port_text && !port_parse(port_text, &port)) {
		*ret_expected = _("a port number or the name of a service after the colon");
		return NULL;
	}
	if ((!*host || strcmp(host, "*") == 0) && !length)
		n = host_node(arena, is_dst, family, port);
	else if (addr_parse(host, &addr) || (length && short_v4_parse(host, &addr)))
		n = numeric_node(addr, strchr(host, ':') ? FAMILY_INET6 : FAMILY_INET, is_dst, port, length,
				 arena);
	else if (!length)
		return resolved(host, family, is_dst, port, arena);
	if (n && family && n->family != family) {
		*ret_expected = _("an address of the family that was named");
		return NULL;
	}
	if (n)
		n->is_strict = family == FAMILY_INET;
	return n;
}

bool host_matches(const struct node *n, struct endpoint at, bool is_inet6)
{
	if (n->port >= 0 && at.port != n->port)
		return false;
	if (n->family == FAMILY_INET)
		return !(n->is_strict && is_inet6) && addr_is_v4(at.addr) &&
		       addr_has_prefix(at.addr, n->prefix, n->bits);
	if (n->family == FAMILY_INET6)
		return is_inet6 && addr_has_prefix(at.addr, n->prefix, n->bits);
	return true;
}
