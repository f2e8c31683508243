#include "flow_live.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "capture_filter.h"
#include "flow_output.h"
#include "flow_view.h"
#include "live_capture.h"
#include "socket_watch.h"
#include "terminal.h"

#define SERVICES_LIMIT 1024
#define FLOWS_LIMIT 100000
#define SOCKETS_LIMIT 16384
#define PAUSE_US (30 * MOMENT_SECOND_US)
#define SNAPLEN 65536 /* what offloading puts into one frame */
#define TICK_MS 1000
#define SETTLE_US                                                            \
	(500 * INT64_C(1000)) /* packets may still wait in the kernel's ring \
			       */
#define FOOT_ROWS 4

struct live {
	const struct flow_order *order;
	struct fault *fault;
	struct flow_output *output;
	struct live_capture *capture; /* and its meter; or */
	struct meter *meter;
	struct socket_watch *sockets;
	struct terminal *screen; /* NULL: not on a terminal */
	bool frozen;             /* the view is */
	struct moment begun;
	int failure;
	uv_loop_t loop;
	uv_timer_t tick, refresh, last;
	uv_signal_t interrupt, terminate;
};

static void packet_captured(void *arg, const struct capture_packet *packet)
{
	struct live *live = arg;

	meter_packet(live->meter, packet->link_type, packet->at, packet->bytes,
		packet->captured, packet->wire_len);
}

static int make_meter(struct live *live)
{
	struct meter_config config = {.window_us = live->order->window_us,
		.pause_us = PAUSE_US > live->order->window_us ? PAUSE_US
							      : live->order->window_us,
		.exact_ends = true,
		.tunnels = live->order->tunnels,
		.flows = FLOWS_LIMIT,
		.service_limit = SERVICES_LIMIT,
		.emit = flow_output_take,
		.emit_arg = live->output};
	int rc = 0;

	if (getrandom(&config.seed, sizeof(config.seed), 0) < 0)
		rc = -errno;
	if (rc == 0)
		rc = meter_new(&live->meter, &config, live->order->services);
	if (rc)
		return fault_at(live->fault, rc, "", "%s", status_text(rc));
	meter_advance(live->meter, now_moment());
	return 0;
}

static int open_capture(struct live *live)
{
	const struct flow_order *order = live->order;
	char filter[CAPTURE_FILTER_MAX];
	struct live_capture_options options = {.loop = &live->loop,
		.log = order->log,
		.interfaces = order->interfaces,
		.filter = capture_filter_build(
			filter, order->services, order->tunnels, true, NULL),
		.buffer_bytes = order->buffer_bytes,
		.snaplen = SNAPLEN,
		.patient = strpbrk(order->interfaces, "*?[") != NULL,
		.each = packet_captured,
		.arg = live};
	int rc = make_meter(live);

	if (rc == 0)
		rc = live_capture_open(&live->capture, &options, live->fault);
	return rc;
}

static int open_sockets(struct live *live)
{
	struct socket_watch_options options = {.loop = &live->loop,
		.log = live->order->log,
		.services = live->order->services,
		.window_us = live->order->window_us,
		.sockets = SOCKETS_LIMIT,
		.service_limit = SERVICES_LIMIT,
		.emit = flow_output_take,
		.emit_arg = live->output};

	return socket_watch_open(&live->sockets, &options, live->fault);
}

/* What a flood, or too many connections, cost so far. */
static void print_pressure(struct live *live, FILE *out)
{
	struct meter_counts counts = {0};

	if (live->meter)
		meter_count(live->meter, &counts);
	if (counts.evicted + counts.evicted_half_open + counts.refused_services == 0)
		return;
	(void)fprintf(out,
		"could not be followed: %" PRIu64 " open connections, %" PRIu64
		" unanswered (a scan or flood?), %" PRIu64 " of one service too many\n",
		counts.evicted, counts.evicted_half_open, counts.refused_services);
}

static void print_foot(struct live *live, FILE *out)
{
	int64_t seconds = moment_since_us(now_moment(), live->begun) / MOMENT_SECOND_US;
	struct live_capture_counts counts = {0};

	(void)fprintf(out, "\n%s for %" PRId64 " s",
		live->order->kernel ? "the kernel's connections"
				    : live->order->interfaces,
		seconds);
	if (live->capture) {
		live_capture_count(live->capture, &counts);
		(void)fprintf(out,
			": %" PRIu64 " packets, %" PRIu64 " dropped by the kernel",
			counts.received, counts.dropped);
	}
	(void)fputc('\n', out);
	print_pressure(live, out);
	(void)fprintf(out, "q ends, p %s, r starts over\n",
		live->frozen ? "goes on" : "pauses the view");
}

static void show(struct live *live)
{
	struct flow_view_style style = {.colour = live->order->colour};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	terminal_size(&style.columns, &style.rows);
	style.rows = style.rows > FOOT_ROWS + 3 ? style.rows - FOOT_ROWS : 3;
	flow_view_table(out, flow_output_sum(live->output), &style);
	print_foot(live, out);
	if (fclose(out) == 0)
		terminal_show(text);
	free(text);
}

static void last_came(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void end_soon(struct live *live)
{
	(void)uv_timer_start(&live->last, last_came, LIVE_CAPTURE_LAG_MS, 0);
}

static void signalled(uv_signal_t *handle, int number)
{
	(void)number;
	end_soon(handle->data);
}

static void key_pressed(void *arg, int key)
{
	struct live *live = arg;

	switch (key) {
	case 'q':
	case 'Q':
		end_soon(live);
		return;
	case 'p':
	case ' ':
		live->frozen = !live->frozen;
		break;
	case 'r':
		live->begun = now_moment();
		live->failure = flow_output_start_over(live->output);
		break;
	case TERMINAL_REDRAW:
		break;
	default:
		return;
	}
	show(live);
}

static void second_passed(uv_timer_t *timer)
{
	struct live *live = timer->data;

	if (live->capture) {
		live_capture_read(live->capture);
		meter_advance(live->meter, moment_plus_us(now_moment(), -SETTLE_US));
	}
	if (live->screen)
		return;
	live->failure = flow_output_flush(live->output, live->fault);
	if (live->failure)
		uv_stop(&live->loop);
}

static void interval_passed(uv_timer_t *timer)
{
	struct live *live = timer->data;

	if (!live->frozen)
		show(live);
}

/* None of them fails once the loop is made. */
static void make_handles(struct live *live)
{
	(void)uv_timer_init(&live->loop, &live->tick);
	(void)uv_timer_init(&live->loop, &live->refresh);
	(void)uv_timer_init(&live->loop, &live->last);
	(void)uv_signal_init(&live->loop, &live->interrupt);
	(void)uv_signal_init(&live->loop, &live->terminate);
	live->tick.data = live->refresh.data = live->last.data = live;
	live->interrupt.data = live->terminate.data = live;
}

static void close_handles(struct live *live)
{
	uv_close((uv_handle_t *)&live->tick, NULL);
	uv_close((uv_handle_t *)&live->refresh, NULL);
	uv_close((uv_handle_t *)&live->last, NULL);
	uv_close((uv_handle_t *)&live->interrupt, NULL);
	uv_close((uv_handle_t *)&live->terminate, NULL);
}

static int begin(struct live *live)
{
	uint64_t interval_ms = (uint64_t)live->order->interval_us / 1000;
	int rc = uv_signal_start(&live->interrupt, signalled, SIGINT);

	if (rc == 0)
		rc = uv_signal_start(&live->terminate, signalled, SIGTERM);
	(void)uv_timer_start(&live->tick, second_passed, TICK_MS, TICK_MS);
	live->begun = now_moment();
	if (rc == 0 && !live->order->json && terminal_can_draw())
		rc = terminal_open(&live->screen, &live->loop, key_pressed, live);
	if (live->screen)
		(void)uv_timer_start(&live->refresh, interval_passed, 0, interval_ms);
	return rc ? fault_at(live->fault, rc, "", "%s", status_text(rc)) : 0;
}

static void source_closed(void *arg)
{
	(void)arg;
}

/* What came until the loop ended counts, too. */
static void end_sockets(struct live *live)
{
	struct socket_watch_counts counts;

	socket_watch_count(live->sockets, &counts);
	flow_view_socket_losses(stderr, &counts);
	socket_watch_close(live->sockets, source_closed, NULL);
}

static void end_capture(struct live *live)
{
	struct live_capture_counts counts;

	live_capture_drain(live->capture);
	live_capture_count(live->capture, &counts);
	if (counts.dropped > 0)
		(void)fprintf(stderr, "%" PRIu64 " packets were dropped by the kernel\n",
			counts.dropped);
	live_capture_close(live->capture, source_closed, NULL);
	meter_advance(live->meter, now_moment());
	meter_finish(live->meter);
}

static int print(struct live *live)
{
	struct flow_view_style style = {.colour = live->order->colour};
	struct meter_counts counts;

	if (!live->order->json)
		flow_view_table(stdout, flow_output_sum(live->output), &style);
	if (live->meter) {
		meter_count(live->meter, &counts);
		if (live->order->json)
			flow_view_losses(stderr, &counts);
		else
			flow_view_counts(stderr, &counts);
	}
	return flow_output_flush(live->output, live->fault);
}

static int run_loop(struct live *live)
{
	int rc = live->order->kernel ? open_sockets(live) : open_capture(live);

	if (rc)
		return rc;
	rc = begin(live);
	if (rc == 0)
		(void)uv_run(&live->loop, UV_RUN_DEFAULT);
	terminal_close(live->screen);
	if (live->sockets)
		end_sockets(live);
	else
		end_capture(live);
	if (rc == 0)
		rc = live->failure;
	return rc ? rc : print(live);
}

static enum flow_output_form form_of(const struct flow_order *order)
{
	if (order->json)
		return FLOW_OUTPUT_WIRE;
	return terminal_can_draw() ? FLOW_OUTPUT_SUM : FLOW_OUTPUT_LINES;
}

int flow_live_run(const struct flow_order *order, struct fault *fault)
{
	struct live live = {.order = order, .fault = fault};
	int rc = flow_output_new(&live.output, form_of(order));

	if (rc == 0)
		rc = uv_loop_init(&live.loop);
	if (rc) {
		flow_output_free(live.output);
		return fault_at(fault, rc, "", "%s", status_text(rc));
	}
	make_handles(&live);
	rc = run_loop(&live);
	close_handles(&live);
	(void)uv_run(&live.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&live.loop);
	meter_free(live.meter);
	flow_output_free(live.output);
	return rc;
}
