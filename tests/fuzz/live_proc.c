/* Text files of /proc and of a recorded folder. The first byte says which parser gets the rest. */

#include "live/facts.h"
#include "live/hostinfo.h"
#include "live/lookfile.h"
#include "live/proctcp.h"
#include "live/sockopts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_lookfile(char *text)
{
	struct look *look = look_new();
	struct lookfile file;

	if (lookfile_parse(text, look, &file) && look->n_netns == 0)
		abort();
	look_free(look);
}

static void read_text(uint8_t which, char *text, size_t n, struct arena *arena)
{
	struct proc proc = { 0 };
	struct sock_opts opts;
	struct sock_full full;
	struct sock sock;
	uint32_t count;

	switch (which) {
	case 's':
		if (facts_parse_stat(text, arena, &proc) && !proc.comm)
			abort();
		break;
	case 'u':
		facts_parse_status(text, &proc);
		if (proc.tracer < 0)
			abort();
		break;
	case 'm':
		facts_parse_fd_limit(text);
		break;
	case 'g':
		facts_parse_cgroup(text, arena, &proc);
		break;
	case 'c':
		if (strlen(facts_join_cmdline(text, n, arena)) > n)
			abort();
		break;
	case 'p':
		if (hostinfo_count_ports(text, 32768, 60999, &count) && count > 28232)
			abort();
		break;
	case 'n':
		hostinfo_counter(text, "TcpExt:", "ListenDrops");
		break;
	case 't':
		hostinfo_sockstat(text, "TCP:", "orphan");
		break;
	case 'o':
		if (sockopts_parse(text, &count, &opts) && (opts.known > OPTS_ALL || opts.probes > 127))
			abort();
		break;
	case '4':
	case '6':
		if (proctcp_parse(text, which == '6', 100, &sock, &full) &&
		    (sock.state >= STATE_MAX || (sock.full && sock.full != &full)))
			abort();
		break;
	case 'l':
		read_lookfile(text);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena *arena = arena_new();
	char *text = malloc(size);

	/* One byte is the selector's, so the NUL has room. */
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	read_text(data[0], text, size - 1, arena);
	free(text);
	arena_free(arena);
	return 0;
}
