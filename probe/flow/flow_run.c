#include "flow_run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <uv.h>

#include "astray/status.h"
#include "capture.h"
#include "flow_live.h"
#include "flow_output.h"
#include "flow_view.h"

#define SERVICES_LIMIT 1024
#define FLOWS_LIMIT 100000
#define PAUSE_US MOMENT_HOUR_US
#define BATCH 4096
#define PROGRESS_NS 250000000u

struct reading {
	const struct flow_order *order;
	struct capture *capture;
	int stop_fd; /* has something to read once a person has had enough */
	struct meter *meter;
	struct flow_output *output;
	bool shows_progress;
	uint64_t packets, begun_ns, shown_ns;
	struct fault *fault;
};

static void packet_read(void *arg, const struct capture_packet *packet)
{
	struct reading *reading = arg;

	reading->packets++;
	meter_packet(reading->meter, packet->link_type, packet->at, packet->bytes,
		packet->captured, packet->wire_len);
}

static int make_parts(struct reading *reading)
{
	const struct flow_order *order = reading->order;
	struct meter_config config = {.window_us = order->window_us,
		.pause_us = PAUSE_US,
		.tunnels = order->tunnels,
		.flows = FLOWS_LIMIT,
		.service_limit = SERVICES_LIMIT,
		.emit = flow_output_take};
	int rc = flow_output_new(
		&reading->output, order->json ? FLOW_OUTPUT_WIRE : FLOW_OUTPUT_SUM);

	config.emit_arg = reading->output;
	if (rc == 0 && getrandom(&config.seed, sizeof(config.seed), 0) < 0)
		rc = -errno;
	if (rc == 0)
		rc = meter_new(&reading->meter, &config, order->services);
	return rc ? fault_at(reading->fault, rc, "", "%s", status_text(rc)) : 0;
}

/* A file takes a second a few million packets: nobody should wonder. */
static void show_progress(struct reading *reading)
{
	uint64_t now = uv_hrtime();
	double share;

	if (now - reading->shown_ns < PROGRESS_NS)
		return;
	reading->shown_ns = now;
	share = capture_share_read(reading->capture);
	if (share >= 0)
		(void)fprintf(stderr, "\r%3.0f %%, ", 100 * share);
	else
		(void)fputc('\r', stderr);
	(void)fprintf(stderr, "%" PRIu64 " packets, %.2f M a second ", reading->packets,
		(double)reading->packets * 1e3 / (double)(now - reading->begun_ns));
}

static void end_progress(struct reading *reading)
{
	if (reading->shown_ns > reading->begun_ns)
		(void)fputs("\r\x1b[K", stderr);
}

static int read_all(struct reading *reading)
{
	int rc;

	reading->begun_ns = reading->shown_ns = uv_hrtime();
	do {
		rc = capture_read(
			reading->capture, BATCH, packet_read, reading, reading->fault);
		if (reading->shows_progress)
			show_progress(reading);
	} while (rc > 0);
	if (reading->shows_progress)
		end_progress(reading);
	return rc;
}

static int print(struct reading *reading)
{
	struct flow_view_style style = {.colour = reading->order->colour};
	struct meter_counts counts;
	uint64_t received, dropped;

	capture_counts(reading->capture, &received, &dropped);
	if (dropped > 0)
		(void)fprintf(stderr,
			"%" PRIu64 " packets were dropped where they were captured\n",
			dropped);
	meter_finish(reading->meter);
	meter_count(reading->meter, &counts);
	if (reading->order->json) {
		flow_view_losses(stderr, &counts);
	} else {
		flow_view_table(stdout, flow_output_sum(reading->output), &style);
		flow_view_counts(stderr, &counts);
	}
	return flow_output_flush(reading->output, reading->fault);
}

/* ^C ends the reading, not the answer. */
static int hear_signals(struct reading *reading)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL))
		return fault_at(reading->fault, -errno, "", "%s", status_text(-errno));
	reading->stop_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return reading->stop_fd < 0
		       ? fault_at(reading->fault, -errno, "", "%s", status_text(-errno))
		       : 0;
}

static bool was_stopped(const struct reading *reading)
{
	struct signalfd_siginfo what;

	if (read(reading->stop_fd, &what, sizeof(what)) <= 0)
		return false;
	(void)fprintf(stderr, "stopped after %" PRIu64 " packets\n", reading->packets);
	return true;
}

static int read_file(const struct flow_order *order, struct fault *fault)
{
	struct reading reading = {.order = order,
		.stop_fd = -1,
		.fault = fault,
		.shows_progress = isatty(STDERR_FILENO)};
	int rc = hear_signals(&reading);
	int failure;

	if (rc == 0)
		rc = capture_open_file(
			&reading.capture, order->file, reading.stop_fd, fault);
	if (rc == 0)
		rc = make_parts(&reading);
	if (rc == 0) {
		rc = read_all(&reading);
		if (was_stopped(&reading))
			rc = 0; /* a packet may have been cut by it */
		failure = print(&reading);
		if (failure)
			rc = failure;
	}
	capture_close(reading.capture);
	if (reading.stop_fd >= 0)
		(void)close(reading.stop_fd);
	meter_free(reading.meter);
	flow_output_free(reading.output);
	return rc;
}

int flow_run(const struct flow_order *order, struct fault *fault)
{
	return order->file ? read_file(order, fault) : flow_live_run(order, fault);
}
