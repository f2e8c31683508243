/*
 * frame_sender FILE INTERFACE RATE FRAMES CUT SENDERS: sends the first FRAMES of a
 * capture file to an interface, RATE a second, evenly in steps of a batch, every frame
 * cut to CUT bytes; again from the file's beginning when it ends. Making and sending a
 * frame costs the kernel 1.5 us: so many processes take turns, frame by frame, and one
 * core after another is no bound. Prints how many the kernel took and how long it took.
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_HEAD 24
#define FRAME_HEAD 16
#define BATCH 64
#define SENDERS_MAX 16

struct sender {
	const uint8_t *bytes;
	size_t size, at;
	uint32_t cut;
	unsigned others; /* frames that are theirs, between two of ours */
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

static const uint8_t *step_over_frame(struct sender *sender, uint32_t *len)
{
	const uint8_t *frame;

	if (sender->at + FRAME_HEAD > sender->size)
		sender->at = FILE_HEAD;
	memcpy(len, sender->bytes + sender->at + 8, sizeof(*len));
	frame = sender->bytes + sender->at + FRAME_HEAD;
	sender->at += FRAME_HEAD + *len;
	return frame;
}

static struct iovec next_frame(struct sender *sender)
{
	uint32_t len, other_len;
	const uint8_t *frame = step_over_frame(sender, &len);

	for (unsigned i = 0; i < sender->others; i++)
		(void)step_over_frame(sender, &other_len);
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

/* What one process did; shared with its parent. */
struct outcome {
	uint64_t sent, began_ns, ended_ns;
	int rc;
};

static void send_all(struct sender *sender, const char *interface, uint64_t rate,
	uint64_t frames, struct outcome *outcome)
{
	int rc = open_socket(sender, interface);

	outcome->began_ns = now_ns();
	while (rc >= 0 && outcome->sent < frames) {
		/* A core is its own: waiting for the next batch's time is turning. */
		if (rate &&
			now_ns() - outcome->began_ns < outcome->sent * 1000000000u / rate)
			continue;
		rc = send_batch(sender);
		outcome->sent += rc > 0 ? (uint64_t)rc : 0;
	}
	outcome->ended_ns = now_ns();
	outcome->rc = rc < 0 ? rc : 0;
}

static struct outcome sum_up(const struct outcome *outcomes, unsigned count)
{
	struct outcome sum = outcomes[0];

	for (unsigned i = 1; i < count; i++) {
		sum.sent += outcomes[i].sent;
		if (outcomes[i].began_ns < sum.began_ns)
			sum.began_ns = outcomes[i].began_ns;
		if (outcomes[i].ended_ns > sum.ended_ns)
			sum.ended_ns = outcomes[i].ended_ns;
		if (outcomes[i].rc)
			sum.rc = outcomes[i].rc;
	}
	return sum;
}

int main(int argc, char **argv)
{
	struct sender sender = {.fd = -1};
	struct outcome *outcomes, sum;
	unsigned senders;
	uint32_t len;
	int rc;

	if (argc != 7)
		return 64;
	sender.cut = (uint32_t)strtoul(argv[5], NULL, 10);
	senders = (unsigned)strtoul(argv[6], NULL, 10);
	if (senders == 0 || senders > SENDERS_MAX)
		return 64;
	sender.others = senders - 1;
	rc = map_file(&sender, argv[1]);
	outcomes = mmap(NULL, SENDERS_MAX * sizeof(*outcomes), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rc || outcomes == MAP_FAILED) {
		(void)fprintf(stderr, "frame_sender: %s: %s\n", argv[1],
			strerror(rc ? -rc : errno));
		return 66;
	}
	for (unsigned i = 0; i < senders; i++) {
		if (fork() == 0) {
			send_all(&sender, argv[2], strtoull(argv[3], NULL, 10) / senders,
				strtoull(argv[4], NULL, 10) / senders, &outcomes[i]);
			_exit(0);
		}
		(void)step_over_frame(&sender, &len);
	}
	while (wait(NULL) > 0)
		continue;
	sum = sum_up(outcomes, senders);
	if (sum.rc) {
		(void)fprintf(stderr, "frame_sender: %s\n", strerror(-sum.rc));
		return 71;
	}
	(void)printf("%llu %.6f\n", (unsigned long long)sum.sent,
		(double)(sum.ended_ns - sum.began_ns) / 1e9);
	return 0;
}
