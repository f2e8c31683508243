/* bare_reader FILE: what libpcap alone takes to hand over a file, two bytes of each
 * packet read. */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

struct reading {
	uint64_t packets, sum;
};

static void packet_came(
	u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct reading *reading = (void *)user;

	reading->packets++;
	if (header->caplen > 13)
		reading->sum += (unsigned)bytes[12] << 8 | bytes[13];
}

int main(int argc, char **argv)
{
	struct reading reading = {0};
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;

	if (!pcap) {
		(void)fprintf(
			stderr, "bare_reader: %s\n", argc == 2 ? why : "wants a FILE");
		return 66;
	}
	while (pcap_dispatch(pcap, 4096, packet_came, (void *)&reading) > 0)
		continue;
	pcap_close(pcap);
	(void)printf("%llu packets, sum %llu\n", (unsigned long long)reading.packets,
		(unsigned long long)reading.sum);
	return 0;
}
