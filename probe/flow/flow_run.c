#include "flow_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "capture_filter.h"
#include "flow_view.h"
#include "live_capture.h"

#define SERVICES_LIMIT 1024
#define FLOWS_LIMIT 100000
#define FILE_PAUSE_US MOMENT_HOUR_US
#define LIVE_PAUSE_US (30 * MOMENT_SECOND_US)
#define LIVE_SNAPLEN 2048
#define BATCH 4096
#define REFRESH_MS 1000
#define SETTLE_US                                                            \
	(500 * INT64_C(1000)) /* packets may still wait in the kernel's ring \
			       */

struct flow_run {
	const struct flow_order *order;
	struct capture *capture; /* of a file */
	struct live_capture *live;
	struct meter *meter;
	struct traffic_sum *sum; /* NULL with --json */
	char *line;
	int failure; /* of printing or of the capture */
	struct fault *fault;
	uv_loop_t loop;
	uv_timer_t timer;
	uv_signal_t interrupt, terminate;
};

static void print_line(struct flow_run *run, const struct obs *obs)
{
	int len = wire_encode(run->line, WIRE_LINE_MAX, obs);

	if (len < 0)
		run->failure = fault_at(
			run->fault, len, "", "an observation: %s", status_text(len));
	else if (fwrite(run->line, 1, (size_t)len, stdout) != (size_t)len)
		run->failure = fault_at(
			run->fault, -EIO, "", "standard output: %s", status_text(-errno));
}

static void observed(void *arg, const struct obs *obs)
{
	struct flow_run *run = arg;

	if (run->failure)
		return;
	if (run->order->json)
		print_line(run, obs);
	else
		(void)traffic_sum_add(run->sum, &obs->traffic);
}

static void packet_captured(void *arg, const struct capture_packet *packet)
{
	struct flow_run *run = arg;

	meter_packet(run->meter, packet->link_type, packet->at, packet->bytes,
		packet->captured, packet->wire_len);
}

static int make_meter(struct flow_run *run, bool live)
{
	struct meter_config config = {.window_us = run->order->window_us,
		.pause_us = live ? LIVE_PAUSE_US : FILE_PAUSE_US,
		.exact_ends = live,
		.tunnels = run->order->tunnels,
		.flows = FLOWS_LIMIT,
		.service_limit = SERVICES_LIMIT,
		.emit = observed,
		.emit_arg = run};

	if (getrandom(&config.seed, sizeof(config.seed), 0) < 0)
		return -errno;
	return meter_new(&run->meter, &config, run->order->services);
}

static int make_output(struct flow_run *run)
{
	if (!run->order->json)
		return traffic_sum_new(&run->sum, SERVICES_LIMIT);
	run->line = malloc(WIRE_LINE_MAX);
	return run->line ? 0 : -ENOMEM;
}

static int start(struct flow_run *run, bool live)
{
	int rc = make_output(run);

	if (rc == 0)
		rc = make_meter(run, live);
	return rc ? fault_at(run->fault, rc, "", "%s", status_text(rc)) : 0;
}

static void finish(struct flow_run *run)
{
	struct meter_counts counts;

	meter_finish(run->meter);
	meter_count(run->meter, &counts);
	if (run->order->json) {
		flow_view_losses(stderr, &counts);
	} else {
		flow_view_table(stdout, run->sum);
		flow_view_counts(stderr, &counts);
	}
	if (fflush(stdout) && !run->failure)
		run->failure = fault_at(
			run->fault, -EIO, "", "standard output: %s", status_text(-errno));
}

static void drop(struct flow_run *run)
{
	capture_close(run->capture);
	meter_free(run->meter);
	traffic_sum_free(run->sum);
	free(run->line);
}

int flow_run_file(const struct flow_order *order, struct fault *fault)
{
	struct flow_run run = {.order = order, .fault = fault};
	int rc;

	rc = capture_open_file(&run.capture, order->file, fault);
	if (rc == 0)
		rc = start(&run, false);
	if (rc)
		goto fail;
	do
		rc = capture_read(run.capture, BATCH, packet_captured, &run, fault);
	while (rc > 0 && !run.failure);
	finish(&run);
	if (run.failure)
		rc = run.failure;
fail:
	drop(&run);
	return rc;
}

static void show(struct flow_run *run)
{
	if (isatty(STDOUT_FILENO))
		(void)fputs("\x1b[H\x1b[2J", stdout);
	flow_view_table(stdout, run->sum);
	(void)fputs("\n^C ends\n", stdout);
}

static void second_passed(uv_timer_t *timer)
{
	struct flow_run *run = timer->data;

	live_capture_read(run->live);
	meter_advance(run->meter, moment_plus_us(now_moment(), -SETTLE_US));
	if (run->sum && isatty(STDOUT_FILENO))
		show(run);
	if (fflush(stdout) || run->failure)
		uv_stop(&run->loop);
}

static void last_came(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void interrupted(uv_signal_t *handle, int number)
{
	struct flow_run *run = handle->data;

	(void)number;
	(void)uv_timer_start(&run->timer, last_came, LIVE_CAPTURE_LAG_MS, 0);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int watch(struct flow_run *run)
{
	int rc = uv_signal_init(&run->loop, &run->interrupt);

	run->timer.data = run->interrupt.data = run->terminate.data = run;
	if (rc == 0)
		rc = uv_signal_start(&run->interrupt, interrupted, SIGINT);
	if (rc == 0)
		rc = uv_signal_init(&run->loop, &run->terminate);
	if (rc == 0)
		rc = uv_signal_start(&run->terminate, interrupted, SIGTERM);
	if (rc == 0)
		rc = uv_timer_init(&run->loop, &run->timer);
	if (rc == 0)
		rc = uv_timer_start(&run->timer, second_passed, REFRESH_MS, REFRESH_MS);
	return rc ? fault_at(run->fault, rc, "", "%s", status_text(rc)) : 0;
}

static int open_live(struct flow_run *run)
{
	char filter[CAPTURE_FILTER_MAX];
	struct live_capture_options options = {.loop = &run->loop,
		.log = run->order->log,
		.interfaces = run->order->interfaces,
		.filter = capture_filter_build(
			filter, run->order->services, run->order->tunnels),
		.buffer_bytes = run->order->buffer_bytes,
		.snaplen = LIVE_SNAPLEN,
		.patient = strpbrk(run->order->interfaces, "*?[") != NULL,
		.each = packet_captured,
		.arg = run};

	return live_capture_open(&run->live, &options, run->fault);
}

static void report_drops(struct flow_run *run)
{
	struct live_capture_counts counts;

	live_capture_count(run->live, &counts);
	if (counts.dropped > 0)
		(void)fprintf(stderr, "%llu packets were dropped by the kernel\n",
			(unsigned long long)counts.dropped);
}

static void capture_closed(void *arg)
{
	(void)arg;
}

/* What was captured until the loop ended counts, too. */
static void end_live(struct flow_run *run)
{
	live_capture_read(run->live);
	report_drops(run);
	live_capture_close(run->live, capture_closed, NULL);
	meter_advance(run->meter, now_moment());
	finish(run);
}

static int run_loop(struct flow_run *run)
{
	int rc;

	meter_advance(run->meter, now_moment());
	rc = open_live(run);
	if (rc)
		return rc;
	rc = watch(run);
	if (rc == 0)
		(void)uv_run(&run->loop, UV_RUN_DEFAULT);
	end_live(run);
	return rc;
}

int flow_run_live(const struct flow_order *order, struct fault *fault)
{
	struct flow_run run = {.order = order, .fault = fault};
	int rc = start(&run, true);

	if (rc == 0) {
		rc = uv_loop_init(&run.loop);
		if (rc)
			(void)fault_at(fault, rc, "", "%s", status_text(rc));
	}
	if (rc)
		goto fail;
	rc = run_loop(&run);
	uv_walk(&run.loop, close_handle, NULL);
	(void)uv_run(&run.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&run.loop);
	if (rc == 0)
		rc = run.failure;
fail:
	drop(&run);
	return rc;
}
