#include "flow_source.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "capture.h"
#include "capture_filter.h"
#include "meter.h"

#define SERVICES_LIMIT 256 /* where none are configured */
#define PAUSE_US (30 * MOMENT_SECOND_US)
#define SETTLE_US                                                            \
	(500 * INT64_C(1000)) /* packets may still wait in the kernel's ring \
			       */
#define TICK_MS 1000
#define BATCH 4096 /* packets at once, so that the loop's other work has its turn */

struct settings {
	char interface[64];
	int64_t window_us, buffer_bytes, snaplen, flows;
};

static const struct conf_option options[] = {
	{"interface", CONF_TEXT, offsetof(struct settings, interface),
		sizeof(((struct settings *)0)->interface), 0, 0, "\"any\"",
		"where to capture; \"any\" is all interfaces"},
	{"window", CONF_SPAN, offsetof(struct settings, window_us), 0, 1e6, 3600e6,
		"\"10 s\"", "length of an observation's window"},
	{"buffer_bytes", CONF_INT, offsetof(struct settings, buffer_bytes), 0, 1 << 18,
		1 << 30, "8388608", "the kernel's ring for packets"},
	{"snaplen", CONF_INT, offsetof(struct settings, snaplen), 0, 128, 262144, "2048",
		"bytes kept of a packet; a TLS ClientHello needs about 2000"},
	{"flows", CONF_INT, offsetof(struct settings, flows), 0, 64, 1 << 24, "8192",
		"connections followed at once, 400 bytes each"},
	{0},
};

struct flow_watch {
	const struct log *log;
	struct capture *capture;
	struct meter *meter;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned closing; /* handles whose close callback is still to come */
	void (*stopped)(void *arg);
	void *stopped_arg;
};

static void packet_captured(void *arg, const struct capture_packet *packet)
{
	struct flow_watch *watch = arg;

	meter_packet(watch->meter, packet->link_type, packet->at, packet->bytes,
		packet->captured, packet->wire_len);
}

static void read_capture(struct flow_watch *watch)
{
	struct fault fault = {0};
	char text[1024];

	if (!uv_is_active((uv_handle_t *)&watch->poll))
		return;
	if (capture_read(watch->capture, BATCH, packet_captured, watch, &fault) >= 0)
		return;
	log_error(watch->log, "flow", "%s, traffic is not measured until a restart",
		fault_text(&fault, text, sizeof(text)));
	(void)uv_poll_stop(&watch->poll);
	(void)uv_timer_stop(&watch->timer);
}

static void packets_waiting(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	read_capture(poll->data);
}

static void second_passed(uv_timer_t *timer)
{
	struct flow_watch *watch = timer->data;

	read_capture(watch);
	if (uv_is_active((uv_handle_t *)timer))
		meter_advance(watch->meter, moment_plus_us(now_moment(), -SETTLE_US));
}

static int make_meter(struct flow_watch *watch, const struct source_env *env,
	const struct settings *settings)
{
	struct meter_config config = {.window_us = settings->window_us,
		.pause_us =
			PAUSE_US > settings->window_us ? PAUSE_US : settings->window_us,
		.exact_ends = true,
		.flows = (uint32_t)settings->flows,
		.service_limit = SERVICES_LIMIT,
		.emit = env->emit,
		.emit_arg = env->emit_arg};

	if (getrandom(&config.seed, sizeof(config.seed), 0) < 0)
		return -errno;
	return meter_new(&watch->meter, &config, env->services);
}

static int open_capture(struct flow_watch *watch, const struct source_env *env,
	const struct settings *settings, struct fault *fault)
{
	char filter[CAPTURE_FILTER_MAX];
	struct capture_options capture = {.interface = settings->interface,
		.filter = capture_filter_build(filter, env->services),
		.buffer_bytes = (int)settings->buffer_bytes,
		.snaplen = (int)settings->snaplen};

	return capture_open_live(&watch->capture, &capture, fault);
}

static void drop_watch(struct flow_watch *watch)
{
	capture_close(watch->capture);
	meter_free(watch->meter);
	free(watch);
}

static int join_loop(
	struct flow_watch *watch, struct uv_loop_s *loop, struct fault *fault)
{
	int rc = uv_poll_init(loop, &watch->poll, capture_fd(watch->capture));

	if (rc)
		return fault_at(fault, rc, "", "%s", status_text(rc));
	(void)uv_timer_init(loop, &watch->timer);
	watch->poll.data = watch->timer.data = watch;
	/* Neither fails once the handle is made. */
	(void)uv_poll_start(&watch->poll, UV_READABLE, packets_waiting);
	(void)uv_timer_start(&watch->timer, second_passed, TICK_MS, TICK_MS);
	return 0;
}

static int start(void **out, const struct source_env *env, const void *settings,
	struct fault *fault)
{
	struct flow_watch *watch = calloc(1, sizeof(*watch));
	int rc;

	*out = NULL;
	if (!watch)
		return -ENOMEM;
	watch->log = env->log;
	rc = make_meter(watch, env, settings);
	if (rc) {
		(void)fault_at(fault, rc, "", "%s", status_text(rc));
		goto fail;
	}
	rc = open_capture(watch, env, settings, fault);
	if (rc == 0)
		rc = join_loop(watch, env->loop, fault);
	if (rc)
		goto fail;
	meter_advance(watch->meter, now_moment());
	*out = watch;
	return 0;

fail:
	drop_watch(watch);
	return rc;
}

static void add(int64_t *into, uint64_t count)
{
	*into = (*into == OBS_ABSENT ? 0 : *into) + (int64_t)count;
}

static void report(void *source, struct obs_health *health)
{
	struct flow_watch *watch = source;
	uint64_t received, dropped;

	capture_counts(watch->capture, &received, &dropped);
	add(&health->captured_packets, received);
	add(&health->capture_drops, dropped);
}

static void handle_closed(uv_handle_t *handle)
{
	struct flow_watch *watch = handle->data;

	if (--watch->closing > 0)
		return;
	watch->stopped(watch->stopped_arg);
	drop_watch(watch);
}

static void log_losses(const struct flow_watch *watch)
{
	struct meter_counts counts;

	meter_count(watch->meter, &counts);
	log_info(watch->log, "flow",
		"stopped after %llu packets; %llu connections gave way to newer ones, "
		"%llu "
		"found no row for their service",
		(unsigned long long)counts.packets,
		(unsigned long long)(counts.evicted + counts.evicted_half_open),
		(unsigned long long)counts.refused_services);
}

static void stop(void *source, void (*stopped)(void *arg), void *arg)
{
	struct flow_watch *watch = source;

	read_capture(watch);
	meter_advance(watch->meter, now_moment());
	meter_finish(watch->meter);
	log_losses(watch);
	watch->stopped = stopped;
	watch->stopped_arg = arg;
	watch->closing = 2;
	uv_close((uv_handle_t *)&watch->poll, handle_closed);
	uv_close((uv_handle_t *)&watch->timer, handle_closed);
}

const struct source_kind flow_source = {
	.name = "flow",
	.help = "connections, requests and response times of the services, from packets",
	.options = options,
	.settings_size = sizeof(struct settings),
	.start = start,
	.report = report,
	.stop = stop,
};
