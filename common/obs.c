#include "astray/obs.h"

#include <stddef.h>
#include <string.h>

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const kind_texts[] = {
	[OBS_HELLO] = "hello",
	[OBS_TRAFFIC] = "traffic",
	[OBS_CHECK] = "check",
	[OBS_TRACE] = "trace",
	[OBS_DNS] = "dns",
	[OBS_REGISTRY] = "registry",
	[OBS_HEALTH] = "health",
	[OBS_MAINTENANCE] = "maintenance",
	[OBS_ACKNOWLEDGE] = "acknowledge",
};
static const char *const role_texts[] = {[OBS_ENDPOINT] = "endpoint",
	[OBS_GATEWAY] = "gateway",
	[OBS_SENTINEL] = "sentinel"};
static const char *const error_texts[] = {
	[OBS_CHECK_OK] = "ok",
	[OBS_CHECK_DNS] = "dns",
	[OBS_CHECK_REFUSED] = "refused",
	[OBS_CHECK_TIMEOUT] = "timeout",
	[OBS_CHECK_RESET] = "reset",
	[OBS_CHECK_UNREACHABLE] = "unreachable",
	[OBS_CHECK_TLS] = "tls",
	[OBS_CHECK_HTTP] = "http",
};
static const char *const protocol_texts[] = {
	[OBS_TCP] = "tcp", [OBS_UDP] = "udp", [OBS_ICMP] = "icmp"};
static const char *const unreachable_texts[] = {
	[OBS_REACHABLE] = "",
	[OBS_NETWORK] = "network",
	[OBS_HOST] = "host",
	[OBS_NO_PROTOCOL] = "protocol",
	[OBS_NO_PORT] = "port",
	[OBS_FRAGMENTATION] = "fragmentation",
	[OBS_PROHIBITED] = "prohibited",
	[OBS_OTHER_REASON] = "other",
};
static const char *const dns_role_texts[] = {[OBS_RESOLVER] = "resolver",
	[OBS_AUTHORITY] = "authority",
	[OBS_PARENT] = "parent"};
static const char *const method_texts[] = {
	[OBS_PACKETS] = "packets", [OBS_KERNEL] = "kernel"};
static const char *const naming_texts[] = {
	"server_name", "host", "certificate", "dns", "address", "others"};

static const char *const sketch_texts[] = {
	[OBS_CONNECT] = "connect_us",
	[OBS_RESPONSE] = "response_us",
	[OBS_LAST_BYTE] = "last_byte_us",
	[OBS_THINK] = "think_us",
	[OBS_TLS] = "tls_us",
	[OBS_RTT] = "rtt_us",
	[OBS_CLIENT_CONNECT] = "client_connect_us",
};

const char *obs_kind_text(enum obs_kind kind)
{
	return (unsigned)kind < ARRAY_COUNT(kind_texts) ? kind_texts[kind] : "";
}

const char *obs_role_text(enum obs_role role)
{
	return (unsigned)role < ARRAY_COUNT(role_texts) ? role_texts[role] : "";
}

const char *obs_check_error_text(enum obs_check_error error)
{
	return (unsigned)error < ARRAY_COUNT(error_texts) ? error_texts[error] : "";
}

const char *obs_protocol_text(enum obs_protocol protocol)
{
	return (unsigned)protocol < ARRAY_COUNT(protocol_texts) ? protocol_texts[protocol]
								: "";
}

const char *obs_unreachable_text(enum obs_unreachable why)
{
	return (unsigned)why < ARRAY_COUNT(unreachable_texts) ? unreachable_texts[why]
							      : "";
}

const char *obs_dns_role_text(enum obs_dns_role role)
{
	return (unsigned)role < ARRAY_COUNT(dns_role_texts) ? dns_role_texts[role] : "";
}

const char *obs_method_text(enum obs_method method)
{
	return (unsigned)method < ARRAY_COUNT(method_texts) ? method_texts[method] : "";
}

const char *obs_status_class_text(int status_class)
{
	static const char *const texts[OBS_STATUS_CLASSES] = {
		"1xx", "2xx", "3xx", "4xx", "5xx"};

	return (unsigned)status_class < OBS_STATUS_CLASSES ? texts[status_class] : "";
}

const char *obs_naming_text(enum obs_naming naming)
{
	return (unsigned)naming < ARRAY_COUNT(naming_texts) ? naming_texts[naming] : "";
}

const char *obs_sketch_text(enum obs_sketch which)
{
	return (unsigned)which < ARRAY_COUNT(sketch_texts) ? sketch_texts[which] : "";
}

static void init_traffic(struct obs_traffic *traffic)
{
	traffic->window_us = OBS_ABSENT;
	traffic->service[0] = '\0';
	traffic->method = OBS_PACKETS;
	traffic->connections = traffic->refused = traffic->timed_out = OBS_ABSENT;
	traffic->reset = traffic->tls_failed = OBS_ABSENT;
	traffic->requests = traffic->responses = traffic->errors = OBS_ABSENT;
	traffic->untimed = traffic->multiplexed = traffic->estimated = OBS_ABSENT;
	traffic->sent_bytes = traffic->received_bytes = OBS_ABSENT;
	traffic->retransmits = traffic->lost_packets = OBS_ABSENT;
	memset(traffic->statuses, 0, sizeof(traffic->statuses));
	memset(traffic->named_by, 0, sizeof(traffic->named_by));
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		sketch_init(&traffic->sketches[i]);
	traffic->peer_count = 0;
}

static void init_check(struct obs_check *check)
{
	*check = (struct obs_check){.dns_us = OBS_ABSENT,
		.connect_us = OBS_ABSENT,
		.tls_us = OBS_ABSENT,
		.first_byte_us = OBS_ABSENT,
		.total_us = OBS_ABSENT,
		.status = OBS_ABSENT};
}

static void init_trace(struct obs_trace *trace)
{
	memset(trace, 0, offsetof(struct obs_trace, hops));
	trace->port = trace->flow = OBS_ABSENT;
}

static void init_dns(struct obs_dns *dns)
{
	memset(dns, 0, offsetof(struct obs_dns, answers));
	dns->rtt_us = OBS_ABSENT;
}

static void init_health(struct obs_health *health)
{
	*health = (struct obs_health){.cpu_us = OBS_ABSENT,
		.rss_bytes = OBS_ABSENT,
		.spooled_batches = OBS_ABSENT,
		.spooled_bytes = OBS_ABSENT,
		.dropped_observations = OBS_ABSENT,
		.captured_packets = OBS_ABSENT,
		.capture_drops = OBS_ABSENT,
		.unfollowed_connections = OBS_ABSENT};
}

void obs_init(struct obs *obs, enum obs_kind kind, struct moment at)
{
	obs->kind = kind;
	obs->at = at;
	switch (kind) {
	case OBS_HELLO:
		obs->hello = (struct obs_hello){0};
		break;
	case OBS_TRAFFIC:
		init_traffic(&obs->traffic);
		break;
	case OBS_CHECK:
		init_check(&obs->check);
		break;
	case OBS_TRACE:
		init_trace(&obs->trace);
		break;
	case OBS_DNS:
		init_dns(&obs->dns);
		break;
	case OBS_REGISTRY:
		obs->registry = (struct obs_registry){0};
		break;
	case OBS_HEALTH:
		init_health(&obs->health);
		break;
	case OBS_MAINTENANCE:
		obs->maintenance = (struct obs_maintenance){0};
		break;
	case OBS_ACKNOWLEDGE:
		obs->acknowledge = (struct obs_acknowledge){0};
		break;
	case OBS_KINDS:
		break;
	}
}

size_t obs_held_bytes(const struct obs *obs)
{
	switch (obs->kind) {
	case OBS_HELLO:
		return offsetof(struct obs, hello) + sizeof(obs->hello);
	case OBS_TRAFFIC:
		return offsetof(struct obs, traffic) + sizeof(obs->traffic);
	case OBS_CHECK:
		return offsetof(struct obs, check) + sizeof(obs->check);
	case OBS_TRACE:
		return offsetof(struct obs, trace.hops) +
		       obs->trace.hop_count * sizeof(obs->trace.hops[0]);
	case OBS_DNS:
		return offsetof(struct obs, dns) + sizeof(obs->dns);
	case OBS_REGISTRY:
		return offsetof(struct obs, registry) + sizeof(obs->registry);
	case OBS_HEALTH:
		return offsetof(struct obs, health) + sizeof(obs->health);
	case OBS_MAINTENANCE:
		return offsetof(struct obs, maintenance) + sizeof(obs->maintenance);
	case OBS_ACKNOWLEDGE:
		return offsetof(struct obs, acknowledge) + sizeof(obs->acknowledge);
	case OBS_KINDS:
		break;
	}
	return sizeof(*obs);
}

const char *obs_service(const struct obs *obs)
{
	switch (obs->kind) {
	case OBS_TRAFFIC:
		return obs->traffic.service;
	case OBS_CHECK:
		return obs->check.service;
	case OBS_TRACE:
		return obs->trace.service;
	case OBS_DNS:
		return obs->dns.service;
	case OBS_MAINTENANCE:
		return obs->maintenance.service;
	case OBS_HELLO:
	case OBS_REGISTRY:
	case OBS_HEALTH:
	case OBS_ACKNOWLEDGE:
	case OBS_KINDS:
		break;
	}
	return "";
}
