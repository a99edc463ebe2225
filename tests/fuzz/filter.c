/* An expression, as somebody wrote it: parsed, compiled for the kernel, and asked of two sockets. */

#include "filter/filter.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stands in for libc's: a fuzzer must not ask name servers. Every name has one address of each
 * family, as localhost has. */
int getaddrinfo(const char *restrict name, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
	static struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = 1 };
	static struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	static struct addrinfo list[] = {
		{ .ai_family = AF_INET, .ai_addr = (struct sockaddr *)&v4, .ai_next = &list[1] },
		{ .ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&v6 },
	};

	if (!name || service || hints->ai_family == AF_INET6)
		return EAI_NONAME;
	*ret = list;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

static void ask(const struct filter *f)
{
	static const char *const rules[] = { "close-wait-leaked-fd", NULL };
	static struct netns netns = { .inode = 4026531840, .name = "blue" };
	static struct proc nginx = { .pid = 812, .comm = "nginx", .unit = "nginx.service" };
	static struct sock_full full = { .rqueue = 1, .uid = 33, .inode = 4711, .ifindex = 1 };
	static struct sock held = { .state = STATE_CLOSE_WAIT, .full = &full, .retrans = 2 };
	static struct sock mini = { .state = STATE_TIME_WAIT, .is_inet6 = true };
	struct conn of_held = {
		.sock = &held, .netns = &netns, .owner = OWNER_KNOWN, .n_holders = 1,
		.holders = { { .proc = &nginx, .fd = 7 } }, .age = { .known = true, .ms = 300000 },
	};
	struct conn of_mini = { .sock = &mini, .owner = OWNER_NONE };
	const struct conn *const both[] = { &of_held, &of_mini };
	uint32_t states = filter_states(f, STATES_ALL);

	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		if (filter_match(f, both[i], rules) && !(states & STATE_BIT(both[i]->sock->state)))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	const char *const word = text;
	struct filter_error error;
	struct filter *f = filter_parse(&word, 1, &error);
	void *code;

	if (f) {
		size_t n = filter_bytecode(f, &code);

		if (n % 4 || (n == 0) != !code)
			abort();
		free(code);
		ask(f);
	} else if (error.at > strlen(error.text) || !error.what[0]) {
		abort();
	}
	filter_free(f);
	free(error.text);
	free(text);
	return 0;
}
