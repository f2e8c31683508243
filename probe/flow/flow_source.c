#include "flow_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "capture_filter.h"
#include "live_capture.h"
#include "meter.h"
#include "name_lookup.h"
#include "socket_watch.h"

#define SERVICES_LIMIT 256 /* where none are configured */
#define PAUSE_US (30 * MOMENT_SECOND_US)
#define SETTLE_US                                                            \
	(500 * INT64_C(1000)) /* packets may still wait in the kernel's ring \
			       */
#define TICK_MS 1000
#define PRESSURE_SECONDS 60

struct settings {
	char method[16], filter[16], interface[256], tunnels[64];
	int64_t window_us, buffer_bytes, snaplen, flows;
	bool dns;
};

static const struct conf_option options[] = {
	{"method", CONF_TEXT, offsetof(struct settings, method),
		sizeof(((struct settings *)0)->method), 0, 0, "\"auto\"",
		"\"packets\" captures; \"kernel\" asks the kernel for its TCP "
		"connections: no "
		"privilege, no requests; \"auto\" captures where it may, else asks"},
	{"interface", CONF_TEXT, offsetof(struct settings, interface),
		sizeof(((struct settings *)0)->interface), 0, 0, "\"any\"",
		"where to capture: \"any\" is all interfaces, else names and patterns "
		"(eth0,wlan*), which are followed as they come and go"},
	{"filter", CONF_TEXT, offsetof(struct settings, filter),
		sizeof(((struct settings *)0)->filter), 0, 0, "\"ports\"",
		"what reaches the process: \"ports\" of the services, or \"addresses\", "
		"those that their hosts lead to by this machine's resolver"},
	{"tunnels", CONF_TEXT, offsetof(struct settings, tunnels),
		sizeof(((struct settings *)0)->tunnels), 0, 0, "\"\"",
		"tunnels to look into: some of gre,ipip,vxlan,geneve"},
	{"dns", CONF_BOOL, offsetof(struct settings, dns), 0, 0, 0, "true",
		"whether answers of DNS servers that pass by may tell whose a connection "
		"is; only names of the services are kept"},
	{"window", CONF_SPAN, offsetof(struct settings, window_us), 0, 1e6, 3600e6,
		"\"10 s\"", "length of an observation's window"},
	{"buffer_bytes", CONF_INT, offsetof(struct settings, buffer_bytes), 0, 1 << 18,
		1 << 30, "8388608", "the kernel's ring for packets, of each interface"},
	{"snaplen", CONF_INT, offsetof(struct settings, snaplen), 0, 128, 262144, "65536",
		"bytes kept of a packet; a TLS ClientHello needs about 2000"},
	{"flows", CONF_INT, offsetof(struct settings, flows), 0, 64, 1 << 24, "8192",
		"connections followed at once, 232 bytes each and more while needed (of "
		"the kernel's, 112)"},
	{0},
};

struct flow_watch {
	const struct log *log;
	struct socket_watch *sockets; /* instead of all that follows */
	struct live_capture *capture;
	struct meter *meter;
	const struct services *services;
	unsigned tunnels;
	bool dns;                  /* answers may tell names */
	struct address_book *book; /* of a filter by addresses, and */
	struct name_lookup *names; /* who keeps it */
	char interfaces[256];
	unsigned seconds;
	uint64_t unfollowed, unanswered; /* connections, as far as that was warned of */
	uv_timer_t timer;
	unsigned closing; /* parts that are not closed yet */
	void (*stopped)(void *arg);
	void *stopped_arg;
};

static void packet_captured(void *arg, const struct capture_packet *packet)
{
	struct flow_watch *watch = arg;

	meter_packet(watch->meter, packet->link_type, packet->at, packet->bytes,
		packet->captured, packet->wire_len);
}

static uint64_t unfollowed(const struct meter_counts *counts)
{
	return counts->evicted + counts->evicted_half_open + counts->refused_services;
}

/* Once a minute is enough to know of a flood, or that more should be followed. */
static void warn_of_pressure(struct flow_watch *watch)
{
	struct meter_counts counts;

	if (++watch->seconds % PRESSURE_SECONDS)
		return;
	meter_count(watch->meter, &counts);
	if (unfollowed(&counts) > watch->unfollowed)
		log_warn(watch->log, "flow",
			"%llu connections could not be followed this minute, %llu of "
			"them unanswered ones (a scan or flood of SYNs); \"flows\" "
			"bounds them",
			(unsigned long long)(unfollowed(&counts) - watch->unfollowed),
			(unsigned long long)(counts.evicted_half_open -
					     watch->unanswered));
	watch->unfollowed = unfollowed(&counts);
	watch->unanswered = counts.evicted_half_open;
}

static void second_passed(uv_timer_t *timer)
{
	struct flow_watch *watch = timer->data;

	live_capture_read(watch->capture);
	meter_advance(watch->meter, moment_plus_us(now_moment(), -SETTLE_US));
	warn_of_pressure(watch);
}

static int make_meter(struct flow_watch *watch, const struct source_env *env,
	const struct settings *settings, unsigned tunnels, struct fault *fault)
{
	struct meter_config config = {.window_us = settings->window_us,
		.pause_us =
			PAUSE_US > settings->window_us ? PAUSE_US : settings->window_us,
		.exact_ends = true,
		.flows = (uint32_t)settings->flows,
		.keeps_no_names = !settings->dns,
		.service_limit = SERVICES_LIMIT,
		.tunnels = tunnels,
		.emit = env->emit,
		.emit_arg = env->emit_arg};
	int rc = 0;

	if (getrandom(&config.seed, sizeof(config.seed), 0) < 0)
		rc = -errno;
	if (rc == 0)
		rc = meter_new(&watch->meter, &config, env->services);
	return rc ? fault_at(fault, rc, "", "%s", status_text(rc)) : 0;
}

static int open_capture(struct flow_watch *watch, const struct source_env *env,
	const struct settings *settings, struct fault *fault)
{
	char filter[CAPTURE_FILTER_MAX];
	struct live_capture_options capture = {.loop = env->loop,
		.log = env->log,
		.interfaces = watch->interfaces,
		.filter = capture_filter_build(
			filter, watch->services, watch->tunnels, watch->dns, watch->book),
		.buffer_bytes = (int)settings->buffer_bytes,
		.snaplen = (int)settings->snaplen,
		.patient = true,
		.each = packet_captured,
		.arg = watch};

	(void)snprintf(
		watch->interfaces, sizeof(watch->interfaces), "%s", settings->interface);
	return live_capture_open(&watch->capture, &capture, fault);
}

/* Addresses came or went. */
static void renew_filter(void *arg)
{
	struct flow_watch *watch = arg;
	char filter[CAPTURE_FILTER_MAX], text[1024];
	struct fault fault = {0};
	int rc = live_capture_set_filter(watch->capture,
		capture_filter_build(
			filter, watch->services, watch->tunnels, watch->dns, watch->book),
		&fault);

	if (rc)
		log_warn(watch->log, "flow", "%s; the old filter stays",
			fault_text(&fault, text, sizeof(text)));
	else
		log_debug(watch->log, "flow", "filter: %s", filter);
}

static int read_filter(
	struct flow_watch *watch, const struct settings *settings, struct fault *fault)
{
	int rc = 0;

	if (strcmp(settings->filter, "addresses") == 0)
		rc = address_book_new(&watch->book, watch->services);
	else if (strcmp(settings->filter, "ports") != 0)
		return fault_at(fault, STATUS_UNKNOWN, "flow.filter",
			"\"%s\" is neither ports nor addresses", settings->filter);
	return rc ? fault_at(fault, rc, "", "%s", status_text(rc)) : 0;
}

/* Until names are known their services' ports stay open; so they do for ever where there
 * is no memory to ask. */
static void look_names_up(struct flow_watch *watch, const struct source_env *env)
{
	if (watch->book)
		(void)name_lookup_open(&watch->names, env->loop, env->log,
			watch->services, watch->book, renew_filter, watch);
}

static void drop_watch(struct flow_watch *watch)
{
	meter_free(watch->meter);
	address_book_free(watch->book);
	free(watch);
}

static int read_tunnels(
	unsigned *out, const struct settings *settings, struct fault *fault)
{
	int rc = unwrap_parse_tunnels(out, settings->tunnels);

	if (rc)
		return fault_at(fault, rc, "flow.tunnels",
			"\"%s\" is no list of gre, ipip, vxlan and geneve",
			settings->tunnels);
	return 0;
}

static int start_packets(struct flow_watch *watch, const struct source_env *env,
	const struct settings *settings, struct fault *fault)
{
	int rc = read_tunnels(&watch->tunnels, settings, fault);

	if (rc == 0)
		rc = read_filter(watch, settings, fault);
	if (rc == 0)
		rc = make_meter(watch, env, settings, watch->tunnels, fault);
	if (rc == 0)
		rc = open_capture(watch, env, settings, fault);
	if (rc)
		return rc;
	(void)uv_timer_init(env->loop, &watch->timer);
	watch->timer.data = watch;
	(void)uv_timer_start(&watch->timer, second_passed, TICK_MS, TICK_MS);
	meter_advance(watch->meter, now_moment());
	look_names_up(watch, env);
	return 0;
}

static int start_sockets(struct flow_watch *watch, const struct source_env *env,
	const struct settings *settings, struct fault *fault)
{
	struct socket_watch_options sockets = {.loop = env->loop,
		.log = env->log,
		.services = env->services,
		.window_us = settings->window_us,
		.sockets = (unsigned)settings->flows,
		.service_limit = SERVICES_LIMIT,
		.emit = env->emit,
		.emit_arg = env->emit_arg};

	return socket_watch_open(&watch->sockets, &sockets, fault);
}

/* Without the privilege there is less to be known, but not nothing. */
static int start_either(struct flow_watch *watch, const struct source_env *env,
	const struct settings *settings, struct fault *fault)
{
	int rc = start_packets(watch, env, settings, fault);

	if (rc != -EPERM)
		return rc;
	rc = start_sockets(watch, env, settings, fault);
	if (rc)
		return rc;
	log_warn(env->log, "flow",
		"capturing is not allowed (no CAP_NET_RAW): connections, round trips and "
		"failures are those that the kernel counts, requests are not known");
	return 0;
}

static int start_by_method(struct flow_watch *watch, const struct source_env *env,
	const struct settings *settings, struct fault *fault)
{
	if (strcmp(settings->method, "auto") == 0)
		return start_either(watch, env, settings, fault);
	if (strcmp(settings->method, "packets") == 0)
		return start_packets(watch, env, settings, fault);
	if (strcmp(settings->method, "kernel") == 0)
		return start_sockets(watch, env, settings, fault);
	return fault_at(fault, STATUS_UNKNOWN, "flow.method",
		"\"%s\" is not one of auto, packets and kernel", settings->method);
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
	watch->services = env->services;
	watch->dns = ((const struct settings *)settings)->dns;
	rc = start_by_method(watch, env, settings, fault);
	if (rc) {
		drop_watch(watch);
		return rc;
	}
	*out = watch;
	return 0;
}

static void add(int64_t *into, uint64_t count)
{
	*into = (*into == OBS_ABSENT ? 0 : *into) + (int64_t)count;
}

static void report(void *source, struct obs_health *health)
{
	struct flow_watch *watch = source;
	struct live_capture_counts counts;
	struct meter_counts measured;

	if (watch->sockets)
		return;
	live_capture_count(watch->capture, &counts);
	add(&health->captured_packets, counts.received);
	add(&health->capture_drops, counts.dropped);
	meter_count(watch->meter, &measured);
	add(&health->unfollowed_connections, unfollowed(&measured));
}

static void part_closed(void *arg)
{
	struct flow_watch *watch = arg;

	if (--watch->closing > 0)
		return;
	watch->stopped(watch->stopped_arg);
	drop_watch(watch);
}

static void timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
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

static void log_unheard(const struct flow_watch *watch)
{
	struct socket_watch_counts counts;

	socket_watch_count(watch->sockets, &counts);
	log_info(watch->log, "flow",
		"stopped; %llu connections found no room, %llu were to an address of "
		"several "
		"services, %llu times the kernel's news were lost",
		(unsigned long long)counts.meter.refused_sockets,
		(unsigned long long)counts.meter.shared, (unsigned long long)counts.lost);
}

static void last_came(uv_timer_t *timer)
{
	struct flow_watch *watch = timer->data;

	live_capture_drain(watch->capture);
	meter_advance(watch->meter, now_moment());
	meter_finish(watch->meter);
	log_losses(watch);
	watch->closing = watch->names ? 3 : 2;
	if (watch->names)
		name_lookup_close(watch->names, part_closed, watch);
	uv_close((uv_handle_t *)&watch->timer, timer_closed);
	live_capture_close(watch->capture, part_closed, watch);
}

static void stop(void *source, void (*stopped)(void *arg), void *arg)
{
	struct flow_watch *watch = source;

	watch->stopped = stopped;
	watch->stopped_arg = arg;
	if (watch->sockets) {
		log_unheard(watch);
		watch->closing = 1;
		socket_watch_close(watch->sockets, part_closed, watch);
		return;
	}
	(void)uv_timer_start(&watch->timer, last_came, LIVE_CAPTURE_LAG_MS, 0);
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
