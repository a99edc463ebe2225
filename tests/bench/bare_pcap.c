/* bare_pcap FILE: what reading a capture costs where nothing is done with it: pcap_loop() and a count. */

#include <pcap/pcap.h>
#include <stdio.h>

static void count(unsigned char *user, const struct pcap_pkthdr *h, const unsigned char *bytes)
{
	(void)h, (void)bytes;
	++*(unsigned long *)(void *)user;
}

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
	unsigned long n = 0;

	if (!p) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	int status = pcap_loop(p, 0, count, (unsigned char *)&n);
	printf("%lu\n", n);
	pcap_close(p);
	return status == 0 ? 0 : 1;
}
