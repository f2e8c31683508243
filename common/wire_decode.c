#include "wire_decode.h"

#include <ctype.h>
#include <string.h>

#include "astray/status.h"
#include "astray/wire.h"
#include "wire_fields.h"

#define COUNT_MAX MOMENT_MAX_US /* 2^53 - 1, like every integer of the contract */
#define SKETCH_LOAD_MAX 4096    /* buckets of a line; more is no sketch */
#define NAME_WHY "is not a lower-case name without a trailing dot"
#define SERVICE_WHY "is not a service's name"
#define WORD_WHY "should be 1 to 63 of letters, digits and . _ -"

static const char *role_word(int i)
{
	return obs_role_text((enum obs_role)i);
}

static const char *protocol_word(int i)
{
	return obs_protocol_text((enum obs_protocol)i);
}

static const char *dns_role_word(int i)
{
	return obs_dns_role_text((enum obs_dns_role)i);
}

static const char *check_error_word(int i)
{
	return obs_check_error_text(
		(enum obs_check_error)(i + 1)); /* "ok" is null on the wire */
}

static const char *place_source_word(int i)
{
	static const char *const words[] = {"mmdb", "rdns", "anycast"};

	return words[i];
}

static const char *place_verdict_word(int i)
{
	static const char *const words[] = {"unknown", "possible", "impossible"};

	return words[i];
}

/* Lower case and no dot at the end; the root alone is ".". What else a name may hold is
 * the name system's business. */
static bool is_name(const char *text)
{
	size_t len = strlen(text);

	if (strcmp(text, ".") == 0)
		return true;
	if (len == 0 || len > 253 || text[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || isupper((unsigned char)text[i]))
			return false;
	return true;
}

static bool is_country(const char *text)
{
	return isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]) &&
	       !text[2];
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

static void take_service(struct wire_fields *fields, char out[static OBS_NAME])
{
	wire_fields_word(fields, "service", WIRE_REQUIRED, out, OBS_NAME,
		wire_service_is_valid, SERVICE_WHY);
}

static void take_count(struct wire_fields *fields, const char *key, int64_t *out)
{
	wire_fields_int(fields, key, WIRE_OPTIONAL, 0, COUNT_MAX, out);
}

static void take_country(struct wire_fields *fields, char out[static 3])
{
	wire_fields_word(fields, "country", WIRE_OPTIONAL, out, 3, is_country,
		"is not a country code such as \"JP\"");
}

static void take_asn(struct wire_fields *fields, uint32_t *out)
{
	int64_t asn = *out;

	wire_fields_int(fields, "asn", WIRE_OPTIONAL, 0, UINT32_MAX, &asn);
	*out = (uint32_t)asn;
}

/* The rows of an array, at most max; counts them in *count and calls read for each. */
static void take_rows(struct wire_fields *fields, const char *key, enum wire_need need,
	unsigned max, unsigned *count,
	void (*read)(struct wire_fields *row, struct obs *obs, unsigned number),
	struct obs *obs)
{
	const struct json *list = wire_fields_take(fields, key, JSON_ARRAY, need);

	*count = 0;
	for (const struct json *item = json_first(list); item && !fields->rc;
		item = json_next(item)) {
		struct wire_fields row;

		if (*count == max) {
			wire_fields_refuse(
				fields, STATUS_LIMIT, key, "has too many entries");
			return;
		}
		row = wire_fields_inside(fields, item, key, (int)*count);
		if (!row.rc)
			read(&row, obs, *count);
		wire_fields_join(fields, &row);
		(*count)++;
	}
}

static void take_place(struct wire_fields *outer, struct place *place)
{
	const struct json *object =
		wire_fields_take(outer, "place", JSON_OBJECT, WIRE_OPTIONAL);
	int source = PLACE_SOURCE_NONE - 1, verdict = PLACE_UNKNOWN;
	struct wire_fields fields;

	if (!object)
		return;
	fields = wire_fields_inside(outer, object, "place", -1);
	take_country(&fields, place->country);
	wire_fields_text(
		&fields, "city", WIRE_OPTIONAL, place->city, sizeof(place->city));
	wire_fields_text(&fields, "org", WIRE_OPTIONAL, place->org, sizeof(place->org));
	wire_fields_double(&fields, "latitude", WIRE_OPTIONAL, -90, 90, &place->latitude);
	wire_fields_double(
		&fields, "longitude", WIRE_OPTIONAL, -180, 180, &place->longitude);
	place->located =
		json_member(object, "latitude") && json_member(object, "longitude");
	take_asn(&fields, &place->asn);
	wire_fields_choice(
		&fields, "source", WIRE_OPTIONAL, place_source_word, 3, &source);
	wire_fields_choice(
		&fields, "verdict", WIRE_OPTIONAL, place_verdict_word, 3, &verdict);
	place->source = (enum place_source)(source + 1);
	place->verdict = (enum place_verdict)verdict;
	wire_fields_join(outer, &fields);
}

/* ---- hello */

static void read_labels(struct wire_fields *fields, struct obs_hello *hello)
{
	const struct json *object =
		wire_fields_take(fields, "labels", JSON_OBJECT, WIRE_OPTIONAL);

	for (const struct json *item = json_first(object); item; item = json_next(item)) {
		struct obs_label *label = &hello->labels[hello->label_count];
		const char *value = json_as_text(item);

		if (hello->label_count == OBS_LABELS) {
			wire_fields_refuse(
				fields, STATUS_LIMIT, "labels", "has too many entries");
			return;
		}
		if (!wire_word_is_valid(json_key(item)) || !value ||
			!wire_word_is_valid(value)) {
			wire_fields_refuse(fields, STATUS_RANGE, "labels",
				"names and values should be 1 to 63 of letters, digits "
				"and . _ -");
			return;
		}
		memcpy(label->key, json_key(item), strlen(json_key(item)) + 1);
		memcpy(label->value, value, strlen(value) + 1);
		hello->label_count++;
	}
}

static void read_network(struct wire_fields *fields, struct obs_hello *hello)
{
	const struct json *object =
		wire_fields_take(fields, "network", JSON_OBJECT, WIRE_OPTIONAL);
	struct wire_fields inner;

	if (!object)
		return;
	inner = wire_fields_inside(fields, object, "network", -1);
	take_asn(&inner, &hello->network_asn);
	take_country(&inner, hello->network_country);
	wire_fields_join(fields, &inner);
	hello->networked = true;
}

static void read_hello(struct wire_fields *fields, struct obs *obs)
{
	struct obs_hello *hello = &obs->hello;
	int role = OBS_ENDPOINT;

	wire_fields_word(fields, "version", WIRE_REQUIRED, hello->version,
		sizeof(hello->version), wire_word_is_valid, WORD_WHY);
	wire_fields_choice(fields, "role", WIRE_REQUIRED, role_word, 3, &role);
	hello->role = (enum obs_role)role;
	read_labels(fields, hello);
	read_network(fields, hello);
}

/* ---- traffic */

static unsigned take_counts(
	struct wire_fields *fields, uint64_t counts[static SKETCH_LOAD_MAX])
{
	const struct json *list =
		wire_fields_take(fields, "counts", JSON_ARRAY, WIRE_REQUIRED);
	unsigned len = 0;

	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		int64_t count;

		if (len == SKETCH_LOAD_MAX || !json_as_int(item, &count) || count < 0) {
			wire_fields_refuse(fields, STATUS_RANGE, "counts",
				"should be at most 4096 whole numbers from 0 up");
			return 0;
		}
		counts[len++] = (uint64_t)count;
	}
	return len;
}

static void read_sketch(struct wire_fields *outer, const char *key, struct sketch *sketch)
{
	const struct json *object =
		wire_fields_take(outer, key, JSON_OBJECT, WIRE_OPTIONAL);
	uint64_t counts[SKETCH_LOAD_MAX];
	int64_t scale = 0, offset = 0, zeros = 0;
	double sum = 0, min = 0, max = 0;
	enum wire_need need;
	struct wire_fields fields;
	unsigned len;

	if (!object)
		return;
	fields = wire_fields_inside(outer, object, key, -1);
	wire_fields_int(&fields, "scale", WIRE_REQUIRED, SKETCH_SCALE_MIN,
		SKETCH_SCALE_MAX, &scale);
	wire_fields_int(
		&fields, "offset", WIRE_REQUIRED, INT32_MIN / 2, INT32_MAX / 2, &offset);
	len = take_counts(&fields, counts);
	need = len ? WIRE_REQUIRED : WIRE_OPTIONAL;
	take_count(&fields, "zeros", &zeros);
	wire_fields_double(&fields, "sum", need, 0, 1e300, &sum);
	wire_fields_double(&fields, "min", need, 0, 1e300, &min);
	wire_fields_double(&fields, "max", need, 0, 1e300, &max);
	if (!fields.rc && sketch_load(sketch, (int)scale, offset, counts, len,
				  (uint64_t)zeros, sum, min, max))
		wire_fields_refuse(
			&fields, STATUS_RANGE, "counts", "do not make a sketch");
	wire_fields_join(outer, &fields);
}

static void read_peers(struct wire_fields *fields, struct obs_traffic *traffic)
{
	const struct json *object =
		wire_fields_take(fields, "peers", JSON_OBJECT, WIRE_OPTIONAL);

	for (const struct json *item = json_first(object); item; item = json_next(item)) {
		struct obs_peer *peer = &traffic->peers[traffic->peer_count];

		if (traffic->peer_count == OBS_PEERS) {
			wire_fields_refuse(
				fields, STATUS_LIMIT, "peers", "has too many entries");
			return;
		}
		if (address_parse(&peer->address, json_key(item)) ||
			!json_as_int(item, &peer->requests) || peer->requests < 0) {
			wire_fields_refuse(fields, STATUS_RANGE, "peers",
				"should name IP addresses and how many requests went "
				"there");
			return;
		}
		traffic->peer_count++;
	}
}

static void read_traffic(struct wire_fields *fields, struct obs *obs)
{
	struct obs_traffic *traffic = &obs->traffic;

	wire_fields_int(fields, "window_us", WIRE_REQUIRED, 1, MOMENT_DAY_US,
		&traffic->window_us);
	take_service(fields, traffic->service);
	take_count(fields, "connections", &traffic->connections);
	take_count(fields, "refused", &traffic->refused);
	take_count(fields, "timed_out", &traffic->timed_out);
	take_count(fields, "reset", &traffic->reset);
	take_count(fields, "requests", &traffic->requests);
	take_count(fields, "responses", &traffic->responses);
	take_count(fields, "errors", &traffic->errors);
	take_count(fields, "untimed", &traffic->untimed);
	take_count(fields, "multiplexed", &traffic->multiplexed);
	take_count(fields, "sent_bytes", &traffic->sent_bytes);
	take_count(fields, "received_bytes", &traffic->received_bytes);
	take_count(fields, "retransmits", &traffic->retransmits);
	take_count(fields, "lost_packets", &traffic->lost_packets);
	for (int i = 0; i < OBS_SKETCHES; i++)
		read_sketch(fields, obs_sketch_text((enum obs_sketch)i),
			&traffic->sketches[i]);
	read_peers(fields, traffic);
}

/* ---- check */

static void read_certificate(struct wire_fields *outer, struct obs_certificate *tls)
{
	const struct json *object =
		wire_fields_take(outer, "tls", JSON_OBJECT, WIRE_OPTIONAL);
	struct wire_fields fields;

	if (!object)
		return;
	fields = wire_fields_inside(outer, object, "tls", -1);
	wire_fields_text(
		&fields, "version", WIRE_OPTIONAL, tls->version, sizeof(tls->version));
	wire_fields_text(
		&fields, "issuer", WIRE_OPTIONAL, tls->issuer, sizeof(tls->issuer));
	wire_fields_text(
		&fields, "subject", WIRE_OPTIONAL, tls->subject, sizeof(tls->subject));
	wire_fields_word(&fields, "spki_sha256", WIRE_OPTIONAL, tls->spki_sha256,
		sizeof(tls->spki_sha256), is_hash,
		"should be 64 lower-case hexadecimal digits");
	wire_fields_date(&fields, "not_before", WIRE_OPTIONAL, &tls->not_before);
	wire_fields_date(&fields, "not_after", WIRE_OPTIONAL, &tls->not_after);
	wire_fields_bool(&fields, "verified", WIRE_OPTIONAL, &tls->verified);
	tls->present = true;
	wire_fields_join(outer, &fields);
}

static void read_check(struct wire_fields *fields, struct obs *obs)
{
	struct obs_check *check = &obs->check;
	int error = OBS_CHECK_OK - 1;

	take_service(fields, check->service);
	wire_fields_text(fields, "url", WIRE_REQUIRED, check->url, sizeof(check->url));
	wire_fields_address(fields, "peer", WIRE_OPTIONAL, &check->peer);
	take_count(fields, "dns_us", &check->dns_us);
	take_count(fields, "connect_us", &check->connect_us);
	take_count(fields, "tls_us", &check->tls_us);
	take_count(fields, "first_byte_us", &check->first_byte_us);
	take_count(fields, "total_us", &check->total_us);
	wire_fields_int(fields, "status", WIRE_OPTIONAL, 0, 999, &check->status);
	wire_fields_choice(
		fields, "error", WIRE_OPTIONAL, check_error_word, OBS_CHECK_HTTP, &error);
	check->error = (enum obs_check_error)(error + 1);
	wire_fields_text(fields, "error_text", WIRE_OPTIONAL, check->error_text,
		sizeof(check->error_text));
	read_certificate(fields, &check->tls);
}

/* ---- trace */

static void read_mpls(struct wire_fields *outer, struct obs_hop *hop)
{
	const struct json *list =
		wire_fields_take(outer, "mpls", JSON_ARRAY, WIRE_OPTIONAL);

	for (const struct json *item = json_first(list); item && !outer->rc;
		item = json_next(item)) {
		struct wire_fields fields;
		int64_t label = 0, tc = 0, s = 0, ttl = 0;

		if (hop->mpls_count == OBS_MPLS) {
			wire_fields_refuse(
				outer, STATUS_LIMIT, "mpls", "has too many entries");
			return;
		}
		fields = wire_fields_inside(outer, item, "mpls", (int)hop->mpls_count);
		wire_fields_int(
			&fields, "label", WIRE_REQUIRED, 0, (1 << 20) - 1, &label);
		wire_fields_int(&fields, "tc", WIRE_OPTIONAL, 0, 7, &tc);
		wire_fields_int(&fields, "s", WIRE_OPTIONAL, 0, 1, &s);
		wire_fields_int(&fields, "ttl", WIRE_OPTIONAL, 0, 255, &ttl);
		hop->mpls[hop->mpls_count++] = (struct obs_mpls){
			(uint32_t)label, (uint8_t)tc, (uint8_t)s, (uint8_t)ttl};
		wire_fields_join(outer, &fields);
	}
}

static void read_hop(struct wire_fields *fields, struct obs *obs, unsigned number)
{
	struct obs_hop *hop = &obs->trace.hops[number];

	*hop = (struct obs_hop){.rtt_us = OBS_ABSENT};
	wire_fields_int(fields, "ttl", WIRE_REQUIRED, 1, 255, &hop->ttl);
	wire_fields_int(fields, "sent", WIRE_REQUIRED, 0, COUNT_MAX, &hop->sent);
	wire_fields_int(fields, "answered", WIRE_REQUIRED, 0, COUNT_MAX, &hop->answered);
	wire_fields_address(fields, "address", WIRE_OPTIONAL, &hop->address);
	take_count(fields, "rtt_us", &hop->rtt_us);
	wire_fields_text(fields, "name", WIRE_OPTIONAL, hop->name, sizeof(hop->name));
	read_mpls(fields, hop);
	take_place(fields, &hop->place);
	if (hop->answered > hop->sent)
		wire_fields_refuse(
			fields, STATUS_RANGE, "answered", "is more than was sent");
	if (number && hop->ttl < obs->trace.hops[number - 1].ttl)
		wire_fields_refuse(fields, STATUS_RANGE, "ttl",
			"is less than that of the hop before");
}

static void read_trace(struct wire_fields *fields, struct obs *obs)
{
	struct obs_trace *trace = &obs->trace;
	int protocol = OBS_TCP;

	take_service(fields, trace->service);
	wire_fields_address(fields, "peer", WIRE_REQUIRED, &trace->peer);
	wire_fields_choice(
		fields, "protocol", WIRE_REQUIRED, protocol_word, 3, &protocol);
	trace->protocol = (enum obs_protocol)protocol;
	wire_fields_int(fields, "port", WIRE_OPTIONAL, 0, UINT16_MAX, &trace->port);
	take_count(fields, "flow", &trace->flow);
	wire_fields_bool(fields, "reached", WIRE_REQUIRED, &trace->reached);
	take_rows(fields, "hops", WIRE_REQUIRED, OBS_HOPS, &trace->hop_count, read_hop,
		obs);
}

/* ---- dns */

static void read_answer(struct wire_fields *fields, struct obs *obs, unsigned number)
{
	struct obs_answer *answer = &obs->dns.answers[number];

	*answer = (struct obs_answer){.ttl = OBS_ABSENT};
	wire_fields_text(
		fields, "data", WIRE_REQUIRED, answer->data, sizeof(answer->data));
	wire_fields_int(fields, "ttl", WIRE_OPTIONAL, 0, UINT32_MAX, &answer->ttl);
	take_place(fields, &answer->place);
}

static void read_dns(struct wire_fields *fields, struct obs *obs)
{
	struct obs_dns *dns = &obs->dns;
	int role = OBS_RESOLVER;

	take_service(fields, dns->service);
	wire_fields_word(
		fields, "name", WIRE_REQUIRED, dns->name, OBS_NAME, is_name, NAME_WHY);
	wire_fields_word(fields, "type", WIRE_REQUIRED, dns->type, sizeof(dns->type),
		is_record_word, "is not a record type such as \"A\"");
	wire_fields_choice(fields, "role", WIRE_REQUIRED, dns_role_word, 3, &role);
	dns->role = (enum obs_dns_role)role;
	wire_fields_address(fields, "server", WIRE_REQUIRED, &dns->server);
	wire_fields_word(fields, "rcode", WIRE_REQUIRED, dns->rcode, sizeof(dns->rcode),
		is_record_word, "is not a response code such as \"NOERROR\"");
	wire_fields_bool(fields, "authoritative", WIRE_OPTIONAL, &dns->authoritative);
	wire_fields_bool(fields, "validated", WIRE_OPTIONAL, &dns->validated);
	take_count(fields, "rtt_us", &dns->rtt_us);
	take_rows(fields, "answers", WIRE_OPTIONAL, OBS_ANSWERS, &dns->answer_count,
		read_answer, obs);
}

/* ---- registry */

/* A list of texts into rows of `cap` bytes; returns how many. */
static unsigned take_texts(struct wire_fields *fields, const char *key, char *rows,
	size_t cap, unsigned max, bool (*valid)(const char *))
{
	const struct json *list =
		wire_fields_take(fields, key, JSON_ARRAY, WIRE_OPTIONAL);
	unsigned count = 0;

	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		const char *text = json_as_text(item);

		if (count == max || !text || strlen(text) >= cap ||
			(valid && !valid(text))) {
			wire_fields_refuse(fields, STATUS_RANGE, key,
				count == max ? "has too many entries"
					     : "holds what it should not");
			return 0;
		}
		memcpy(rows + count++ * cap, text, strlen(text) + 1);
	}
	return count;
}

static void read_registry(struct wire_fields *fields, struct obs *obs)
{
	struct obs_registry *registry = &obs->registry;

	wire_fields_word(fields, "domain", WIRE_REQUIRED, registry->domain, OBS_NAME,
		is_name, NAME_WHY);
	wire_fields_text(
		fields, "registrar", WIRE_OPTIONAL, registry->registrar, OBS_TEXT);
	registry->status_count = take_texts(
		fields, "status", registry->status[0], OBS_WORD, OBS_STATUSES, NULL);
	registry->server_count = take_texts(fields, "name_servers",
		registry->name_servers[0], OBS_NAME, OBS_SERVERS, is_name);
	wire_fields_date(fields, "last_changed", WIRE_OPTIONAL, &registry->last_changed);
	wire_fields_date(fields, "expires", WIRE_OPTIONAL, &registry->expires);
	registry->signed_known = wire_fields_take(fields, "delegation_signed", JSON_BOOL,
					 WIRE_OPTIONAL) != NULL;
	wire_fields_bool(
		fields, "delegation_signed", WIRE_OPTIONAL, &registry->delegation_signed);
}

/* ---- health */

static void read_gap(struct wire_fields *fields, struct obs *obs, unsigned number)
{
	struct obs_gap *gap = &obs->health.gaps[number];

	*gap = (struct obs_gap){0};
	wire_fields_moment(fields, "from_us", WIRE_REQUIRED, &gap->from);
	wire_fields_moment(fields, "until_us", WIRE_REQUIRED, &gap->until);
	wire_fields_int(
		fields, "observations", WIRE_REQUIRED, 0, COUNT_MAX, &gap->observations);
}

static void read_health(struct wire_fields *fields, struct obs *obs)
{
	struct obs_health *health = &obs->health;

	take_count(fields, "cpu_us", &health->cpu_us);
	take_count(fields, "rss_bytes", &health->rss_bytes);
	take_count(fields, "spooled_batches", &health->spooled_batches);
	take_count(fields, "spooled_bytes", &health->spooled_bytes);
	take_count(fields, "dropped_observations", &health->dropped_observations);
	take_count(fields, "captured_packets", &health->captured_packets);
	take_count(fields, "capture_drops", &health->capture_drops);
	take_rows(fields, "gaps", WIRE_OPTIONAL, OBS_GAPS, &health->gap_count, read_gap,
		obs);
}

/* ---- maintenance */

static bool is_service_or_all(const char *text)
{
	return strcmp(text, "*") == 0 || wire_service_is_valid(text);
}

static void read_maintenance(struct wire_fields *fields, struct obs *obs)
{
	struct obs_maintenance *work = &obs->maintenance;

	wire_fields_word(fields, "service", WIRE_REQUIRED, work->service, OBS_NAME,
		is_service_or_all, SERVICE_WHY);
	wire_fields_word(fields, "site", WIRE_OPTIONAL, work->site, sizeof(work->site),
		wire_word_is_valid, WORD_WHY);
	wire_fields_moment(fields, "from_us", WIRE_REQUIRED, &work->from);
	wire_fields_moment(fields, "until_us", WIRE_REQUIRED, &work->until);
	wire_fields_text(fields, "note", WIRE_OPTIONAL, work->note, sizeof(work->note));
	if (moment_before(work->until, work->from))
		wire_fields_refuse(fields, STATUS_RANGE, "until_us", "is before from_us");
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
	enum obs_kind kind;

	if (find_kind(&fields, &kind))
		return fields.rc;
	wire_fields_moment(&fields, "at_us", WIRE_REQUIRED, &at);
	obs_init(out, kind, at);
	readers[kind](&fields, out);
	return fields.rc;
}

int wire_decode_parse(
	struct json_doc **out, const char *line, size_t len, struct fault *fault)
{
	int rc;

	*out = NULL;
	if (fault)
		*fault = (struct fault){0};
	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len > WIRE_LINE_MAX)
		return fault_at(fault, STATUS_LIMIT, "",
			"the line is longer than %d bytes", WIRE_LINE_MAX);
	rc = json_parse(out, line, len, 0, fault);
	if (rc == 0 && json_type(json_root(*out)) != JSON_OBJECT) {
		rc = fault_at(fault, STATUS_SYNTAX, "", "should be an object {…}");
		json_doc_free(*out);
		*out = NULL;
	}
	if (fault)
		fault->line =
			0; /* a line of its own has only one; the caller knows which */
	return rc;
}

int wire_decode(struct obs *out, const char *line, size_t len, struct fault *fault)
{
	struct json_doc *doc;
	int rc = wire_decode_parse(&doc, line, len, fault);

	if (rc == 0)
		rc = wire_decode_object(out, json_root(doc), fault);
	json_doc_free(doc);
	return rc;
}
