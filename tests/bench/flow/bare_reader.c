/* bare_reader FILE | -i INTERFACE: what libpcap alone takes to hand over packets, two
 * bytes of each read. From an interface, until it is interrupted: what is in its ring
 * then, too. */
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#define RING_BYTES (64 << 20)
#define SNAP_LEN 65535
#define LAG_MS 100
#define BATCH 4096

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

static pcap_t *open_live(const char *interface, char *why)
{
	pcap_t *pcap = pcap_create(interface, why);

	if (!pcap)
		return NULL;
	(void)pcap_set_snaplen(pcap, SNAP_LEN);
	(void)pcap_set_buffer_size(pcap, RING_BYTES);
	(void)pcap_set_timeout(pcap, LAG_MS);
	if (pcap_activate(pcap) < 0 || pcap_setnonblock(pcap, 1, why)) {
		(void)snprintf(why, PCAP_ERRBUF_SIZE, "%s", pcap_geterr(pcap));
		pcap_close(pcap);
		return NULL;
	}
	return pcap;
}

static int read_all(pcap_t *pcap, struct reading *reading)
{
	int count;

	do
		count = pcap_dispatch(pcap, BATCH, packet_came, (void *)reading);
	while (count > 0);
	return count;
}

/* The kernel hands a block that is not full over after a while: the last one, too. */
static void read_live(pcap_t *pcap, struct reading *reading)
{
	sigset_t interrupt;
	struct pollfd waits[2] = {{.events = POLLIN}, {.events = POLLIN}};
	struct pcap_stat stat;

	(void)sigemptyset(&interrupt);
	(void)sigaddset(&interrupt, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &interrupt, NULL);
	waits[0].fd = pcap_get_selectable_fd(pcap);
	waits[1].fd = signalfd(-1, &interrupt, SFD_CLOEXEC);
	while (poll(waits, 2, -1) > 0 && !waits[1].revents)
		(void)read_all(pcap, reading);
	do
		(void)read_all(pcap, reading);
	while (poll(waits, 1, 2 * LAG_MS) > 0);
	if (pcap_stats(pcap, &stat) == 0 && stat.ps_drop)
		(void)printf("%u packets were dropped by the kernel\n", stat.ps_drop);
}

int main(int argc, char **argv)
{
	bool live = argc == 3 && strcmp(argv[1], "-i") == 0;
	struct reading reading = {0};
	char why[PCAP_ERRBUF_SIZE] = "wants a FILE, or -i INTERFACE";
	pcap_t *pcap = NULL;

	if (live)
		pcap = open_live(argv[2], why);
	else if (argc == 2)
		pcap = pcap_open_offline(argv[1], why);
	if (!pcap) {
		(void)fprintf(stderr, "bare_reader: %s\n", why);
		return 66;
	}
	if (live)
		read_live(pcap, &reading);
	else
		(void)read_all(pcap, &reading);
	pcap_close(pcap);
	(void)printf("%llu packets, sum %llu\n", (unsigned long long)reading.packets,
		(unsigned long long)reading.sum);
	return 0;
}
