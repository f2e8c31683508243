#include "astray/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "astray/json.h"
#include "astray/status.h"
#include "wire_parts.h"

/* Absent stays absent. */
static void put_int(struct json *into, const char *key, int64_t value)
{
	if (value != OBS_ABSENT)
		json_add_int(into, key, value);
}

static void put_text(struct json *into, const char *key, const char *value)
{
	if (value[0])
		json_add_text(into, key, value);
}

static void put_address(struct json *into, const char *key, const struct address *address)
{
	char text[ADDRESS_TEXT];

	if (address->family)
		json_add_text(into, key, address_text(address, text));
}

static void put_date(struct json *into, const char *key, struct moment at)
{
	char text[MOMENT_TEXT];

	if (at.us)
		json_add_text(into, key, moment_text(at, false, text));
}

static void put_place(struct json *into, const struct place *place)
{
	struct json *object;

	if (!place_is_known(place))
		return;
	object = json_add_object(into, "place");
	put_text(object, "country", place->country);
	put_text(object, "city", place->city);
	if (place->located) {
		json_add_double(object, "latitude", place->latitude);
		json_add_double(object, "longitude", place->longitude);
	}
	if (place->asn)
		json_add_int(object, "asn", place->asn);
	put_text(object, "org", place->org);
	put_text(object, "source", wire_parts_source_word((int)place->source));
	json_add_text(object, "verdict", wire_parts_verdict_word((int)place->verdict));
}

static void put_hello(struct json *into, const struct obs *obs)
{
	const struct obs_hello *hello = &obs->hello;
	struct json *object;

	json_add_text(into, "version", hello->version);
	json_add_text(into, "role", obs_role_text(hello->role));
	if (hello->label_count) {
		object = json_add_object(into, "labels");
		for (unsigned i = 0; i < hello->label_count; i++)
			json_add_text(
				object, hello->labels[i].key, hello->labels[i].value);
	}
	if (hello->networked) {
		object = json_add_object(into, "network");
		if (hello->network_asn)
			json_add_int(object, "asn", hello->network_asn);
		put_text(object, "country", hello->network_country);
	}
}

static void put_sketch(struct json *into, const char *key, const struct sketch *sketch)
{
	struct json *object, *counts;

	if (sketch_is_empty(sketch))
		return;
	object = json_add_object(into, key);
	json_add_int(object, "scale", sketch->scale);
	json_add_int(object, "offset", sketch->used ? sketch->offset : 0);
	counts = json_add_array(object, "counts");
	for (unsigned i = 0; i < sketch->used; i++)
		json_add_int(counts, NULL, (int64_t)sketch->counts[i]);
	json_add_int(object, "zeros", (int64_t)sketch->zeros);
	json_add_double(object, "sum", sketch->sum);
	json_add_double(object, "min", sketch->min);
	json_add_double(object, "max", sketch->max);
}

static void put_peers(struct json *into, const struct obs_traffic *traffic)
{
	struct json *object;
	char text[ADDRESS_TEXT];

	if (!traffic->peer_count)
		return;
	object = json_add_object(into, "peers");
	for (unsigned i = 0; i < traffic->peer_count; i++)
		json_add_int(object, address_text(&traffic->peers[i].address, text),
			traffic->peers[i].requests);
}

/* Where all are 0, nothing stands. */
static void put_kinds(struct json *into, const char *key, const int64_t *counts,
	int kinds, const char *(*text)(int kind))
{
	struct json *object = NULL;

	for (int i = 0; i < kinds; i++) {
		if (counts[i] == 0)
			continue;
		if (!object)
			object = json_add_object(into, key);
		json_add_int(object, text(i), counts[i]);
	}
}

static const char *naming_word(int naming)
{
	return obs_naming_text((enum obs_naming)naming);
}

static void put_traffic(struct json *into, const struct obs *obs)
{
	const struct obs_traffic *traffic = &obs->traffic;

	json_add_int(into, "window_us", traffic->window_us);
	json_add_text(into, "service", traffic->service);
	if (traffic->method != OBS_PACKETS)
		json_add_text(into, "method", obs_method_text(traffic->method));
	put_int(into, "connections", traffic->connections);
	put_int(into, "refused", traffic->refused);
	put_int(into, "timed_out", traffic->timed_out);
	put_int(into, "reset", traffic->reset);
	put_int(into, "tls_failed", traffic->tls_failed);
	put_int(into, "requests", traffic->requests);
	put_int(into, "responses", traffic->responses);
	put_int(into, "errors", traffic->errors);
	put_int(into, "untimed", traffic->untimed);
	put_int(into, "multiplexed", traffic->multiplexed);
	put_int(into, "estimated", traffic->estimated);
	put_int(into, "sent_bytes", traffic->sent_bytes);
	put_int(into, "received_bytes", traffic->received_bytes);
	put_int(into, "retransmits", traffic->retransmits);
	put_int(into, "lost_packets", traffic->lost_packets);
	put_kinds(into, "statuses", traffic->statuses, OBS_STATUS_CLASSES,
		obs_status_class_text);
	put_kinds(into, "named_by", traffic->named_by, OBS_NAMINGS, naming_word);
	for (int i = 0; i < OBS_SKETCHES; i++)
		put_sketch(
			into, obs_sketch_text((enum obs_sketch)i), &traffic->sketches[i]);
	put_peers(into, traffic);
}

static void put_chain(struct json *into, const struct obs_certificate *tls)
{
	struct json *list, *object;

	if (!tls->chain_count)
		return;
	list = json_add_array(into, "chain");
	for (unsigned i = 0; i < tls->chain_count; i++) {
		object = json_add_object(list, NULL);
		put_text(object, "subject", tls->chain[i].subject);
		put_text(object, "spki_sha256", tls->chain[i].spki_sha256);
	}
}

static void put_names(struct json *into, const struct obs_certificate *tls)
{
	struct json *list;

	if (tls->names_in_all)
		json_add_int(into, "names_in_all", tls->names_in_all);
	if (!tls->name_count)
		return;
	list = json_add_array(into, "names");
	for (unsigned i = 0; i < tls->name_count; i++)
		json_add_text(list, NULL, tls->names[i]);
}

static void put_certificate(struct json *into, const struct obs_certificate *tls)
{
	struct json *object;

	if (!tls->present)
		return;
	object = json_add_object(into, "tls");
	put_text(object, "version", tls->version);
	put_text(object, "issuer", tls->issuer);
	put_text(object, "subject", tls->subject);
	put_text(object, "spki_sha256", tls->spki_sha256);
	put_date(object, "not_before", tls->not_before);
	put_date(object, "not_after", tls->not_after);
	json_add_bool(object, "verified", tls->verified);
	put_chain(object, tls);
	put_names(object, tls);
}

static void put_check(struct json *into, const struct obs *obs)
{
	const struct obs_check *check = &obs->check;

	json_add_text(into, "service", check->service);
	json_add_text(into, "url", check->url);
	put_address(into, "peer", &check->peer);
	put_int(into, "dns_us", check->dns_us);
	put_int(into, "connect_us", check->connect_us);
	put_int(into, "tls_us", check->tls_us);
	put_int(into, "first_byte_us", check->first_byte_us);
	put_int(into, "total_us", check->total_us);
	put_int(into, "status", check->status);
	if (check->error == OBS_CHECK_OK)
		json_add_null(into, "error");
	else
		json_add_text(into, "error", obs_check_error_text(check->error));
	put_text(into, "error_text", check->error_text);
	put_certificate(into, &check->tls);
}

static void put_mpls(struct json *into, const struct obs_hop *hop)
{
	struct json *list, *object;

	if (!hop->mpls_count)
		return;
	list = json_add_array(into, "mpls");
	for (unsigned i = 0; i < hop->mpls_count; i++) {
		object = json_add_object(list, NULL);
		json_add_int(object, "label", hop->mpls[i].label);
		json_add_int(object, "tc", hop->mpls[i].tc);
		json_add_int(object, "s", hop->mpls[i].s);
		json_add_int(object, "ttl", hop->mpls[i].ttl);
	}
}

/* What seldom stands out. */
static void put_remarks(struct json *into, const struct obs_hop *hop)
{
	if (hop->unreachable)
		json_add_text(
			into, "unreachable", obs_unreachable_text(hop->unreachable));
	if (hop->nat)
		json_add_bool(into, "nat", true);
	if (hop->reply_ttl)
		json_add_int(into, "reply_ttl", hop->reply_ttl);
	if (hop->ttl_odd)
		json_add_int(into, "quoted_ttl", hop->quoted_ttl);
	if (hop->quoted_tos)
		json_add_int(into, "quoted_tos", hop->quoted_tos);
	if (hop->mtu)
		json_add_int(into, "mtu", hop->mtu);
}

static void put_hop(struct json *into, const struct obs_hop *hop)
{
	json_add_int(into, "ttl", hop->ttl);
	json_add_int(into, "sent", hop->sent);
	json_add_int(into, "answered", hop->answered);
	put_address(into, "address", &hop->address);
	put_int(into, "rtt_us", hop->rtt_us);
	put_text(into, "name", hop->name);
	put_mpls(into, hop);
	put_remarks(into, hop);
	put_place(into, &hop->place);
}

static void put_trace(struct json *into, const struct obs *obs)
{
	const struct obs_trace *trace = &obs->trace;
	struct json *hops;

	json_add_text(into, "service", trace->service);
	put_address(into, "peer", &trace->peer);
	json_add_text(into, "protocol", obs_protocol_text(trace->protocol));
	put_int(into, "port", trace->port);
	put_int(into, "flow", trace->flow);
	json_add_bool(into, "reached", trace->reached);
	if (trace->mtu)
		json_add_int(into, "mtu", trace->mtu);
	hops = json_add_array(into, "hops");
	for (unsigned i = 0; i < trace->hop_count; i++)
		put_hop(json_add_object(hops, NULL), &trace->hops[i]);
}

static void put_dns(struct json *into, const struct obs *obs)
{
	const struct obs_dns *dns = &obs->dns;
	struct json *answers, *object;

	json_add_text(into, "service", dns->service);
	json_add_text(into, "name", dns->name);
	json_add_text(into, "type", dns->type);
	json_add_text(into, "role", obs_dns_role_text(dns->role));
	put_address(into, "server", &dns->server);
	json_add_text(into, "rcode", dns->rcode);
	answers = json_add_array(into, "answers");
	for (unsigned i = 0; i < dns->answer_count; i++) {
		object = json_add_object(answers, NULL);
		json_add_text(object, "data", dns->answers[i].data);
		put_int(object, "ttl", dns->answers[i].ttl);
		put_place(object, &dns->answers[i].place);
	}
	json_add_bool(into, "authoritative", dns->authoritative);
	json_add_bool(into, "validated", dns->validated);
	put_int(into, "rtt_us", dns->rtt_us);
}

static void put_registry(struct json *into, const struct obs *obs)
{
	const struct obs_registry *registry = &obs->registry;
	struct json *list;

	json_add_text(into, "domain", registry->domain);
	put_text(into, "registrar", registry->registrar);
	list = json_add_array(into, "status");
	for (unsigned i = 0; i < registry->status_count; i++)
		json_add_text(list, NULL, registry->status[i]);
	list = json_add_array(into, "name_servers");
	for (unsigned i = 0; i < registry->server_count; i++)
		json_add_text(list, NULL, registry->name_servers[i]);
	put_date(into, "last_changed", registry->last_changed);
	put_date(into, "expires", registry->expires);
	if (registry->signed_known)
		json_add_bool(into, "delegation_signed", registry->delegation_signed);
}

static void put_health(struct json *into, const struct obs *obs)
{
	const struct obs_health *health = &obs->health;
	struct json *gaps, *object;

	put_int(into, "cpu_us", health->cpu_us);
	put_int(into, "rss_bytes", health->rss_bytes);
	put_int(into, "spooled_batches", health->spooled_batches);
	put_int(into, "spooled_bytes", health->spooled_bytes);
	put_int(into, "dropped_observations", health->dropped_observations);
	put_int(into, "captured_packets", health->captured_packets);
	put_int(into, "capture_drops", health->capture_drops);
	put_int(into, "unfollowed_connections", health->unfollowed_connections);
	if (!health->gap_count)
		return;
	gaps = json_add_array(into, "gaps");
	for (unsigned i = 0; i < health->gap_count; i++) {
		object = json_add_object(gaps, NULL);
		json_add_int(object, "from_us", health->gaps[i].from.us);
		json_add_int(object, "until_us", health->gaps[i].until.us);
		json_add_int(object, "observations", health->gaps[i].observations);
	}
}

static void put_maintenance(struct json *into, const struct obs *obs)
{
	const struct obs_maintenance *work = &obs->maintenance;

	json_add_text(into, "service", work->service);
	if (work->site[0])
		json_add_text(into, "site", work->site);
	else
		json_add_null(into, "site");
	json_add_int(into, "from_us", work->from.us);
	json_add_int(into, "until_us", work->until.us);
	put_text(into, "note", work->note);
}

static void put_acknowledge(struct json *into, const struct obs *obs)
{
	json_add_text(into, "incident", obs->acknowledge.incident);
	put_text(into, "by", obs->acknowledge.by);
	put_text(into, "note", obs->acknowledge.note);
}

static void (*const writers[OBS_KINDS])(struct json *, const struct obs *) = {
	[OBS_HELLO] = put_hello,
	[OBS_TRAFFIC] = put_traffic,
	[OBS_CHECK] = put_check,
	[OBS_TRACE] = put_trace,
	[OBS_DNS] = put_dns,
	[OBS_REGISTRY] = put_registry,
	[OBS_HEALTH] = put_health,
	[OBS_MAINTENANCE] = put_maintenance,
	[OBS_ACKNOWLEDGE] = put_acknowledge,
};

/* Prints, ends the line and frees the tree. */
static int finish(char *buf, size_t cap, struct json *root)
{
	int len = cap > 1 ? json_print(root, buf, cap - 1) : STATUS_LIMIT;

	json_free(root);
	if (len < 0)
		return len;
	buf[len++] = '\n';
	buf[len] = '\0';
	return len;
}

int wire_encode(char *buf, size_t cap, const struct obs *obs)
{
	struct json *root = json_new_object();

	if (!root)
		return -ENOMEM;
	json_add_text(root, "kind", obs_kind_text(obs->kind));
	json_add_int(root, "at_us", obs->at.us);
	writers[obs->kind](root, obs);
	return finish(buf, cap, root);
}

int wire_encode_batch(char *buf, size_t cap, const struct wire_batch *batch)
{
	struct json *root = json_new_object();

	if (!root)
		return -ENOMEM;
	json_add_text(root, "kind", "batch");
	json_add_int(root, "v", WIRE_VERSION);
	json_add_text(root, "probe", batch->probe);
	json_add_text(root, "boot", batch->boot);
	json_add_int(root, "seq", batch->seq);
	json_add_int(root, "sent_us", batch->sent.us);
	json_add_int(root, "observations", batch->observations);
	return finish(buf, cap, root);
}

/* White space around an object is JSON too. */
static void trim(const char **line, size_t *len)
{
	static const char space[] = " \t\r\n";

	while (*len && memchr(space, (*line)[*len - 1], sizeof(space) - 1))
		(*len)--;
	while (*len && memchr(space, **line, sizeof(space) - 1)) {
		(*line)++;
		(*len)--;
	}
}

int wire_encode_record(char *buf, size_t cap, const struct wire_origin *origin,
	const char *line, size_t len)
{
	char boot[OBS_WORD + 16] = "", seq[40] = "";
	int used;

	trim(&line, &len);
	if (len < 3 || line[0] != '{')
		return STATUS_SYNTAX;
	if (len > WIRE_LINE_MAX)
		return STATUS_LIMIT;
	if (origin->boot[0])
		(void)snprintf(boot, sizeof(boot), ",\"boot\":\"%s\"", origin->boot);
	if (origin->seq != OBS_ABSENT)
		(void)snprintf(seq, sizeof(seq), ",\"seq\":%" PRId64, origin->seq);
	used = snprintf(buf, cap, "{\"rx_us\":%" PRId64 ",\"probe\":\"%s\"%s%s,%.*s\n",
		origin->rx.us, origin->probe, boot, seq, (int)len - 1, line + 1);
	return used > 0 && (size_t)used < cap ? used : STATUS_LIMIT;
}
