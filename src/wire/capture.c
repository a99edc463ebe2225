#include "util/arena.h"
#include "util/i18n.h"
#include "util/inflate.h"
#include "wire/pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How it works: opening only opens. The first four bytes, read in capture_read(), say what the file
 * is: pcapng goes to our own reader (libpcap refuses files whose interfaces differ), everything
 * else to libpcap. Files are read without a filter: testing flags costs as much as following them.
 * A device is filtered in the kernel, and its handle is open and counting from the first; its
 * packets are put aside unseen, to be read like a file once the caller has dropped privileges. */

enum { READ_BUFFER = 1 << 20, STEP = 1 << 16, LIVE_SNAPLEN = 256, LIVE_POLL_MS = 100 };

/* Of a live capture in memory, without -w: a million SYNs. Later packets count as dropped. */
enum { MAX_KEPT = 256 << 20 };

struct capture {
	struct arena *arena;
	struct capture_info info;
	FILE *file;      /* a file not yet handed to libpcap; NULL */
	FILE *packed;    /* the compressed file behind it; NULL: it is the file itself */
	const struct inflate *inflate; /* between the two */
	void *buffer;    /* of the file */
	uint64_t size;   /* of the file, 0: unknown */
	int spare_fd;    /* the file once more, to read it again; -1: it is a pipe */
	pcap_t *pcap;    /* of the file */
	struct pcapng *ng; /* the same for pcapng */
	pcap_t *device;  /* NULL: it is a file */
	pcap_dumper_t *kept;  /* what the device gave, in a file or in memory */
	uint64_t n_kept, bytes_kept, n_lost;
	bool is_kept_by_name; /* then its size is the user's affair */
	struct timespec opened;
	uint64_t n_used; /* packets up to the last one of which the table was told */
	uint64_t most;   /* of them, 0: no bound; what is read once more is read as far as it was before */
	struct source source;
};

static struct capture *capture_new(const char *name)
{
	struct arena *a = arena_new();
	struct capture *c = arena_alloc(a, sizeof(*c));

	c->arena = a;
	c->info.name = arena_strdup(a, name);
	c->info.first_ns = c->info.last_ns = TIME_NONE;
	c->spare_fd = -1;
	c->source.info = &c->info;
	c->source.arena = a;
	return c;
}

static void take_file(struct capture *c, FILE *file)
{
	c->file = file;
	c->buffer = malloc(READ_BUFFER);
	if (!c->buffer)
		arena_die();
	setvbuf(file, c->buffer, _IOFBF, READ_BUFFER);
	/* libpcap reads twice a packet, and two locks cost as much as all the rest of it. Nobody
	 * else reads this stream. */
	__fsetlocking(file, FSETLOCKING_BYCALLER);
}

int capture_open_file(const char *name, struct capture **ret, struct fail *fail)
{
	bool is_stdin = strcmp(name, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(name, "rbe");
	struct stat st = { 0 };

	if (!file) {
		int err = errno;

		fail_set(fail, name, "%s", strerror(err));
		return -err;
	}
	if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
		if (!is_stdin)
			fclose(file);
		fail_set(fail, name, "%s", strerror(EISDIR));
		return -EISDIR;
	}
	struct capture *c = capture_new(name);
	take_file(c, file);
	c->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	if (c->size)
		c->spare_fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
	*ret = c;
	return 0;
}

int capture_open_again(const struct capture *c, struct capture **ret)
{
	/* The offset is shared, and the first reading is over. */
	int fd = c->spare_fd < 0 || c->n_used == 0 || lseek(c->spare_fd, 0, SEEK_SET) < 0 ?
			 -1 : fcntl(c->spare_fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");

	if (!file) {
		if (fd >= 0)
			close(fd);
		return -ESPIPE;
	}
	*ret = capture_new(c->info.name);
	(*ret)->most = c->n_used;
	take_file(*ret, file);
	return 0;
}

static void on_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct capture *c = (void *)user;
	/* Files hold 32 bits without a sign, which libpcap widens with one. */
	int64_t at = (int64_t)(uint32_t)h->ts.tv_sec * 1000000000 + h->ts.tv_usec;

	source_frame(&c->source, c->source.link, (struct bytes){ bytes, h->caplen }, h->len, at, 0);
}

static int fail_read(struct capture *c, int err, const char *why)
{
	c->info.error = arena_strdup(c->arena, why);
	return -err;
}

static int set_link(struct capture *c)
{
	int dlt = pcap_datalink(c->pcap);
	const char *name = pcap_datalink_val_to_name(dlt);

	c->source.link = link_find(dlt);
	source_note_link(&c->source, c->source.link ? c->source.link->name :
			 name ? name : arena_printf(c->arena, "%d", dlt));
	if (c->source.link)
		return 0;
	c->info.error = arena_printf(c->arena, _("link type %d (%s) is not supported"), dlt,
				     name ? name : "?");
	return -EPROTONOSUPPORT;
}

static int percent(const struct capture *c)
{
	FILE *f = c->packed ? c->packed : c->file;
	long at = c->size && f ? ftell(f) : -1;

	return at < 0 ? -1 : (int)((uint64_t)at * 100 / c->size);
}

/* Up to n packets go to the source. How many did; 0: the end; -errno. */
static int read_pcap(struct capture *c, int n)
{
	n = pcap_dispatch(c->pcap, n, on_packet, (u_char *)c);
	if (n >= 0)
		return n;
	c->info.is_cut = strstr(pcap_geterr(c->pcap), "truncated") != NULL;
	return fail_read(c, EBADMSG, c->info.is_cut ? _("the file ends in the middle of a packet") :
						     pcap_geterr(c->pcap));
}

static int read_pcapng(struct capture *c, int n)
{
	int got = 0, more = 1;

	while (got < n && (more = pcapng_next(c->ng)) > 0)
		got++;
	return more < 0 ? more : got;
}

static int read_some(struct capture *c, int n)
{
	int got = c->ng ? read_pcapng(c, n) : read_pcap(c, n);

	/* Where it breaks off may be between two packets. */
	if (got == 0 && c->packed && !inflate_is_whole(c->inflate)) {
		c->info.is_cut = true;
		return fail_read(c, EBADMSG, _("the compressed data ends too early"));
	}
	return got;
}

/* The C libraries of Linux take back what was just read. */
static size_t peek(FILE *f, uint8_t *ret, size_t n)
{
	size_t got = fread(ret, 1, n, f);

	for (size_t i = got; i-- > 0;)
		ungetc(ret[i], f);
	return got;
}

/* A compressed file gives way to the stream of what is in it, once. */
static int unpack(struct capture *c, const uint8_t *magic, size_t n)
{
	enum packing packing = inflate_recognise(magic, n);

	if (packing == PACKED_NOT)
		return 0;
	FILE *plain = inflate_open(c->file, packing, &c->inflate);
	if (!plain)
		arena_die();
	c->packed = c->file;
	c->file = plain;
	return 1;
}

/* What kind of file is it? Then its reader is ready. */
static int open_reader(struct capture *c)
{
	static const uint8_t pcapng[] = { 0x0a, 0x0d, 0x0d, 0x0a };
	static const uint8_t nano[][4] = { { 0xa1, 0xb2, 0x3c, 0x4d }, { 0x4d, 0x3c, 0xb2, 0xa1 } };
	char why[PCAP_ERRBUF_SIZE];
	uint8_t magic[4] = { 0 };

	size_t got = peek(c->file, magic, sizeof(magic));
	if (got == 0)
		return fail_read(c, EBADMSG, ferror(c->file) ? strerror(errno) : _("the file is empty"));
	if (unpack(c, magic, got)) {
		memset(magic, 0, sizeof(magic));
		got = peek(c->file, magic, sizeof(magic));
		if (got == 0)
			return fail_read(c, EBADMSG, ferror(c->file) ? _("the compressed data is damaged") :
								      _("the file is empty"));
	}
	if (memcmp(magic, pcapng, sizeof(pcapng)) == 0) {
		c->ng = pcapng_new(c->file, &c->source);
		return 0;
	}
	c->info.is_nano = memcmp(magic, nano[0], 4) == 0 || memcmp(magic, nano[1], 4) == 0;
	c->pcap = pcap_fopen_offline_with_tstamp_precision(c->file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!c->pcap)
		return fail_read(c, EBADMSG, strstr(why, "unknown file format") ?
				 _("not a capture file") : why);
	return set_link(c);
}

/* IPv4 with any options; IPv6 with the TCP header at once, and all of it that has extension headers,
 * because in the kernel their end cannot be found. `tcp[…]` alone never matches IPv6. */
#define CONTROL "((tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0) or " \
	"(ip6[6] = 6 and ip6[53] & 7 != 0) or " \
	"(ip6 and (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 60)))"

/* A tag the kernel has taken off is seen by `vlan` too, where the link type knows that word. On
 * "any" the outer tag is off when the filter runs; a second one stands in front of the packet as
 * {tag, type}, at the end of the cooked header, whose length is %d. */
#define TAGGED "(" CONTROL " or (vlan and (" CONTROL " or (vlan and " CONTROL "))))"
#define COOKED "(" CONTROL " or (ether proto 0x8100 and " \
	"((link[%d:2] = 0x800 and link[%d] = 6 and link[((link[%d] & 15) << 2) + %d] & 7 != 0) or " \
	"(link[%d:2] = 0x86dd and link[%d] = 6 and link[%d] & 7 != 0))))"

static const char *filter_text(struct arena *a, int dlt)
{
	int at = dlt == DLT_LINUX_SLL ? 16 : 20, ip = at + 4;

	if (dlt == DLT_EN10MB)
		return TAGGED;
	if (dlt != DLT_LINUX_SLL && dlt != DLT_LINUX_SLL2)
		return CONTROL;
	return arena_printf(a, COOKED, at + 2, ip + 9, ip, ip + 13, at + 2, ip + 6, ip + 53);
}

static int set_filter(struct capture *c)
{
	struct bpf_program program;
	const char *text = filter_text(c->arena, pcap_datalink(c->device));

	if (pcap_compile(c->device, &program, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return -EINVAL;
	int err = pcap_setfilter(c->device, &program);
	pcap_freecode(&program);
	return err ? -EINVAL : 0;
}

static int activate_error(int status)
{
	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return -EPERM;
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return -ENODEV;
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENETDOWN;
	default:
		return -EIO;
	}
}

static int live_start(struct capture *c, const char *device, struct fail *fail)
{
	char why[PCAP_ERRBUF_SIZE] = "";

	c->device = pcap_create(device, why);
	if (!c->device) {
		fail_set(fail, device, "%s", why);
		return -ENODEV;
	}
	int status = pcap_set_snaplen(c->device, LIVE_SNAPLEN);
	if (status == 0)
		status = pcap_set_timeout(c->device, LIVE_POLL_MS);
	c->info.is_nano = pcap_set_tstamp_precision(c->device, PCAP_TSTAMP_PRECISION_NANO) == 0;
	if (status == 0)
		status = pcap_activate(c->device);
	if (status < 0) {
		const char *text = pcap_geterr(c->device);

		fail_set(fail, device, "%s", *text ? text : pcap_statustostr(status));
		if (activate_error(status) == -EPERM)
			fail_hint(fail, "%s", _("capturing needs CAP_NET_RAW: run it as root"));
		return activate_error(status);
	}
	int err = set_filter(c);
	if (!err && pcap_setnonblock(c->device, 1, why) != 0)
		err = -EIO;
	if (err)
		fail_set(fail, device, _("the kernel refused the packet filter: %s"),
			 pcap_geterr(c->device));
	return err;
}

/* Where packets wait until they may be parsed. */
static int keep_packets(struct capture *c, const char *keep, struct fail *fail)
{
	int fd = keep ? open(keep, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) :
			memfd_create("packets", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");

	c->is_kept_by_name = keep;
	if (file)
		c->spare_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	c->kept = file ? pcap_dump_fopen(c->device, file) : NULL;
	if (c->kept && pcap_dump_flush(c->kept) == 0)
		return 0;
	fail_set(fail, keep ? keep : c->info.name, "%s", strerror(errno));
	if (file && !c->kept)
		fclose(file);
	else if (!file && fd >= 0)
		close(fd);
	return -EIO;
}

int capture_open_live(const char *device, const char *keep, struct capture **ret,
		      struct fail *fail)
{
	struct capture *c = capture_new(device);
	int err = live_start(c, device, fail);

	clock_gettime(CLOCK_MONOTONIC, &c->opened);
	if (!err)
		err = keep_packets(c, keep, fail);
	if (err) {
		capture_close(c);
		return err;
	}
	*ret = c;
	return 0;
}

static int64_t ms_passed(const struct capture *c)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - c->opened.tv_sec) * 1000 + (now.tv_nsec - c->opened.tv_nsec) / 1000000;
}

/* SIGINT and SIGTERM as something to wait for, so that they end the capture and not its report. The
 * old mask goes to *ret. -1: then they end the program as ever. */
static int catch_end(sigset_t *ret)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, ret);
	int fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);

	if (fd < 0)
		sigprocmask(SIG_SETMASK, ret, NULL);
	return fd;
}

/* What came is taken off the queue before the mask falls, or it would still end the program. */
static void let_end(int fd, const sigset_t *before)
{
	struct signalfd_siginfo taken;

	while (fd >= 0 && read(fd, &taken, sizeof(taken)) > 0)
		;
	if (fd >= 0)
		close(fd);
	sigprocmask(SIG_SETMASK, before, NULL);
}

/* Counted and put aside, not looked at. */
static void on_live_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct capture *c = (void *)user;

	c->n_kept++;
	c->bytes_kept += h->caplen;
	if (c->bytes_kept > MAX_KEPT && !c->is_kept_by_name)
		c->n_lost++;
	else
		pcap_dump((u_char *)c->kept, h, bytes);
}

static int collect_some(struct capture *c, uint64_t max, const struct capture_progress *progress)
{
	int n;

	do {
		uint64_t left = max ? max - c->n_kept : STEP;

		if (!left)
			return 0;
		n = pcap_dispatch(c->device, left < STEP ? (int)left : STEP, on_live_packet, (u_char *)c);
		c->info.packets = c->n_kept;
		if (n > 0 && progress && progress->report)
			progress->report(progress->ctx, &c->info, -1);
	} while (n > 0);
	return n == 0 ? 0 : fail_read(c, EIO, pcap_geterr(c->device));
}

/* Until the time is over, or a signal says so. The kernel hands packets over in blocks that are at
 * most LIVE_POLL_MS old, so at the end one such time more is waited for the last block. */
int capture_collect(struct capture *c, uint64_t for_ms, uint64_t max,
		    const struct capture_progress *progress)
{
	int64_t end_ms = (int64_t)for_ms;
	sigset_t before;
	int end_fd = catch_end(&before), err;
	struct pollfd fds[] = {
		{ .fd = pcap_get_selectable_fd(c->device), .events = POLLIN },
		{ .fd = end_fd, .events = POLLIN },
	};

	for (;;) {
		int64_t left = end_ms + LIVE_POLL_MS - ms_passed(c);

		err = collect_some(c, max, progress);
		if (err || left <= 0 || (max && c->n_kept >= max))
			break;
		poll(fds, ARRAY_LEN(fds), left < 1000 ? (int)left : 1000);
		if (fds[1].fd >= 0 && fds[1].revents) {
			end_ms = ms_passed(c);
			fds[1].fd = -1;
		}
	}
	let_end(end_fd, &before);
	if (pcap_dump_flush(c->kept) != 0 && !err)
		err = fail_read(c, errno, strerror(errno));
	return err;
}

static void note_drops(struct capture *c)
{
	struct pcap_stat stat;

	if (pcap_stats(c->device, &stat) == 0)
		c->info.dropped_by_kernel = stat.ps_drop + c->n_lost;
}

/* What the device gave so far, as a file. */
static int open_kept(struct capture *c)
{
	int fd = lseek(c->spare_fd, 0, SEEK_SET) < 0 ? -1 : fcntl(c->spare_fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");

	if (!file)
		return fail_read(c, EIO, strerror(errno));
	take_file(c, file);
	c->info.packets = 0;
	return 0;
}

static int start_reading(struct capture *c, struct flowtab *tab)
{
	int err = 0;

	if (c->device) {
		note_drops(c);
		err = open_kept(c);
	}
	source_begin(&c->source, tab);
	return err ? err : open_reader(c);
}

static void report(const struct capture *c, const struct capture_progress *progress)
{
	if (progress && progress->report)
		progress->report(progress->ctx, &c->info, percent(c));
}

int capture_read(struct capture *c, struct flowtab *tab, uint64_t max_packets,
		 const struct capture_progress *progress)
{
	int err = start_reading(c, tab), got = 1;

	if (!max_packets)
		max_packets = c->most;
	while (!err && got > 0) {
		uint64_t left = max_packets ? max_packets - c->info.packets : STEP;

		got = left ? read_some(c, left < STEP ? (int)left : STEP) : 0;
		err = got < 0 ? got : 0;
		report(c, progress);
	}
	c->n_used = c->info.packets;
	source_end(&c->source);
	return err;
}

/* Reads on until a segment waits. What may follow is in *ret: 0, or -errno at a damaged place. */
static void read_ahead(struct capture *c, const struct capture_progress *progress, int *ret)
{
	int got = *ret == 0;

	c->source.has_held = false;
	while (got > 0 && !c->source.has_held && (!c->most || c->info.packets < c->most)) {
		got = read_some(c, 1);
		if (c->info.packets % STEP == 0)
			report(c, progress);
	}
	if (got < 0)
		*ret = got;
}

static struct capture *earliest(struct capture *const captures[], size_t n, size_t *ret_which)
{
	struct capture *first = NULL;

	for (size_t i = 0; i < n; i++) {
		struct capture *c = captures[i];

		if (!c->source.has_held ||
		    (first && first->source.held.at_ns <= c->source.held.at_ns))
			continue;
		first = c;
		*ret_which = i;
	}
	return first;
}

void capture_read_merged(struct capture *const captures[], size_t n, struct flowtab *tab,
			 uint64_t max_packets, const struct capture_progress *progress,
			 int results[])
{
	struct capture *c;
	size_t which = 0;

	for (size_t i = 0; i < n; i++) {
		captures[i]->source.holds = true;
		results[i] = start_reading(captures[i], tab);
		read_ahead(captures[i], progress, &results[i]);
	}
	for (uint64_t k = 0; (!max_packets || k < max_packets) &&
			     (c = earliest(captures, n, &which)) != NULL; k++) {
		*flowtab_slot(tab) = c->source.held;
		flowtab_push(tab);
		c->n_used = c->info.packets; /* before it waits for the next one */
		read_ahead(c, progress, &results[which]);
	}
	for (size_t i = 0; i < n; i++)
		source_end(&captures[i]->source);
	/* What the pieces are together is known only now. */
	for (size_t i = 0; i < n; i++) {
		captures[i]->info.content = flowtab_content(tab, captures[i]->source.capture);
		if (i > 0)
			source_forget_overflow(&captures[i]->source);
	}
}

static void on_followed_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct capture *c = (void *)user;
	int64_t fraction_ns = h->ts.tv_usec * (c->info.is_nano ? INT64_C(1) : INT64_C(1000));

	source_frame(&c->source, c->source.link, (struct bytes){ bytes, h->caplen }, h->len,
		     (int64_t)h->ts.tv_sec * 1000000000 + fraction_ns, 0);
}

int capture_follow(struct capture *c, struct flowtab *tab)
{
	int n;

	if (c->source.tab != tab) {
		source_begin(&c->source, tab);
		c->source.link = link_find(pcap_datalink(c->device));
	}
	do
		n = pcap_dispatch(c->device, STEP, on_followed_packet, (u_char *)c);
	while (n > 0);
	flowtab_run(tab);
	return n == 0 ? 0 : fail_read(c, EIO, pcap_geterr(c->device));
}

int capture_fd(const struct capture *c)
{
	return pcap_get_selectable_fd(c->device);
}

const struct capture_info *capture_info(const struct capture *c)
{
	return &c->info;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	if (c->kept)
		pcap_dump_close(c->kept);
	if (c->device)
		pcap_close(c->device);
	if (c->ng)
		pcapng_free(c->ng);
	if (c->pcap)
		pcap_close(c->pcap); /* closes the file too, unless it is stdin */
	else if (c->file && c->file != stdin)
		fclose(c->file);
	if (c->packed && c->packed != stdin)
		fclose(c->packed);
	if (c->spare_fd >= 0)
		close(c->spare_fd);
	free(c->buffer);
	arena_free(c->arena);
}
