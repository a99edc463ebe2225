#include "live/hostinfo.h"
#include "util/cleanup.h"
#include "util/i18n.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 64 * 1024, N_PORTS = 65536 };

/* ---- text ---- */

static struct setting parse_integer(const char *text)
{
	char *end;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || errno)
		return (struct setting){ 0 };
	return (struct setting){ true, value };
}

/* The line that begins with prefix, at or behind `text`; NULL: none. */
static const char *find_line(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	while (text && strncmp(text, prefix, n) != 0) {
		text = strchr(text, '\n');
		text += text ? 1 : 0;
	}
	return text;
}

/* Steps over blanks; false at the end of the line. */
static bool next_word(const char **at, size_t *ret_len)
{
	*at += strspn(*at, " \t");
	*ret_len = strcspn(*at, " \t\n");
	return *ret_len > 0;
}

struct setting hostinfo_counter(const char *text, const char *prefix, const char *name)
{
	const char *names = find_line(text, prefix);
	const char *values = names ? strchr(names, '\n') : NULL;
	size_t n_name, n_value;

	values = values ? find_line(values + 1, prefix) : NULL;
	if (!values)
		return (struct setting){ 0 };
	for (; next_word(&names, &n_name) && next_word(&values, &n_value);
	     names += n_name, values += n_value)
		if (n_name == strlen(name) && memcmp(names, name, n_name) == 0)
			return parse_integer(values);
	return (struct setting){ 0 };
}

struct setting hostinfo_sockstat(const char *text, const char *prefix, const char *name)
{
	const char *at = find_line(text, prefix);
	size_t n;

	while (at && next_word(&at, &n)) {
		bool found = n == strlen(name) && memcmp(at, name, n) == 0;

		at += n;
		if (found)
			return parse_integer(at);
	}
	return (struct setting){ 0 };
}

/* The i-th word of the line at `at`, parsed as hexadecimal. */
static bool hex_word(const char *at, size_t i, uint64_t *ret)
{
	size_t n;

	for (; next_word(&at, &n); at += n) {
		if (i-- > 0)
			continue;
		char *end;
		*ret = strtoull(at, &end, 16);
		return end == at + n;
	}
	return false;
}

struct setting hostinfo_column(const char *text, const char *name)
{
	const char *at = text;
	size_t n = 0, i = 0;
	uint64_t sum = 0, value;
	bool is_known = false;

	for (; next_word(&at, &n); at += n, i++)
		if (n == strlen(name) && memcmp(at, name, n) == 0)
			break;
	if (n == 0)
		return (struct setting){ 0 };
	while ((at = strchr(at, '\n')) && *++at && hex_word(at, i, &value)) {
		sum += value;
		is_known = true;
	}
	return (struct setting){ is_known, (int64_t)(sum & INT64_MAX) };
}

bool hostinfo_count_ports(const char *list, int64_t low, int64_t high, uint32_t *ret)
{
	/* Ranges of a recording may overlap: each port counts once. */
	uint8_t seen[N_PORTS / 8] = { 0 };
	uint32_t count = 0;
	const char *at = list;

	while (*at && *at != '\n') {
		char *end;
		long first = strtol(at, &end, 10), last = first;

		if (end == at)
			return false;
		if (*end == '-') {
			at = end + 1;
			last = strtol(at, &end, 10);
			if (end == at)
				return false;
		}
		if (first < 0 || last < first || last >= N_PORTS)
			return false;
		for (long p = first; p <= last; p++) {
			uint8_t bit = (uint8_t)(1u << (p % 8));

			count += p >= low && p <= high && !(seen[p / 8] & bit);
			seen[p / 8] |= bit;
		}
		at = end + (*end == ',');
	}
	*ret = count;
	return true;
}

/* ---- the machine ---- */

/* A file of one line, without its end; NULL: unreadable. */
static const char *read_line(struct root *root, struct arena *arena, const char *path)
{
	AUTO_BUF text = { 0 };

	if (root_read(root, path, MAX_FILE, &text) != 0)
		return NULL;
	return arena_strndup(arena, buf_text(&text), strcspn(buf_text(&text), "\n"));
}

void hostinfo_read_machine(struct root *root, struct look *look)
{
	struct host *host = &look->host;
	const char *files = read_line(root, look->arena, "proc/sys/fs/file-nr");
	const char *uptime = read_line(root, look->arena, "proc/uptime");
	int64_t seconds, hundredths;

	host->name = read_line(root, look->arena, "proc/sys/kernel/hostname");
	host->kernel = read_line(root, look->arena, "proc/sys/kernel/osrelease");
	host->boot_id = read_line(root, look->arena, "proc/sys/kernel/random/boot_id");
	if (uptime && sscanf(uptime, "%10" SCNd64 ".%2" SCNd64, &seconds, &hundredths) == 2)
		host->uptime_ms = seconds * 1000 + hundredths * 10;
	if (files)
		host->files_open = parse_integer(files);
}

/* ---- one namespace ---- */

static int read_netns_error(struct root *root, unsigned netns, const char *name, struct buf *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "netns.%u/%s", netns, name);
	return root_read(root, path, MAX_FILE, text);
}

static bool read_netns_file(struct root *root, unsigned netns, const char *name, struct buf *text)
{
	return read_netns_error(root, netns, name, text) == 0;
}

/* A recording tells a file that was refused from one that was not there by its gaps alone. */
static bool has_refusals(const struct look *look)
{
	for (size_t i = 0; i < look->gaps.n; i++)
		if (strcmp(look->gaps.at[i].what, "sysctl") == 0)
			return true;
	return false;
}

static void add_refusal(struct look *look, const char *path, int error)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "/proc/%s", path);
	gap_add(&look->gaps, "sysctl", arena_strdup(look->arena, name), strerror(error),
		_("what these settings do here is not judged"));
}

static void read_sysctls(struct root *root, unsigned netns, struct look *look)
{
	struct sysctls *ret = &look->netns[netns].sysctls;
	bool is_doubtful = !root->is_live && has_refusals(look);
	static const struct {
		size_t offset;
		const char *path;
	} rows[] = {
#define SYSCTL(member, path, unit, does) { offsetof(struct sysctls, member), "sys/" path },
#include "model/sysctls.def"
#undef SYSCTL
	};
	AUTO_BUF text = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct setting *setting = (void *)((char *)ret + rows[i].offset);
		int error = -read_netns_error(root, netns, rows[i].path, &text);

		if (!error)
			*setting = parse_integer(buf_text(&text));
		if (!error && !setting->known)
			error = EINVAL;
		if (error == ENOENT && is_doubtful)
			error = EACCES;
		else if (error && error != ENOENT)
			add_refusal(look, rows[i].path, error);
		ret->error[i] = (uint8_t)error; /* 133 at most */
	}
}

/* Three numbers of pages, in the initial namespace alone. */
static void read_mem(struct root *root, unsigned netns, struct sysctls *ret)
{
	AUTO_BUF text = { 0 };

	if (!read_netns_file(root, netns, "sys/net/ipv4/tcp_mem", &text))
		return;
	const char *at = buf_text(&text);
	size_t n;
	for (size_t i = 0; i < ARRAY_LEN(ret->mem_pages) && next_word(&at, &n); i++, at += n)
		ret->mem_pages[i] = parse_integer(at);
}

static void read_ports(struct root *root, unsigned netns, struct arena *arena, struct sysctls *ret)
{
	AUTO_BUF text = { 0 };

	if (!read_netns_file(root, netns, "sys/net/ipv4/ip_local_port_range", &text))
		return;
	const char *space = strpbrk(buf_text(&text), " \t");
	ret->port_low = parse_integer(buf_text(&text));
	if (space)
		ret->port_high = parse_integer(space);
	if (!ret->port_low.known || !ret->port_high.known)
		return;
	if (!read_netns_file(root, netns, "sys/net/ipv4/ip_local_reserved_ports", &text))
		return;
	ret->reserved_known = hostinfo_count_ports(buf_text(&text), ret->port_low.value,
						   ret->port_high.value, &ret->reserved_in_range);
	if (ret->reserved_known)
		ret->reserved = arena_strndup(arena, buf_text(&text),
					      strcspn(buf_text(&text), "\n"));
}

static void read_counters(struct root *root, unsigned netns, struct counters *ret)
{
	static const struct {
		size_t offset;
		const char *file, *line, *name;
	} rows[] = {
#define COUNTER(member, file, line, name, means) { offsetof(struct counters, member), file, line, name },
#include "model/counters.def"
#undef COUNTER
	};
	AUTO_BUF text = { 0 };
	const char *file = "";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct setting *setting = (void *)((char *)ret + rows[i].offset);

		/* Rows of one file stand together. */
		if (strcmp(rows[i].file, file) != 0) {
			file = rows[i].file;
			if (!read_netns_file(root, netns, file, &text))
				buf_clear(&text);
		}
		*setting = hostinfo_counter(buf_text(&text), rows[i].line, rows[i].name);
	}
}

/* The orphans and the memory are the machine's, whichever namespace shows them.
 * Source: Linux net/ipv4/proc.c, sockstat_seq_show(). */
static void read_sockstat(struct root *root, unsigned netns, struct look *look)
{
	AUTO_BUF text = { 0 };

	if (!read_netns_file(root, netns, "net/sockstat", &text))
		return;
	look->netns[netns].n_timewait = hostinfo_sockstat(buf_text(&text), "TCP:", "tw");
	if (look->host.orphans.known)
		return;
	look->host.orphans = hostinfo_sockstat(buf_text(&text), "TCP:", "orphan");
	look->host.tcp_pages = hostinfo_sockstat(buf_text(&text), "TCP:", "mem");
}

static void read_conntrack(struct root *root, unsigned netns, struct counters *ret)
{
	AUTO_BUF text = { 0 };

	if (!read_netns_file(root, netns, "net/stat/nf_conntrack", &text))
		return;
	ret->conntrack_drops = hostinfo_column(buf_text(&text), "drop");
	ret->conntrack_early_drops = hostinfo_column(buf_text(&text), "early_drop");
}

void hostinfo_read_netns(struct root *root, unsigned netns, struct look *look)
{
	struct netns *ns = &look->netns[netns];

	ns->uptime_ms = look->host.uptime_ms;
	read_sysctls(root, netns, look);
	read_ports(root, netns, look->arena, &ns->sysctls);
	read_mem(root, netns, &ns->sysctls);
	read_counters(root, netns, &ns->counters);
	read_conntrack(root, netns, &ns->counters);
	read_sockstat(root, netns, look);
}

struct setting hostinfo_timewaits(struct root *root, unsigned netns)
{
	AUTO_BUF text = { 0 };

	if (!read_netns_file(root, netns, "net/sockstat", &text))
		return (struct setting){ 0 };
	return hostinfo_sockstat(buf_text(&text), "TCP:", "tw");
}

/* A count that is there and zero. */
static bool is_zero(struct setting s)
{
	return s.known && s.value == 0;
}

bool hostinfo_is_empty(struct root *root, unsigned netns)
{
	AUTO_BUF inet4 = { 0 };
	AUTO_BUF inet6 = { 0 };

	if (!read_netns_file(root, netns, "net/sockstat", &inet4) ||
	    !is_zero(hostinfo_sockstat(buf_text(&inet4), "TCP:", "inuse")) ||
	    !is_zero(hostinfo_sockstat(buf_text(&inet4), "TCP:", "tw")))
		return false;
	/* Without IPv6 there is no such file. */
	return !read_netns_file(root, netns, "net/sockstat6", &inet6) ||
	       is_zero(hostinfo_sockstat(buf_text(&inet6), "TCP6:", "inuse"));
}

struct hostinfo_tcp hostinfo_count_tcp(const struct root *root)
{
	struct hostinfo_tcp count = { 0 };
	AUTO_BUF text = { 0 };

	if (root_peek(root, "netns.0/net/sockstat", MAX_FILE, &text) != 0)
		return count;
	count.here = hostinfo_sockstat(buf_text(&text), "TCP:", "inuse");
	count.machine = hostinfo_sockstat(buf_text(&text), "TCP:", "alloc");
	/* Without IPv6 there is no such file. */
	if (root_peek(root, "netns.0/net/sockstat6", MAX_FILE, &text) == 0)
		count.here.value += hostinfo_sockstat(buf_text(&text), "TCP6:", "inuse").value;
	return count;
}

/* "MPTCP     1936      7     482   no ...": the name, the size of one, how many are here. */
static bool has_sockets(const char *text, const char *line_start)
{
	unsigned long long size, n;

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, line_start, strlen(line_start)) == 0)
			return sscanf(at + strlen(line_start), "%llu %llu", &size, &n) == 2 && n > 0;
	}
	return false;
}

bool hostinfo_uses_mptcp(struct root *root, unsigned netns)
{
	AUTO_BUF text = { 0 };

	return read_netns_file(root, netns, "net/protocols", &text) &&
	       (has_sockets(buf_text(&text), "MPTCP ") || has_sockets(buf_text(&text), "MPTCPv6 "));
}
