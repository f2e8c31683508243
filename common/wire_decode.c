#include "wire_decode.h"

#include <stdio.h>
#include <string.h>

#include "astray/status.h"
#include "astray/wire.h"
#include "wire_fields.h"
#include "wire_parts.h"

#define LABEL_WHY "should name and hold 1 to 63 of letters, digits and . _ -"

static const char *role_word(int i)
{
	return obs_role_text((enum obs_role)i);
}

static const char *method_word(int i)
{
	return obs_method_text((enum obs_method)i);
}

static const char *protocol_word(int i)
{
	return obs_protocol_text((enum obs_protocol)i);
}

static const char *unreachable_word(int i)
{
	return obs_unreachable_text((enum obs_unreachable)(i + OBS_NETWORK));
}

static const char *dns_role_word(int i)
{
	return obs_dns_role_text((enum obs_dns_role)i);
}

static const char *check_error_word(int i)
{
	/* "ok" is null on the wire. */
	return obs_check_error_text((enum obs_check_error)(i + 1));
}

static bool is_record_word(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return len > 0 && !text[len];
}

static bool is_hash(const char *text)
{
	return strspn(text, "0123456789abcdef") == 64 && !text[64];
}

static void read_label(
	struct wire_fields *fields, const struct json *item, struct obs_label *label)
{
	const char *key = json_key(item), *value = json_as_text(item);
	char field[OBS_WORD + 8];

	(void)snprintf(field, sizeof(field), "labels.%s", key);
	if (!wire_word_is_valid(key) || !value || !wire_word_is_valid(value)) {
		wire_fields_refuse(fields, STATUS_RANGE, field, LABEL_WHY);
		return;
	}
	memcpy(label->key, key, strlen(key) + 1);
	memcpy(label->value, value, strlen(value) + 1);
}

static void read_labels(struct wire_fields *fields, struct obs_hello *hello)
{
	const struct json *object =
		wire_fields_take(fields, "labels", JSON_OBJECT, WIRE_OPTIONAL);

	for (const struct json *item = json_first(object); item && !fields->rc;
		item = json_next(item)) {
		if (hello->label_count == OBS_LABELS) {
			wire_fields_refuse(
				fields, STATUS_LIMIT, "labels", "has too many entries");
			return;
		}
		read_label(fields, item, &hello->labels[hello->label_count++]);
	}
}

static void read_network(struct wire_fields *fields, struct obs_hello *hello)
{
	const struct json *object =
		wire_fields_take(fields, "network", JSON_OBJECT, WIRE_OPTIONAL);
	struct wire_fields inner;

	if (!object)
		return;
	inner = wire_fields_enter(fields, object, "network", WIRE_FIELDS_NO_ROW);
	wire_parts_asn(&inner, &hello->network_asn);
	wire_parts_country(&inner, hello->network_country);
	wire_fields_leave(&inner);
	hello->networked = true;
}

static void read_hello(struct wire_fields *fields, struct obs *obs)
{
	struct obs_hello *hello = &obs->hello;
	int role = OBS_ENDPOINT;

	wire_fields_text(
		fields, "version", WIRE_REQUIRED, hello->version, sizeof(hello->version));
	wire_fields_choice(fields, "role", WIRE_REQUIRED, role_word, 3, &role);
	hello->role = (enum obs_role)role;
	read_labels(fields, hello);
	read_network(fields, hello);
}

/* Two spellings of one address are one peer. */
static bool is_among(const struct obs_traffic *traffic, const struct address *address)
{
	for (unsigned i = 0; i < traffic->peer_count; i++)
		if (address_equal(&traffic->peers[i].address, address))
			return true;
	return false;
}

static void read_peer(
	struct wire_fields *fields, const struct json *item, struct obs_traffic *traffic)
{
	struct obs_peer *peer = &traffic->peers[traffic->peer_count];
	char field[ADDRESS_TEXT + 8];

	if (address_parse(&peer->address, json_key(item)) == 0 &&
		!is_among(traffic, &peer->address) &&
		json_as_int(item, &peer->requests) && peer->requests >= 0 &&
		peer->requests <= WIRE_PARTS_INT_MAX) {
		traffic->peer_count++;
		return;
	}
	(void)snprintf(field, sizeof(field), "peers.%s", json_key(item));
	wire_fields_refuse(fields, STATUS_RANGE, field,
		"should be an IP address, once, and a whole number of requests");
}

static void read_peers(struct wire_fields *fields, struct obs_traffic *traffic)
{
	const struct json *object =
		wire_fields_take(fields, "peers", JSON_OBJECT, WIRE_OPTIONAL);

	for (const struct json *item = json_first(object); item && !fields->rc;
		item = json_next(item)) {
		if (traffic->peer_count < OBS_PEERS)
			read_peer(fields, item, traffic);
		else
			wire_fields_refuse(
				fields, STATUS_LIMIT, "peers", "has too many entries");
	}
}

static void read_kinds(struct wire_fields *outer, const char *key, int64_t *counts,
	int kinds, const char *(*text)(int kind))
{
	const struct json *object =
		wire_fields_take(outer, key, JSON_OBJECT, WIRE_OPTIONAL);
	struct wire_fields fields;

	if (!object)
		return;
	fields = wire_fields_enter(outer, object, key, WIRE_FIELDS_NO_ROW);
	for (int i = 0; i < kinds; i++) {
		int64_t count = OBS_ABSENT;

		wire_parts_count(&fields, text(i), &count);
		counts[i] = count == OBS_ABSENT ? 0 : count;
	}
	wire_fields_leave(&fields);
}

static const char *naming_word(int naming)
{
	return obs_naming_text((enum obs_naming)naming);
}

static void read_traffic(struct wire_fields *fields, struct obs *obs)
{
	struct obs_traffic *traffic = &obs->traffic;
	int method = OBS_PACKETS;

	wire_fields_int(fields, "window_us", WIRE_REQUIRED, 1, MOMENT_DAY_US,
		&traffic->window_us);
	wire_parts_service(fields, false, traffic->service);
	wire_fields_choice(
		fields, "method", WIRE_OPTIONAL, method_word, OBS_METHODS, &method);
	traffic->method = (enum obs_method)method;
	wire_parts_count(fields, "connections", &traffic->connections);
	wire_parts_count(fields, "refused", &traffic->refused);
	wire_parts_count(fields, "timed_out", &traffic->timed_out);
	wire_parts_count(fields, "reset", &traffic->reset);
	wire_parts_count(fields, "tls_failed", &traffic->tls_failed);
	wire_parts_count(fields, "requests", &traffic->requests);
	wire_parts_count(fields, "responses", &traffic->responses);
	wire_parts_count(fields, "errors", &traffic->errors);
	wire_parts_count(fields, "untimed", &traffic->untimed);
	wire_parts_count(fields, "multiplexed", &traffic->multiplexed);
	wire_parts_count(fields, "estimated", &traffic->estimated);
	wire_parts_count(fields, "sent_bytes", &traffic->sent_bytes);
	wire_parts_count(fields, "received_bytes", &traffic->received_bytes);
	wire_parts_count(fields, "retransmits", &traffic->retransmits);
	wire_parts_count(fields, "lost_packets", &traffic->lost_packets);
	read_kinds(fields, "statuses", traffic->statuses, OBS_STATUS_CLASSES,
		obs_status_class_text);
	read_kinds(fields, "named_by", traffic->named_by, OBS_NAMINGS, naming_word);
	for (int i = 0; i < OBS_SKETCHES; i++)
		wire_parts_sketch(fields, obs_sketch_text((enum obs_sketch)i),
			&traffic->sketches[i]);
	read_peers(fields, traffic);
}

static void read_key(struct wire_fields *fields, char out[static OBS_WORD + 1])
{
	wire_fields_word(fields, "spki_sha256", WIRE_OPTIONAL, out, OBS_WORD + 1, is_hash,
		"should be 64 lower-case hexadecimal digits");
}

static void read_voucher(struct wire_fields *fields, void *arg, unsigned number)
{
	struct obs_certificate *tls = arg;
	struct obs_voucher *voucher = &tls->chain[number];

	wire_fields_text(fields, "subject", WIRE_OPTIONAL, voucher->subject,
		sizeof(voucher->subject));
	read_key(fields, voucher->spki_sha256);
}

static void read_names(struct wire_fields *fields, struct obs_certificate *tls)
{
	wire_fields_int(fields, "names_in_all", WIRE_OPTIONAL, 0, WIRE_PARTS_INT_MAX,
		&tls->names_in_all);
	wire_parts_texts(fields, "names", tls->names[0], sizeof(tls->names[0]), OBS_NAMES,
		NULL, &tls->name_count);
}

static void read_certificate(struct wire_fields *outer, struct obs_certificate *tls)
{
	const struct json *object =
		wire_fields_take(outer, "tls", JSON_OBJECT, WIRE_OPTIONAL);
	struct wire_fields fields;

	if (!object)
		return;
	fields = wire_fields_enter(outer, object, "tls", WIRE_FIELDS_NO_ROW);
	wire_fields_text(
		&fields, "version", WIRE_OPTIONAL, tls->version, sizeof(tls->version));
	wire_fields_text(
		&fields, "issuer", WIRE_OPTIONAL, tls->issuer, sizeof(tls->issuer));
	wire_fields_text(
		&fields, "subject", WIRE_OPTIONAL, tls->subject, sizeof(tls->subject));
	read_key(&fields, tls->spki_sha256);
	wire_fields_date(&fields, "not_before", WIRE_OPTIONAL, &tls->not_before);
	wire_fields_date(&fields, "not_after", WIRE_OPTIONAL, &tls->not_after);
	wire_fields_bool(&fields, "verified", WIRE_OPTIONAL, &tls->verified);
	wire_parts_rows(&fields, "chain", WIRE_OPTIONAL, OBS_CHAIN, &tls->chain_count,
		read_voucher, tls);
	read_names(&fields, tls);
	tls->present = true;
	wire_fields_leave(&fields);
}

static void read_check(struct wire_fields *fields, struct obs *obs)
{
	struct obs_check *check = &obs->check;
	int error = OBS_CHECK_OK - 1;

	wire_parts_service(fields, false, check->service);
	wire_fields_text(fields, "url", WIRE_REQUIRED, check->url, sizeof(check->url));
	wire_fields_address(fields, "peer", WIRE_OPTIONAL, &check->peer);
	wire_parts_count(fields, "dns_us", &check->dns_us);
	wire_parts_count(fields, "connect_us", &check->connect_us);
	wire_parts_count(fields, "tls_us", &check->tls_us);
	wire_parts_count(fields, "first_byte_us", &check->first_byte_us);
	wire_parts_count(fields, "total_us", &check->total_us);
	wire_fields_int(fields, "status", WIRE_OPTIONAL, 0, 999, &check->status);
	wire_fields_choice(
		fields, "error", WIRE_OPTIONAL, check_error_word, OBS_CHECK_HTTP, &error);
	check->error = (enum obs_check_error)(error + 1);
	wire_fields_text(fields, "error_text", WIRE_OPTIONAL, check->error_text,
		sizeof(check->error_text));
	read_certificate(fields, &check->tls);
}

static void read_mpls(struct wire_fields *fields, void *arg, unsigned number)
{
	struct obs_hop *hop = arg;
	int64_t label = 0, tc = 0, s = 0, ttl = 0;

	wire_fields_int(fields, "label", WIRE_REQUIRED, 0, (1 << 20) - 1, &label);
	wire_fields_int(fields, "tc", WIRE_OPTIONAL, 0, 7, &tc);
	wire_fields_int(fields, "s", WIRE_OPTIONAL, 0, 1, &s);
	wire_fields_int(fields, "ttl", WIRE_OPTIONAL, 0, 255, &ttl);
	hop->mpls[number] =
		(struct obs_mpls){(uint32_t)label, (uint8_t)tc, (uint8_t)s, (uint8_t)ttl};
}

static void read_octet(
	struct wire_fields *fields, const char *key, bool *given, uint8_t *out)
{
	int64_t value = OBS_ABSENT;

	wire_fields_int(fields, key, WIRE_OPTIONAL, 0, UINT8_MAX, &value);
	*given = value != OBS_ABSENT;
	*out = *given ? (uint8_t)value : 0;
}

static void read_mtu(struct wire_fields *fields, uint16_t *out)
{
	int64_t mtu = 0;

	wire_fields_int(fields, "mtu", WIRE_OPTIONAL, 1, UINT16_MAX, &mtu);
	*out = (uint16_t)mtu;
}

static void read_remarks(struct wire_fields *fields, struct obs_hop *hop)
{
	int why = OBS_REACHABLE - OBS_NETWORK;
	bool given;

	wire_fields_choice(fields, "unreachable", WIRE_OPTIONAL, unreachable_word,
		OBS_OTHER_REASON - OBS_NETWORK + 1, &why);
	hop->unreachable = (enum obs_unreachable)(why + OBS_NETWORK);
	wire_fields_bool(fields, "nat", WIRE_OPTIONAL, &hop->nat);
	read_octet(fields, "reply_ttl", &given, &hop->reply_ttl);
	read_octet(fields, "quoted_ttl", &hop->ttl_odd, &hop->quoted_ttl);
	read_octet(fields, "quoted_tos", &given, &hop->quoted_tos);
	read_mtu(fields, &hop->mtu);
}

static void read_hop(struct wire_fields *fields, void *arg, unsigned number)
{
	struct obs_trace *trace = arg;
	struct obs_hop *hop = &trace->hops[number];

	*hop = (struct obs_hop){.rtt_us = OBS_ABSENT};
	wire_fields_int(fields, "ttl", WIRE_REQUIRED, 1, 255, &hop->ttl);
	wire_fields_int(fields, "sent", WIRE_REQUIRED, 0, WIRE_PARTS_INT_MAX, &hop->sent);
	wire_fields_int(
		fields, "answered", WIRE_REQUIRED, 0, WIRE_PARTS_INT_MAX, &hop->answered);
	wire_fields_address(fields, "address", WIRE_OPTIONAL, &hop->address);
	wire_parts_count(fields, "rtt_us", &hop->rtt_us);
	wire_fields_text(fields, "name", WIRE_OPTIONAL, hop->name, sizeof(hop->name));
	wire_parts_rows(fields, "mpls", WIRE_OPTIONAL, OBS_MPLS, &hop->mpls_count,
		read_mpls, hop);
	read_remarks(fields, hop);
	wire_parts_place(fields, &hop->place);
	if (hop->answered > hop->sent)
		wire_fields_refuse(
			fields, STATUS_RANGE, "answered", "is more than was sent");
	if (number && hop->ttl < trace->hops[number - 1].ttl)
		wire_fields_refuse(fields, STATUS_RANGE, "ttl",
			"is less than that of the hop before");
}

static void read_trace(struct wire_fields *fields, struct obs *obs)
{
	struct obs_trace *trace = &obs->trace;
	int protocol = OBS_TCP;

	wire_parts_service(fields, false, trace->service);
	wire_fields_address(fields, "peer", WIRE_REQUIRED, &trace->peer);
	wire_fields_choice(
		fields, "protocol", WIRE_REQUIRED, protocol_word, 3, &protocol);
	trace->protocol = (enum obs_protocol)protocol;
	wire_fields_int(fields, "port", WIRE_OPTIONAL, 0, UINT16_MAX, &trace->port);
	wire_parts_count(fields, "flow", &trace->flow);
	wire_fields_bool(fields, "reached", WIRE_REQUIRED, &trace->reached);
	read_mtu(fields, &trace->mtu);
	wire_parts_rows(fields, "hops", WIRE_REQUIRED, OBS_HOPS, &trace->hop_count,
		read_hop, trace);
}

static void read_answer(struct wire_fields *fields, void *arg, unsigned number)
{
	struct obs_dns *dns = arg;
	struct obs_answer *answer = &dns->answers[number];

	*answer = (struct obs_answer){.ttl = OBS_ABSENT};
	wire_fields_text(
		fields, "data", WIRE_REQUIRED, answer->data, sizeof(answer->data));
	wire_fields_int(fields, "ttl", WIRE_OPTIONAL, 0, UINT32_MAX, &answer->ttl);
	wire_parts_place(fields, &answer->place);
}

static void read_dns(struct wire_fields *fields, struct obs *obs)
{
	struct obs_dns *dns = &obs->dns;
	int role = OBS_RESOLVER;

	wire_parts_service(fields, false, dns->service);
	wire_parts_name(fields, "name", dns->name);
	wire_fields_word(fields, "type", WIRE_REQUIRED, dns->type, sizeof(dns->type),
		is_record_word, "is not a record type such as \"A\"");
	wire_fields_choice(fields, "role", WIRE_REQUIRED, dns_role_word, 3, &role);
	dns->role = (enum obs_dns_role)role;
	wire_fields_address(fields, "server", WIRE_REQUIRED, &dns->server);
	wire_fields_word(fields, "rcode", WIRE_REQUIRED, dns->rcode, sizeof(dns->rcode),
		is_record_word, "is not a response code such as \"NOERROR\"");
	wire_fields_bool(fields, "authoritative", WIRE_OPTIONAL, &dns->authoritative);
	wire_fields_bool(fields, "validated", WIRE_OPTIONAL, &dns->validated);
	wire_parts_count(fields, "rtt_us", &dns->rtt_us);
	wire_parts_rows(fields, "answers", WIRE_OPTIONAL, OBS_ANSWERS, &dns->answer_count,
		read_answer, dns);
}

static void read_registry(struct wire_fields *fields, struct obs *obs)
{
	struct obs_registry *registry = &obs->registry;

	wire_parts_name(fields, "domain", registry->domain);
	wire_fields_text(
		fields, "registrar", WIRE_OPTIONAL, registry->registrar, OBS_TEXT);
	wire_parts_texts(fields, "status", registry->status[0], OBS_WORD, OBS_STATUSES,
		NULL, &registry->status_count);
	wire_parts_texts(fields, "name_servers", registry->name_servers[0], OBS_NAME,
		OBS_SERVERS, wire_parts_name_is_valid, &registry->server_count);
	wire_fields_date(fields, "last_changed", WIRE_OPTIONAL, &registry->last_changed);
	wire_fields_date(fields, "expires", WIRE_OPTIONAL, &registry->expires);
	registry->signed_known = wire_fields_take(fields, "delegation_signed", JSON_BOOL,
					 WIRE_OPTIONAL) != NULL;
	wire_fields_bool(
		fields, "delegation_signed", WIRE_OPTIONAL, &registry->delegation_signed);
}

static void read_gap(struct wire_fields *fields, void *arg, unsigned number)
{
	struct obs_health *health = arg;
	struct obs_gap *gap = &health->gaps[number];

	*gap = (struct obs_gap){0};
	wire_fields_moment(fields, "from_us", WIRE_REQUIRED, &gap->from);
	wire_fields_moment(fields, "until_us", WIRE_REQUIRED, &gap->until);
	wire_fields_int(fields, "observations", WIRE_REQUIRED, 0, WIRE_PARTS_INT_MAX,
		&gap->observations);
	if (moment_before(gap->until, gap->from))
		wire_fields_refuse(fields, STATUS_RANGE, "until_us", "is before from_us");
}

static void read_health(struct wire_fields *fields, struct obs *obs)
{
	struct obs_health *health = &obs->health;

	wire_parts_count(fields, "cpu_us", &health->cpu_us);
	wire_parts_count(fields, "rss_bytes", &health->rss_bytes);
	wire_parts_count(fields, "spooled_batches", &health->spooled_batches);
	wire_parts_count(fields, "spooled_bytes", &health->spooled_bytes);
	wire_parts_count(fields, "dropped_observations", &health->dropped_observations);
	wire_parts_count(fields, "captured_packets", &health->captured_packets);
	wire_parts_count(fields, "capture_drops", &health->capture_drops);
	wire_parts_count(
		fields, "unfollowed_connections", &health->unfollowed_connections);
	wire_parts_rows(fields, "gaps", WIRE_OPTIONAL, OBS_GAPS, &health->gap_count,
		read_gap, health);
}

static void read_maintenance(struct wire_fields *fields, struct obs *obs)
{
	struct obs_maintenance *work = &obs->maintenance;

	wire_parts_service(fields, true, work->service);
	wire_fields_word(fields, "site", WIRE_OPTIONAL, work->site, sizeof(work->site),
		wire_word_is_valid, WIRE_PARTS_WORD_WHY);
	wire_fields_moment(fields, "from_us", WIRE_REQUIRED, &work->from);
	wire_fields_moment(fields, "until_us", WIRE_REQUIRED, &work->until);
	wire_fields_text(fields, "note", WIRE_OPTIONAL, work->note, sizeof(work->note));
	if (moment_before(work->until, work->from))
		wire_fields_refuse(fields, STATUS_RANGE, "until_us", "is before from_us");
}

static void read_acknowledge(struct wire_fields *fields, struct obs *obs)
{
	struct obs_acknowledge *said = &obs->acknowledge;

	wire_fields_word(fields, "incident", WIRE_REQUIRED, said->incident,
		sizeof(said->incident), wire_word_is_valid, WIRE_PARTS_WORD_WHY);
	wire_fields_text(fields, "by", WIRE_OPTIONAL, said->by, sizeof(said->by));
	wire_fields_text(fields, "note", WIRE_OPTIONAL, said->note, sizeof(said->note));
}

static void (*const readers[OBS_KINDS])(struct wire_fields *, struct obs *) = {
	[OBS_HELLO] = read_hello,
	[OBS_TRAFFIC] = read_traffic,
	[OBS_CHECK] = read_check,
	[OBS_TRACE] = read_trace,
	[OBS_DNS] = read_dns,
	[OBS_REGISTRY] = read_registry,
	[OBS_HEALTH] = read_health,
	[OBS_MAINTENANCE] = read_maintenance,
	[OBS_ACKNOWLEDGE] = read_acknowledge,
};

static int find_kind(struct wire_fields *fields, enum obs_kind *out)
{
	const char *text =
		json_as_text(wire_fields_take(fields, "kind", JSON_TEXT, WIRE_REQUIRED));

	for (int i = 0; text && i < OBS_KINDS; i++) {
		if (strcmp(obs_kind_text((enum obs_kind)i), text) == 0) {
			*out = (enum obs_kind)i;
			return 0;
		}
	}
	wire_fields_refuse(fields, STATUS_UNKNOWN, "kind", "is no kind of observation");
	return fields->rc;
}

int wire_decode_object(struct obs *out, const struct json *object, struct fault *fault)
{
	struct wire_fields fields = wire_fields_over(object, fault);
	struct moment at = {0};
	enum obs_kind kind = OBS_KINDS;

	if (find_kind(&fields, &kind))
		return fields.rc;
	wire_fields_moment(&fields, "at_us", WIRE_REQUIRED, &at);
	obs_init(out, kind, at);
	readers[kind](&fields, out);
	return fields.rc;
}

int wire_decode_parse(struct json_doc **out, const char *line, size_t len, size_t limit,
	struct fault *fault)
{
	int rc;

	*out = NULL;
	if (fault)
		*fault = (struct fault){0};
	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len > limit)
		return fault_at(fault, STATUS_LIMIT, "",
			"the line is longer than %zu bytes", limit);
	rc = json_parse(out, line, len, 0, fault);
	if (rc == 0 && json_type(json_root(*out)) != JSON_OBJECT) {
		rc = fault_at(fault, STATUS_SYNTAX, "", "should be an object {…}");
		json_doc_free(*out);
		*out = NULL;
	}
	if (fault)
		fault->line = 0; /* the caller knows which line this is */
	return rc;
}

/* What the collector puts in front of a line when it records it. A probe that wrote it
 * too would make the record ambiguous. */
static int refuse_origin(const struct json *object, struct fault *fault)
{
	static const char *const keys[] = {"rx_us", "probe", "boot", "seq"};
	struct wire_fields fields = wire_fields_over(object, fault);

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_member(object, keys[i]))
			wire_fields_refuse(&fields, STATUS_UNKNOWN, keys[i],
				"belongs to the recorded stream, not to an observation");
	return fields.rc;
}

int wire_decode(struct obs *out, const char *line, size_t len, struct fault *fault)
{
	struct json_doc *doc;
	int rc = wire_decode_parse(&doc, line, len, WIRE_LINE_MAX, fault);

	if (rc == 0)
		rc = refuse_origin(json_root(doc), fault);
	if (rc == 0)
		rc = wire_decode_object(out, json_root(doc), fault);
	json_doc_free(doc);
	return rc;
}
