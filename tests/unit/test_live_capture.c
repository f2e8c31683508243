/* With real packets, on a loopback interface in a namespace of its own: needs root, and
 * says so elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "astray/log.h"
#include "live_capture.h"

/* More than is read at once on the loop's behalf. */
#define PACKETS 10000
#define PORT 9

static void packet_came(void *arg, const struct capture_packet *packet)
{
	(void)packet;
	++*(unsigned *)arg;
}

static void bring_up_loopback(int fd)
{
	struct ifreq request = {.ifr_flags = IFF_UP | IFF_LOOPBACK};

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "lo");
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static void send_packets(int fd)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};

	for (int i = 0; i < PACKETS; i++)
		assert_int_equal(sendto(fd, "x", 1, 0, (const void *)&to, sizeof(to)), 1);
}

static void closed(void *arg)
{
	*(bool *)arg = true;
}

static void all_that_the_kernel_took_is_handed_over_at_the_end(void **state)
{
	const struct timespec lag = {0, LIVE_CAPTURE_LAG_MS * 1000000L};
	const struct log log = {0};
	struct live_capture_counts counts;
	struct live_capture *live;
	struct fault fault;
	uv_loop_t loop;
	unsigned seen = 0;
	bool gone = false;
	int fd;

	(void)state;
	if (unshare(CLONE_NEWNET) != 0) {
		print_message("SKIPPED: a network namespace needs root\n");
		skip();
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	bring_up_loopback(fd);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(live_capture_open(&live,
				 &(struct live_capture_options){.loop = &loop,
					 .log = &log,
					 .interfaces = "lo",
					 .filter = "udp dst port 9",
					 .buffer_bytes = 32 << 20,
					 .snaplen = 128,
					 .each = packet_came,
					 .arg = &seen},
				 &fault),
		0);
	send_packets(fd);
	/* The kernel keeps a block that is not full for so long, and tells nobody. */
	assert_int_equal(nanosleep(&lag, NULL), 0);
	live_capture_drain(live);
	live_capture_count(live, &counts);
	assert_int_equal(counts.dropped, 0);
	assert_int_equal(seen, PACKETS);
	live_capture_close(live, closed, &gone);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(gone);
	assert_int_equal(uv_loop_close(&loop), 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_the_kernel_took_is_handed_over_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
