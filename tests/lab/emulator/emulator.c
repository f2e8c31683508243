/*
 * The lab's internet: routers that exist only here, between TUN devices in the network
 * namespaces of real clients and servers. Packets travel as programmed, with their time
 * to live counted down, and routers answer when it ends.
 *
 *     lab_emulator            commands on standard input, one JSON object a line, each
 * answered by one line: {} or what was asked for, or {"error":"…"}
 *
 *     {"do":"host","name":"tokyo","namespace":"/run/netns/tokyo","addresses":["198.51.100.2"]}
 *     {"do":"path","from":"tokyo","to":"203.0.113.0/24","rtt_us":9000,
 *      "routes":[[{"addresses":["192.0.2.1"],"rtt_us":400},…]]}
 *     {"do":"no-path","from":"tokyo","to":"203.0.113.0/24"}
 *     {"do":"counters"}       also starts them again
 *     {"do":"arrivals"}       when packets came since the last counters, microseconds,
 * and with which TTLs
 *     {"do":"spin","us":50}   the last moment before a packet is due is waited for by
 * turning
 *
 * A host without a namespace answers by itself. The end of standard input ends the
 * program. tests/lab/internet.py is the pleasant way to say all this.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "astray/status.h"
#include "lab_program.h"
#include "lab_queue.h"

#define COMMAND_MAX (1 << 20)
#define ARRIVALS_MAX 131072
#define LATE_MAX_US 10000
#define TURN 64 /* packets of one device, before others have theirs */

struct counters {
	uint64_t packets, delivered, answered, lost, unroutable, overflowed, failed;
	uint64_t late[LATE_MAX_US + 1]; /* packets by how late they left, microseconds */
	uint64_t arrival_count;
	int64_t arrivals[ARRIVALS_MAX];
	uint8_t arrival_ttls[ARRIVALS_MAX];
};

struct emulator {
	struct lab_program *program;
	struct lab_queue *queue;
	struct lab_chance chance;
	struct counters counters;
	struct lab_leg leg;
	int64_t spin_us;
	int own_namespace;
	int devices[LAB_HOSTS]; /* by host; -1: it has none */
	unsigned host_count;
	size_t command_len;
	char command[COMMAND_MAX];
};

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Packets */

static void send_later(struct emulator *emulator, int64_t due_us, int to,
	const uint8_t *bytes, size_t len)
{
	if (lab_queue_add(emulator->queue, due_us, to, bytes, len) < 0)
		emulator->counters.overflowed++;
}

/* A host that is not real has what it says ready at once. */
static void answer_for(struct emulator *emulator, const struct lab_packet *packet,
	int from, const struct lab_way *way, int64_t now)
{
	struct lab_packet there = *packet;
	const struct lab_host *host = lab_program_host(emulator->program, way->to);
	size_t len;

	there.ttl = emulator->leg.ttl;
	len = lab_packet_arrival(emulator->leg.bytes, &there, host->listens);
	if (len && !host->silent)
		send_later(emulator, lab_path_round_us(way->path, now, &emulator->chance),
			from, emulator->leg.bytes, len);
}

static void forge(struct emulator *emulator, const struct lab_packet *packet, int from,
	const struct lab_path *path, int64_t now)
{
	const struct address *forger = &path->forgers[packet->version == 6];
	size_t len = forger->family
			     ? lab_packet_forgery(emulator->leg.bytes, packet, forger)
			     : 0;

	if (len)
		send_later(emulator, now, from, emulator->leg.bytes, len);
}

static void packet_came(
	struct emulator *emulator, int from, const uint8_t *bytes, size_t len)
{
	struct counters *counters = &emulator->counters;
	struct lab_leg *leg = &emulator->leg;
	int64_t now = now_us();
	struct lab_packet packet;
	struct lab_way way;

	if (lab_packet_read(&packet, bytes, len) < 0 || lab_packet_is_multicast(&packet))
		return;
	counters->packets++;
	if (counters->arrival_count < ARRIVALS_MAX) {
		counters->arrival_ttls[counters->arrival_count] = packet.ttl;
		counters->arrivals[counters->arrival_count++] = now;
	}
	if (!lab_program_way(emulator->program, from, &packet, &way)) {
		counters->unroutable++;
		return;
	}
	if (way.path->forges && !way.back)
		forge(emulator, &packet, from, way.path, now);
	lab_path_travel(way.path, &packet, way.back, now, &emulator->chance, leg);
	if (leg->fate == LAB_LOST) {
		counters->lost++;
	} else if (leg->fate == LAB_ANSWERED) {
		counters->answered++;
		send_later(emulator, leg->due_us, from, leg->bytes, leg->len);
	} else if (emulator->devices[way.to] < 0) {
		counters->answered++;
		answer_for(emulator, &packet, from, &way, now);
	} else {
		counters->delivered++;
		send_later(emulator, leg->due_us, way.to, leg->bytes, leg->len);
	}
}

static void read_device(struct emulator *emulator, int host)
{
	uint8_t bytes[LAB_PACKET_MAX];

	for (int i = 0; i < TURN; i++) {
		ssize_t len = read(emulator->devices[host], bytes, sizeof(bytes));

		if (len <= 0)
			return;
		packet_came(emulator, host, bytes, (size_t)len);
	}
}

static void send_due(struct emulator *emulator)
{
	int64_t now = now_us();

	while (lab_queue_next_us(emulator->queue) <= now + emulator->spin_us) {
		struct lab_due due = lab_queue_take(emulator->queue);
		int64_t late;

		do
			late = now_us() - due.due_us;
		while (late < 0);
		if (write(emulator->devices[due.to], due.bytes, due.len) < 0)
			emulator->counters.failed++;
		emulator->counters.late[late < LATE_MAX_US ? late : LATE_MAX_US]++;
		free(due.bytes);
	}
}

/* Commands */

static int open_device(
	const struct lab_host *host, int own_namespace, struct fault *fault)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int there = open(host->namespace, O_RDONLY | O_CLOEXEC), device = -1, rc = 0;

	if (there < 0 || setns(there, CLONE_NEWNET) < 0)
		rc = fault_at(fault, -errno, "namespace", "%s: %s", host->namespace,
			strerror(errno));
	else
		device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	memcpy(request.ifr_name, host->device, sizeof(request.ifr_name) - 1);
	if (!rc && (device < 0 || ioctl(device, TUNSETIFF, &request) < 0))
		rc = fault_at(
			fault, -errno, "device", "/dev/net/tun: %s", strerror(errno));
	if (setns(own_namespace, CLONE_NEWNET) < 0 && !rc)
		rc = fault_at(
			fault, -errno, "namespace", "the way back: %s", strerror(errno));
	if (there >= 0)
		(void)close(there);
	if (rc < 0 && device >= 0)
		(void)close(device);
	return rc < 0 ? rc : device;
}

static int add_host(
	struct emulator *emulator, const struct json_doc *doc, struct fault *fault)
{
	int number = lab_program_add_host(emulator->program, doc, fault);
	const struct lab_host *host;

	if (number < 0)
		return number;
	host = lab_program_host(emulator->program, number);
	emulator->devices[number] = -1;
	emulator->host_count = (unsigned)number + 1;
	if (!host->namespace[0])
		return 0;
	emulator->devices[number] = open_device(host, emulator->own_namespace, fault);
	return emulator->devices[number] < 0 ? emulator->devices[number] : 0;
}

static int64_t late_quantile(const struct counters *counters, double share)
{
	uint64_t sum = 0, seen = 0;

	for (unsigned i = 0; i <= LATE_MAX_US; i++)
		sum += counters->late[i];
	for (unsigned i = 0; i <= LATE_MAX_US; i++) {
		seen += counters->late[i];
		if (sum && (double)seen >= share * (double)sum)
			return i;
	}
	return 0;
}

static void show_counters(const struct counters *counters, struct json *into)
{
	json_add_int(into, "packets", (int64_t)counters->packets);
	json_add_int(into, "delivered", (int64_t)counters->delivered);
	json_add_int(into, "answered", (int64_t)counters->answered);
	json_add_int(into, "lost", (int64_t)counters->lost);
	json_add_int(into, "unroutable", (int64_t)counters->unroutable);
	json_add_int(into, "overflowed", (int64_t)counters->overflowed);
	json_add_int(into, "failed", (int64_t)counters->failed);
	json_add_int(into, "late_p50_us", late_quantile(counters, 0.5));
	json_add_int(into, "late_p99_us", late_quantile(counters, 0.99));
	json_add_int(into, "late_max_us", late_quantile(counters, 1));
}

static void show_arrivals(const struct counters *counters, struct json *into)
{
	struct json *times = json_add_array(into, "arrivals");
	struct json *ttls = json_add_array(into, "ttls");

	for (uint64_t i = 0; i < counters->arrival_count; i++) {
		json_add_int(times, NULL, counters->arrivals[i]);
		json_add_int(ttls, NULL, counters->arrival_ttls[i]);
	}
}

static int obey(struct emulator *emulator, const struct json_doc *doc,
	struct json *answer, struct fault *fault)
{
	const char *what = json_as_text(json_member(json_root(doc), "do"));

	if (!what)
		return fault_at(
			fault, STATUS_MISSING, "do", "every command says what to do");
	if (!strcmp(what, "host"))
		return add_host(emulator, doc, fault);
	if (!strcmp(what, "path"))
		return lab_program_set_path(emulator->program, doc, fault);
	if (!strcmp(what, "no-path"))
		return lab_program_drop_path(emulator->program, doc, fault);
	if (!strcmp(what, "arrivals")) {
		show_arrivals(&emulator->counters, answer);
		return 0;
	}
	if (!strcmp(what, "spin"))
		return json_as_int(json_member(json_root(doc), "us"), &emulator->spin_us)
			       ? 0
			       : STATUS_RANGE;
	if (!strcmp(what, "counters")) {
		show_counters(&emulator->counters, answer);
		memset(&emulator->counters, 0, sizeof(emulator->counters));
		return 0;
	}
	return fault_at(
		fault, STATUS_UNKNOWN, "do", "%s is nothing that is known here", what);
}

static void take_command(struct emulator *emulator, const char *line, size_t len)
{
	struct json *answer = json_new_object();
	struct fault fault = {0};
	struct json_doc *doc;
	char text[600], *out;
	int rc = json_parse(&doc, line, len, 0, &fault);

	if (rc >= 0)
		rc = obey(emulator, doc, answer, &fault);
	if (rc < 0)
		json_add_text(answer, "error", fault_text(&fault, text, sizeof(text)));
	out = json_print_new(answer);
	(void)printf("%s\n", out ? out : "{\"error\":\"out of memory\"}");
	(void)fflush(stdout);
	free(out);
	json_free(answer);
	json_doc_free(doc);
}

/* False at the end of the input. */
static bool read_commands(struct emulator *emulator)
{
	char *buf = emulator->command, *end;
	ssize_t got = read(STDIN_FILENO, buf + emulator->command_len,
		COMMAND_MAX - emulator->command_len);

	if (got <= 0)
		return false;
	emulator->command_len += (size_t)got;
	while ((end = memchr(buf, '\n', emulator->command_len))) {
		size_t len = (size_t)(end - buf);

		take_command(emulator, buf, len);
		emulator->command_len -= len + 1;
		memmove(buf, end + 1, emulator->command_len);
	}
	return emulator->command_len < COMMAND_MAX;
}

static int wait_for_work(struct emulator *emulator, struct pollfd *polls)
{
	int64_t next = lab_queue_next_us(emulator->queue), wait;
	struct timespec timeout;

	polls[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	for (unsigned i = 0; i < emulator->host_count; i++)
		polls[i + 1] =
			(struct pollfd){.fd = emulator->devices[i], .events = POLLIN};
	if (next == INT64_MAX)
		return ppoll(polls, emulator->host_count + 1, NULL, NULL);
	wait = next - now_us() - emulator->spin_us;
	if (wait < 0)
		wait = 0;
	timeout.tv_sec = wait / 1000000;
	timeout.tv_nsec = wait % 1000000 * 1000;
	return ppoll(polls, emulator->host_count + 1, &timeout, NULL);
}

static void run(struct emulator *emulator)
{
	struct pollfd polls[LAB_HOSTS + 1];

	for (;;) {
		unsigned hosts = emulator->host_count;

		if (wait_for_work(emulator, polls) < 0)
			return;
		send_due(emulator);
		for (unsigned i = 0; i < hosts; i++) {
			if (polls[i + 1].revents) {
				read_device(emulator, (int)i);
				send_due(emulator);
			}
		}
		if (polls[0].revents && !read_commands(emulator))
			return;
	}
}

/* On a busy machine others must not make the routers late. */
static void be_prompt(void)
{
	struct sched_param param = {.sched_priority = 1};

	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0)
		(void)fprintf(stderr,
			"lab_emulator: no real-time priority (%s): times may be late\n",
			strerror(errno));
}

int main(void)
{
	struct emulator *emulator = calloc(1, sizeof(*emulator));

	if (!emulator)
		return 71;
	emulator->chance.state = UINT64_C(0x9e3779b97f4a7c15);
	emulator->program = lab_program_new();
	emulator->queue = lab_queue_new();
	emulator->own_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!emulator->program || !emulator->queue || emulator->own_namespace < 0) {
		(void)fprintf(stderr, "lab_emulator: %s\n", strerror(errno));
		return 71;
	}
	be_prompt();
	run(emulator);
	for (unsigned i = 0; i < emulator->host_count; i++)
		if (emulator->devices[i] >= 0)
			(void)close(emulator->devices[i]);
	(void)close(emulator->own_namespace);
	lab_queue_free(emulator->queue);
	lab_program_free(emulator->program);
	free(emulator);
	return 0;
}
