/*
 * frame_sender FILE INTERFACE RATE FRAMES [CUT]: sends the first FRAMES of a capture file
 * to an interface, RATE a second, evenly in steps of a batch, every frame cut to CUT
 * bytes; again from the file's beginning when it ends. Prints how many the kernel took
 * and how long it took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_HEAD 24
#define FRAME_HEAD 16
#define BATCH 64

struct sender {
	const uint8_t *bytes;
	size_t size, at;
	uint32_t cut;
	int fd;
	struct sockaddr_ll to;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int map_file(struct sender *sender, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	void *bytes;

	if (fd < 0 || fstat(fd, &about))
		return -errno;
	bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
		fd, 0);
	(void)close(fd);
	if (bytes == MAP_FAILED)
		return -errno;
	sender->bytes = bytes;
	sender->size = (size_t)about.st_size;
	sender->at = FILE_HEAD;
	return 0;
}

static int open_socket(struct sender *sender, const char *interface)
{
	const int one = 1;

	sender->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (sender->fd < 0)
		return -errno;
	(void)setsockopt(sender->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	sender->to = (struct sockaddr_ll){.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(interface),
		.sll_halen = 6};
	return sender->to.sll_ifindex ? 0 : -ENODEV;
}

static struct iovec next_frame(struct sender *sender)
{
	uint32_t len;

	if (sender->at + FRAME_HEAD > sender->size)
		sender->at = FILE_HEAD;
	memcpy(&len, sender->bytes + sender->at + 8, sizeof(len));
	const uint8_t *frame = sender->bytes + sender->at + FRAME_HEAD;

	sender->at += FRAME_HEAD + len;
	/* sendmmsg writes nothing there. */
	return (struct iovec){
		(void *)(uintptr_t)frame, len < sender->cut ? len : sender->cut};
}

static int send_batch(struct sender *sender)
{
	struct mmsghdr messages[BATCH];
	struct iovec frames[BATCH];
	int sent;

	for (unsigned i = 0; i < BATCH; i++) {
		frames[i] = next_frame(sender);
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &sender->to,
						       .msg_namelen = sizeof(sender->to),
						       .msg_iov = &frames[i],
						       .msg_iovlen = 1}};
	}
	do
		sent = sendmmsg(sender->fd, messages, BATCH, 0);
	while (sent < 0 && (errno == ENOBUFS || errno == EINTR));
	return sent < 0 ? -errno : sent;
}

int main(int argc, char **argv)
{
	struct sender sender = {.fd = -1, .cut = UINT32_MAX};
	uint64_t start, rate, frames, sent = 0;
	int rc;

	if (argc < 5)
		return 64;
	rate = strtoull(argv[3], NULL, 10);
	frames = strtoull(argv[4], NULL, 10);
	if (argc > 5)
		sender.cut = (uint32_t)strtoul(argv[5], NULL, 10);
	rc = map_file(&sender, argv[1]);
	if (rc == 0)
		rc = open_socket(&sender, argv[2]);
	start = now_ns();
	while (rc >= 0 && sent < frames) {
		/* A core is its own: waiting for the next batch's time is turning. */
		if (rate && now_ns() - start < sent * 1000000000u / rate)
			continue;
		rc = send_batch(&sender);
		sent += rc > 0 ? (uint64_t)rc : 0;
	}
	if (rc < 0) {
		(void)fprintf(stderr, "frame_sender: %s\n", strerror(-rc));
		return 71;
	}
	(void)printf("%llu %.6f\n", (unsigned long long)sent,
		(double)(now_ns() - start) / 1e9);
	return 0;
}
