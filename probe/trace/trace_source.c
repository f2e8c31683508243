#include "trace_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

#include "astray/status.h"
#include "host_addresses.h"
#include "naming.h"
#include "path.h"
#include "trace_record.h"
#include "tracer.h"

#define TRACES_MAX 4096
#define FLOWS_MAX 64
#define PORT_UNSAID 443
#define DISTANCES 8 /* remembered for each service */
/* Names are waited for so long: a place that comes from them is not to be another one in
 * the next round. */
#define NAMES_WAIT_US (3 * MOMENT_SECOND_US)
#define NAMELESS_MAX 64 /* traces that wait for names at once */
/* Probes that were started together do not all begin at once. */
#define JITTER_SHARE 10
#define JITTER_MAX_MS 5000

struct settings {
	char protocol[8];
	int64_t interval_us, max_ttl, queries, flows, rate, peer_rate, router_rate;
	bool names;
};

static const struct conf_option options[] = {
	{"interval", CONF_SPAN, offsetof(struct settings, interval_us), 0, 1e6, 86400e6,
		"\"1 min\"", "from one round of traces to the next"},
	{"protocol", CONF_TEXT, offsetof(struct settings, protocol),
		sizeof(((struct settings *)0)->protocol), 0, 0, "\"tcp\"",
		"\"tcp\" (SYNs to the service's port), \"udp\" or \"icmp\""},
	{"max_ttl", CONF_INT, offsetof(struct settings, max_ttl), 0, 1, PATH_TTL_MAX,
		"30", "hops at most"},
	{"queries", CONF_INT, offsetof(struct settings, queries), 0, 1, PATH_QUERIES_MAX,
		"2", "answers wanted of each hop"},
	{"flows", CONF_INT, offsetof(struct settings, flows), 0, 1, FLOWS_MAX, "4",
		"how many of several equal ways are followed, one each round"},
	{"rate", CONF_INT, offsetof(struct settings, rate), 0, 1, 1000000, "500",
		"packets a second at most, in all"},
	{"peer_rate", CONF_INT, offsetof(struct settings, peer_rate), 0, 1, 1000000,
		"100", "of them towards one address"},
	{"router_rate", CONF_INT, offsetof(struct settings, router_rate), 0, 1, 1000000,
		"50", "of them to one router: the first hops are the same for many"},
	{"names", CONF_BOOL, offsetof(struct settings, names), 0, 0, 0, "true",
		"ask the resolver for routers' names, which tell where they stand"},
	{0},
};

struct trace_watch;

/* How far an address was, last time. */
struct distance {
	struct address peer;
	unsigned length;
};

/* One service, as the argument of its callbacks. */
struct watched {
	struct trace_watch *watch;
	const struct service *service;
	uint16_t flow;    /* of this round */
	unsigned pending; /* its lookup and its traces that are under way */
	struct distance known[DISTANCES];
	unsigned oldest; /* of these, to be replaced next */
};

struct trace_watch {
	struct source_env env;
	struct settings settings;
	enum obs_protocol protocol;
	struct tracer *tracer;
	struct host_addresses *hosts_asked;
	struct naming *naming; /* NULL: names are not wanted */
	uint64_t nameless;     /* addresses without room, as was said last */
	struct obs *obs;       /* too large for a stack */
	uv_timer_t timer;
	uint64_t round;
	unsigned closing; /* parts that are still to go */
	void (*stopped)(void *arg);
	void *stopped_arg;
	struct watched services[];
};

static void drop_watch(struct trace_watch *watch)
{
	free(watch->obs);
	free(watch);
}

static void part_gone(void *arg)
{
	struct trace_watch *watch = arg;

	if (--watch->closing > 0)
		return;
	watch->stopped(watch->stopped_arg);
	drop_watch(watch);
}

static void complain(const struct trace_watch *watch, const struct service *service,
	const char *what, int rc)
{
	char interval[MOMENT_TEXT];

	log_warn(watch->env.log, "trace", "%s: %s: %s, next try in %s", service->name,
		what, status_text(rc),
		moment_span_text(watch->settings.interval_us, interval));
}

static struct distance *find_distance(struct watched *watched, const struct address *peer)
{
	for (unsigned i = 0; i < DISTANCES; i++)
		if (address_equal(&watched->known[i].peer, peer))
			return &watched->known[i];
	return NULL;
}

static void remember_distance(struct watched *watched, const struct tracer_result *result)
{
	struct distance *distance = find_distance(watched, &result->order.peer);

	if (!distance) {
		distance = &watched->known[watched->oldest];
		watched->oldest = (watched->oldest + 1) % DISTANCES;
	}
	distance->peer = result->order.peer;
	distance->length = path_is_reached(result->path) ? path_length(result->path) : 0;
}

static void emit(void *arg, struct obs *obs)
{
	const struct trace_watch *watch = arg;

	trace_record_place(obs, watch->env.geo, watch->env.here);
	watch->env.emit(watch->env.emit_arg, obs);
}

static void trace_ended(void *arg, const struct tracer_result *result)
{
	struct watched *watched = arg;
	struct trace_watch *watch = watched->watch;
	char peer[ADDRESS_TEXT];

	watched->pending--;
	if (result->rc)
		complain(watch, watched->service, address_text(&result->order.peer, peer),
			result->rc);
	remember_distance(watched, result);
	trace_record_fill(watch->obs, result->at, watched->service->name, &result->order,
		result->path, watch->env.geo, watch->env.here);
	if (watch->naming)
		naming_add(watch->naming, watch->obs, emit, watch);
	else
		watch->env.emit(watch->env.emit_arg, watch->obs);
}

static void start_trace(struct watched *watched, const struct address *peer)
{
	struct trace_watch *watch = watched->watch;
	const struct service *service = watched->service;
	const struct distance *distance = find_distance(watched, peer);
	struct trace_order order = {.peer = *peer,
		.protocol = watch->protocol,
		.flow = watched->flow,
		.max_ttl = (unsigned)watch->settings.max_ttl,
		.queries = (unsigned)watch->settings.queries,
		.likely_length = distance ? distance->length : 0};
	char text[ADDRESS_TEXT];
	int rc;

	if (order.protocol != OBS_ICMP)
		order.port = service->port_count ? service->ports[0] : PORT_UNSAID;
	rc = tracer_start(watch->tracer, &order, trace_ended, watched);
	if (rc)
		complain(watch, service, address_text(peer, text), rc);
	else
		watched->pending++;
}

static bool is_configured(const struct service *service, const struct address *address)
{
	for (unsigned i = 0; i < service->address_count; i++)
		if (address_equal(&service->addresses[i], address))
			return true;
	return false;
}

/* The first that is a host, not a pattern of many. */
static const char *host_of(const struct service *service)
{
	for (unsigned i = 0; i < service->host_count; i++)
		if (service->hosts[i][0] != '*')
			return service->hosts[i];
	return NULL;
}

static void host_found(void *arg, int rc, const struct address *addresses, unsigned count)
{
	struct watched *watched = arg;
	struct trace_watch *watch = watched->watch;

	watched->pending--;
	if (rc)
		complain(watch, watched->service, host_of(watched->service), rc);
	for (unsigned i = 0; i < count; i++)
		if (!is_configured(watched->service, &addresses[i]))
			start_trace(watched, &addresses[i]);
}

static void look_up(struct watched *watched, const char *host)
{
	struct trace_watch *watch = watched->watch;
	int rc = host_addresses_find(watch->hosts_asked, host, 0, host_found, watched);

	if (rc) {
		complain(watch, watched->service, host, rc);
		return;
	}
	watched->pending++;
}

static void begin_service(struct watched *watched)
{
	const struct service *service = watched->service;
	const struct trace_watch *watch = watched->watch;
	const char *host = host_of(service);

	watched->flow = (uint16_t)(watch->round % (uint64_t)watch->settings.flows);
	for (unsigned i = 0; i < service->address_count; i++)
		start_trace(watched, &service->addresses[i]);
	if (host)
		look_up(watched, host);
}

static void report_nameless(struct trace_watch *watch)
{
	uint64_t unkept = watch->naming ? naming_count(watch->naming).unkept : 0;

	if (unkept == watch->nameless)
		return;
	log_warn(watch->env.log, "trace",
		"%llu addresses have no name, for want of room: their places may be "
		"wrong",
		(unsigned long long)(unkept - watch->nameless));
	watch->nameless = unkept;
}

/* A service that is slow, or whose name is, holds up no other. */
static void round_begins(uv_timer_t *timer)
{
	struct trace_watch *watch = timer->data;

	for (size_t i = 0; i < watch->env.services->count; i++) {
		struct watched *watched = &watch->services[i];

		if (watched->pending == 0)
			begin_service(watched);
		else
			log_warn(watch->env.log, "trace",
				"%s: its last round is under way still, this one is left "
				"out",
				watched->service->name);
	}
	watch->round++;
	report_nameless(watch);
}

static int read_protocol(
	enum obs_protocol *out, const struct settings *settings, struct fault *fault)
{
	for (*out = OBS_TCP; *out <= OBS_ICMP; (*out)++)
		if (strcmp(settings->protocol, obs_protocol_text(*out)) == 0)
			return 0;
	return fault_at(fault, STATUS_UNKNOWN, "protocol",
		"\"%s\" is none of tcp, udp and icmp", settings->protocol);
}

static struct trace_watch *make_watch(
	const struct source_env *env, const struct settings *settings)
{
	size_t count = env->services->count;
	struct trace_watch *watch =
		calloc(1, sizeof(*watch) + count * sizeof(watch->services[0]));

	if (!watch)
		return NULL;
	watch->env = *env;
	watch->settings = *settings;
	watch->obs = malloc(sizeof(*watch->obs));
	for (size_t i = 0; i < count; i++)
		watch->services[i] = (struct watched){
			.watch = watch, .service = &env->services->list[i]};
	if (watch->obs)
		return watch;
	free(watch);
	return NULL;
}

static void start_rounds(struct trace_watch *watch)
{
	uint64_t interval_ms = (uint64_t)watch->settings.interval_us / 1000;
	uint64_t jitter_ms = interval_ms / JITTER_SHARE;
	uint32_t number = 0;

	if (jitter_ms > JITTER_MAX_MS)
		jitter_ms = JITTER_MAX_MS;
	if (getrandom(&number, sizeof(number), 0) < 0)
		number = (uint32_t)getpid();
	/* Neither fails with a loop and a callback. */
	(void)uv_timer_init(watch->env.loop, &watch->timer);
	watch->timer.data = watch;
	(void)uv_timer_start(
		&watch->timer, round_begins, number % (jitter_ms + 1), interval_ms);
}

static int start(void **out, const struct source_env *env, const void *settings_read,
	struct fault *fault)
{
	const struct settings *settings = settings_read;
	struct tracer_limits limits = {.rate = settings->rate,
		.peer_rate = settings->peer_rate,
		.router_rate = settings->router_rate,
		.traces = TRACES_MAX};
	struct trace_watch *watch;
	int rc;

	*out = NULL;
	watch = make_watch(env, settings);
	if (!watch)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	rc = read_protocol(&watch->protocol, settings, fault);
	if (rc == 0)
		rc = tracer_open(&watch->tracer, env->loop, &limits, fault);
	if (rc)
		goto fail;
	rc = host_addresses_open(&watch->hosts_asked, env->loop);
	if (rc) {
		tracer_close(watch->tracer, NULL, NULL);
		(void)fault_at(fault, rc, "", "%s", status_text(rc));
		goto fail;
	}
	if (settings->names)
		rc = naming_open(
			&watch->naming, env->loop, NULL, NAMES_WAIT_US, NAMELESS_MAX);
	if (rc) /* without names, then */
		log_warn(env->log, "trace", "names of routers: %s", status_text(rc));
	if (!tracer_is_privileged(watch->tracer))
		log_warn(env->log, "trace", "without CAP_NET_RAW: by %s",
			tracer_way(watch->tracer, 4, watch->protocol));
	start_rounds(watch);
	*out = watch;
	return 0;

fail:
	drop_watch(watch);
	return rc;
}

static void report(void *source, struct obs_health *health)
{
	const struct trace_watch *watch = source;
	int64_t dropped = (int64_t)tracer_count(watch->tracer).dropped;

	health->capture_drops =
		dropped +
		(health->capture_drops == OBS_ABSENT ? 0 : health->capture_drops);
}

static void log_counts(const struct trace_watch *watch)
{
	struct tracer_counts counts = tracer_count(watch->tracer);
	struct naming_counts names =
		watch->naming ? naming_count(watch->naming) : (struct naming_counts){0};

	log_info(watch->env.log, "trace",
		"stopped after %llu rounds; %llu packets sent, %llu received: %llu of "
		"them no answers, %llu malformed, %llu duplicates, %llu from too many "
		"addresses; the kernel had no room for %llu; %llu traces went on before "
		"all names were there",
		(unsigned long long)watch->round, (unsigned long long)counts.sent,
		(unsigned long long)counts.received, (unsigned long long)counts.foreign,
		(unsigned long long)counts.malformed,
		(unsigned long long)counts.duplicate, (unsigned long long)counts.unlisted,
		(unsigned long long)counts.dropped,
		(unsigned long long)(names.late + names.full));
}

static void timer_closed(uv_handle_t *handle)
{
	part_gone(handle->data);
}

static void stop(void *source, void (*stopped)(void *arg), void *arg)
{
	struct trace_watch *watch = source;

	log_counts(watch);
	watch->stopped = stopped;
	watch->stopped_arg = arg;
	watch->closing = 3 + (watch->naming ? 1u : 0u);
	uv_close((uv_handle_t *)&watch->timer, timer_closed);
	tracer_close(watch->tracer, part_gone, watch);
	host_addresses_close(watch->hosts_asked, part_gone, watch);
	naming_close(watch->naming, part_gone, watch);
}

const struct source_kind trace_source = {
	.name = "trace",
	.help = "the paths to the services, hop by hop with times and places",
	.options = options,
	.settings_size = sizeof(struct settings),
	.start = start,
	.report = report,
	.stop = stop,
};
