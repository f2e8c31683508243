#include "ingest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/json.h"
#include "astray/now.h"
#include "astray/status.h"
#include "batch_text.h"
#include "parcel.h"
#include "roster.h"

#define PROBES_MAX 20000
#define WAITING_BYTES_MAX (256 * (size_t)1024 * 1024) /* decoded, not yet fed */
#define SLICE_US 5000 /* of feeding, before the loop's other work has its turn */
#define BUSY_SECONDS 2
#define BROKEN_SECONDS 10
#define OPERATOR_LINE_MAX 4096

/* A batch from the journal's door to the sink. */
struct delivery {
	struct delivery *next;
	struct ingest *ingest;
	struct wire_origin origin;
	struct parcel observations;
	size_t at; /* fed up to here */
	int64_t count;
	struct http_exchange
		*exchange; /* waits for the answer; NULL: answered, or an operator's */
	struct roster_probe *probe; /* NULL: an operator's */
	ingest_said_fn said;
	void *said_arg;
};

struct queue {
	struct delivery *first, **end;
};

struct ingest {
	struct journal *journal;
	struct ingest_rules rules;
	const struct log *log;
	ingest_sink_fn sink;
	void *sink_arg;
	struct roster *roster;
	struct obs *scratch;
	uv_idle_t feeder;
	struct queue journalled; /* handed to the journal, in its order */
	struct queue durable;    /* to be fed */
	struct ingest_counters counters;
	char boot[33]; /* of this run: names what operators say */
	int64_t said;
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

static void queue_init(struct queue *queue)
{
	*queue = (struct queue){.end = &queue->first};
}

static void queue_add(struct queue *queue, struct delivery *delivery)
{
	delivery->next = NULL;
	*queue->end = delivery;
	queue->end = &delivery->next;
}

static struct delivery *queue_remove_first(struct queue *queue)
{
	struct delivery *delivery = queue->first;

	queue->first = delivery->next;
	if (!queue->first)
		queue->end = &queue->first;
	return delivery;
}

static void free_delivery(struct delivery *delivery)
{
	parcel_free(&delivery->observations);
	free(delivery);
}

/* ---- answers */

static void put_off(struct ingest *ingest, struct http_exchange *exchange, int status,
	int64_t seconds, const char *why)
{
	char after[24], body[256];
	const struct http_header headers[] = {{"Retry-After", after}, {0}};
	int len = snprintf(body, sizeof(body), "{\"error\":\"%s\"}", why);

	ingest->counters.put_off++;
	(void)snprintf(after, sizeof(after), "%" PRId64, seconds);
	http_server_reply(exchange, &(struct http_reply){.status = status,
					    .content_type = "application/json",
					    .body = body,
					    .body_len = (size_t)len,
					    .headers = headers});
}

static void refuse_batch(struct ingest *ingest, struct http_exchange *exchange,
	int status, struct roster_probe *probe, const struct fault *fault)
{
	struct json *root = json_new_object();
	char body[4096];
	int len;

	ingest->counters.refused_batches++;
	json_add_text(root, "error", fault->why);
	json_add_int(root, "line", fault->line);
	json_add_text(root, "field", fault->field);
	len = json_print(root, body, sizeof(body));
	json_free(root);
	if (roster_may_complain(probe, now_tick()))
		log_warn(ingest->log, "ingest",
			"%s: a batch is refused: line %u: %s: %s; more of it in a minute",
			probe->name, fault->line, *fault->field ? fault->field : "-",
			fault->why);
	http_server_reply(exchange, &(struct http_reply){.status = status,
					    .content_type = "application/json",
					    .body = body,
					    .body_len = len > 0 ? (size_t)len : 0});
}

static void acknowledge(struct http_exchange *exchange, int64_t seq)
{
	char body[64];
	int len = snprintf(body, sizeof(body), "{\"acknowledged\":%" PRId64 "}", seq);

	http_server_reply(exchange, &(struct http_reply){.status = 200,
					    .content_type = "application/json",
					    .body = body,
					    .body_len = (size_t)len});
}

/* ---- who speaks */

static const char *name_of_token(const struct ingest *ingest, const char *token)
{
	const char *name = NULL;
	struct secret shown;

	if (secret_of(&shown, token))
		return NULL;
	for (size_t i = 0; i < ingest->rules.token_count; i++)
		if (secret_equal(&ingest->rules.tokens[i].secret, &shown))
			name = ingest->rules.tokens[i]
				       .probe; /* all are looked at, found or not */
	return name;
}

static bool is_refused(const struct ingest *ingest, const char *name)
{
	for (size_t i = 0; i < ingest->rules.refused_count; i++)
		if (strcmp(ingest->rules.refused[i], name) == 0)
			return true;
	return false;
}

static void refuse_stranger(struct ingest *ingest, struct http_exchange *exchange,
	int status, const char *why)
{
	static const struct http_header headers[] = {{"WWW-Authenticate", "Bearer"}, {0}};
	char body[256];
	int len = snprintf(body, sizeof(body), "{\"error\":\"%s\"}", why);

	ingest->counters.unauthorized++;
	http_server_reply(exchange, &(struct http_reply){.status = status,
					    .content_type = "application/json",
					    .body = body,
					    .body_len = (size_t)len,
					    .headers = status == 401 ? headers : NULL});
}

/* The probe's name, or NULL after the answer has been given. A token and a certificate
 * that contradict are nobody's. */
static const char *authenticate(struct ingest *ingest, struct http_exchange *exchange)
{
	const char *name = http_server_request(exchange)->client;
	const char *token = secret_bearer(http_server_header(exchange, "authorization"));
	const char *by_token = token ? name_of_token(ingest, token) : NULL;

	if (token && (!by_token || (*name && strcmp(name, by_token) != 0))) {
		refuse_stranger(ingest, exchange, 401, "the token is not known here");
		return NULL;
	}
	if (by_token)
		name = by_token;
	if (!*name) {
		refuse_stranger(ingest, exchange, 401,
			"a probe shows a client certificate or a bearer token");
		return NULL;
	}
	if (!wire_word_is_valid(name) || strcmp(name, BATCH_TEXT_OPERATOR) == 0 ||
		is_refused(ingest, name)) {
		refuse_stranger(ingest, exchange, 403, "this name is no probe's");
		return NULL;
	}
	return name;
}

/* ---- feeding */

static void feed_some(struct ingest *ingest, struct delivery *delivery)
{
	if (parcel_next(&delivery->observations, &delivery->at, ingest->scratch)) {
		if (ingest->scratch->kind == OBS_HELLO)
			ingest_learn(ingest, delivery->origin.probe,
				ingest->scratch->hello.role);
		ingest->sink(ingest->sink_arg, &delivery->origin, ingest->scratch);
		ingest->counters.waiting_observations--;
		return;
	}
	(void)queue_remove_first(&ingest->durable);
	ingest->counters.waiting_bytes -= delivery->observations.used;
	if (delivery->said)
		delivery->said(delivery->said_arg, 0);
	free_delivery(delivery);
}

static void feeder_closed(uv_handle_t *handle)
{
	struct ingest *ingest = handle->data;

	if (ingest->closed)
		ingest->closed(ingest->closed_arg);
	roster_free(ingest->roster);
	free(ingest->scratch);
	free(ingest);
}

static void rest_when_empty(struct ingest *ingest)
{
	if (ingest->durable.first)
		return;
	(void)uv_idle_stop(&ingest->feeder);
	if (ingest->closing)
		uv_close((uv_handle_t *)&ingest->feeder, feeder_closed);
}

static void feeder_turned(uv_idle_t *feeder)
{
	struct ingest *ingest = feeder->data;
	struct tick start = now_tick();

	while (ingest->durable.first && tick_since_us(now_tick(), start) < SLICE_US)
		feed_some(ingest, ingest->durable.first);
	rest_when_empty(ingest);
}

static void answer(struct ingest *ingest, struct delivery *delivery, int rc)
{
	if (!delivery->exchange)
		return;
	if (rc == 0 || rc == STATUS_DUPLICATE)
		acknowledge(delivery->exchange, delivery->origin.seq);
	else
		put_off(ingest, delivery->exchange, 503, BROKEN_SECONDS,
			"the journal cannot be written at the moment");
	delivery->exchange = NULL;
}

static void journal_done(void *arg, int rc)
{
	struct delivery *delivery = arg;
	struct ingest *ingest = delivery->ingest;

	(void)queue_remove_first(&ingest->journalled);
	if (delivery->probe)
		delivery->probe->waiting--;
	answer(ingest, delivery, rc);
	if (rc == 0) {
		ingest->counters.batches++;
		ingest->counters.observations += (uint64_t)delivery->count;
		ingest->counters.waiting_observations += (uint64_t)delivery->count;
		queue_add(&ingest->durable, delivery);
		(void)uv_idle_start(&ingest->feeder, feeder_turned);
		return;
	}
	ingest->counters.duplicates += rc == STATUS_DUPLICATE;
	ingest->counters.waiting_bytes -= delivery->observations.used;
	if (delivery->said)
		delivery->said(delivery->said_arg, rc);
	free_delivery(delivery);
}

/* ---- a batch */

static int append(struct ingest *ingest, struct delivery *delivery,
	enum squeeze_coding coding, const void *body, size_t len)
{
	struct journal_batch batch;
	int rc;

	delivery->origin.rx = journal_stamp(ingest->journal);
	batch = (struct journal_batch){.origin = delivery->origin,
		.observations = delivery->count,
		.coding = coding,
		.body = body,
		.body_len = len};
	rc = journal_append(ingest->journal, &batch, journal_done, delivery);
	if (rc)
		return rc;
	queue_add(&ingest->journalled, delivery);
	ingest->counters.waiting_bytes += delivery->observations.used;
	if (delivery->probe)
		delivery->probe->waiting++;
	return 0;
}

static struct delivery *new_delivery(struct ingest *ingest,
	const struct wire_batch *batch, const struct parcel *observations)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));

	if (!delivery)
		return NULL;
	delivery->ingest = ingest;
	delivery->origin.seq = batch->seq;
	memcpy(delivery->origin.probe, batch->probe, sizeof(batch->probe));
	memcpy(delivery->origin.boot, batch->boot, sizeof(batch->boot));
	delivery->observations = *observations;
	delivery->count = batch->observations;
	return delivery;
}

static int coding_of(enum squeeze_coding *out, const struct http_exchange *exchange)
{
	const char *text = http_server_header(exchange, "content-encoding");

	if (!text || strcasecmp(text, "identity") == 0)
		*out = SQUEEZE_IDENTITY;
	else if (strcasecmp(text, "zstd") == 0)
		*out = SQUEEZE_ZSTD;
	else if (strcasecmp(text, "gzip") == 0)
		*out = SQUEEZE_GZIP;
	else
		return STATUS_UNSUPPORTED;
	return 0;
}

/* Takes over the observations. */
static void take_in(struct ingest *ingest, struct http_exchange *exchange,
	const struct wire_batch *batch, struct parcel *observations,
	struct roster_probe *probe, enum squeeze_coding coding)
{
	const struct http_request *request = http_server_request(exchange);
	struct delivery *delivery = new_delivery(ingest, batch, observations);

	if (!delivery) {
		parcel_free(observations);
		put_off(ingest, exchange, 503, BUSY_SECONDS, "no memory at the moment");
		return;
	}
	delivery->exchange = exchange;
	delivery->probe = probe;
	if (append(ingest, delivery, coding, request->body, request->body_len)) {
		free_delivery(delivery);
		put_off(ingest, exchange, 503, BUSY_SECONDS,
			"too many batches wait at the moment");
	}
}

static void read_batch(struct ingest *ingest, struct http_exchange *exchange,
	struct roster_probe *probe, enum squeeze_coding coding, const char *text,
	size_t len)
{
	struct parcel observations = {0};
	struct fault fault = {0};
	struct wire_batch batch;
	int status = batch_text_read(
		&batch, &observations, text, len, probe->name, ingest->scratch, &fault);

	if (status == 0) {
		take_in(ingest, exchange, &batch, &observations, probe, coding);
		return;
	}
	parcel_free(&observations);
	if (status == 503)
		put_off(ingest, exchange, 503, BUSY_SECONDS, "no memory at the moment");
	else
		refuse_batch(ingest, exchange, status, probe, &fault);
}

static void expand(struct ingest *ingest, struct http_exchange *exchange,
	struct roster_probe *probe, enum squeeze_coding coding)
{
	const struct http_request *request = http_server_request(exchange);
	struct fault fault = {0};
	void *text;
	size_t len;
	int64_t wait_s;
	int rc = squeeze_unpack(&text, &len, coding, request->body, request->body_len,
		(size_t)WIRE_BATCH_MAX);

	if (rc == -ENOMEM) {
		put_off(ingest, exchange, 503, BUSY_SECONDS, "no memory at the moment");
		return;
	}
	if (rc) {
		(void)fault_at(&fault, rc, "", "%s",
			rc == STATUS_LIMIT ? "the batch is too large when expanded"
					   : "the body is not of its content encoding");
		refuse_batch(
			ingest, exchange, rc == STATUS_LIMIT ? 413 : 400, probe, &fault);
		return;
	}
	ingest->counters.expanded_bytes += len;
	wait_s = roster_charge(ingest->roster, probe, len, now_tick());
	if (wait_s)
		put_off(ingest, exchange, 429, wait_s,
			"this probe sends more than it may");
	else
		read_batch(ingest, exchange, probe, coding, text, len);
	free(text);
}

static bool is_ndjson(const char *content_type)
{
	static const char wanted[] = "application/x-ndjson";
	size_t len = sizeof(wanted) - 1;

	return content_type && strncasecmp(content_type, wanted, len) == 0 &&
	       strchr("; \t", content_type[len]); /* the end counts, too */
}

static void observations_came(
	struct ingest *ingest, struct http_exchange *exchange, const char *name)
{
	struct roster_probe *probe;
	enum squeeze_coding coding;

	ingest->counters.received_bytes += http_server_request(exchange)->body_len;
	if (!is_ndjson(http_server_header(exchange, "content-type"))) {
		http_server_refuse(
			exchange, 415, "the content type is application/x-ndjson");
		return;
	}
	if (coding_of(&coding, exchange)) {
		http_server_refuse(
			exchange, 415, "the content encodings are zstd and gzip");
		return;
	}
	probe = roster_probe(ingest->roster, name, now_tick());
	if (!probe || ingest->counters.waiting_bytes > WAITING_BYTES_MAX)
		put_off(ingest, exchange, 503, BUSY_SECONDS,
			"too much waits at the moment");
	else if (probe->waiting >= ROSTER_WAITING_MAX)
		put_off(ingest, exchange, 429, 1,
			"too many batches of this probe wait already");
	else
		expand(ingest, exchange, probe, coding);
}

/* ---- the assignment */

/* What the probe says it is now; one that does not say is what its last hello said. */
static enum obs_role role_asked(
	struct ingest *ingest, struct http_exchange *exchange, const char *name)
{
	const struct roster_probe *probe = roster_probe(ingest->roster, name, now_tick());
	char word[OBS_WORD];

	if (http_server_parameter(exchange, "role", word, sizeof(word)))
		for (enum obs_role role = OBS_ENDPOINT; role <= OBS_SENTINEL; role++)
			if (strcmp(word, obs_role_text(role)) == 0)
				return role;
	return probe ? probe->role : OBS_ENDPOINT;
}

static void assignment_asked(
	struct ingest *ingest, struct http_exchange *exchange, const char *name)
{
	enum obs_role role = role_asked(ingest, exchange, name);
	const struct assigned_answer *mine = &ingest->rules.assigned->roles[role];
	const struct http_header headers[] = {{"ETag", mine->etag}, {0}};

	if (!mine->body)
		http_server_refuse(exchange, 404, "nothing is assigned to the role %s",
			obs_role_text(role));
	else if (assigned_etag_matches(
			 mine, http_server_header(exchange, "if-none-match")))
		http_server_reply(exchange,
			&(struct http_reply){.status = 304, .headers = headers});
	else
		http_server_reply(exchange, &(struct http_reply){.status = 200,
						    .content_type = "application/json",
						    .body = mine->body,
						    .body_len = mine->len,
						    .headers = headers});
}

/* ---- the handler */

static const struct route {
	const char *path, *method;
	void (*handle)(
		struct ingest *ingest, struct http_exchange *exchange, const char *name);
} routes[] = {
	{"/v1/observations", "POST", observations_came},
	{"/v1/assignment", "GET", assignment_asked},
	{0},
};

void ingest_handle(void *arg, struct http_exchange *exchange)
{
	const struct http_request *request = http_server_request(exchange);
	const struct route *route = routes;
	struct ingest *ingest = arg;
	const char *name;

	while (route->path && strcmp(route->path, request->path) != 0)
		route++;
	if (!route->path) {
		http_server_refuse(exchange, 404, "there is nothing here");
		return;
	}
	if (strcmp(route->method, request->method) != 0) {
		const struct http_header headers[] = {{"Allow", route->method}, {0}};

		http_server_reply(exchange,
			&(struct http_reply){.status = 405, .headers = headers});
		return;
	}
	name = authenticate(ingest, exchange);
	if (name)
		route->handle(ingest, exchange, name);
}

/* ---- operators */

static int make_said(struct ingest *ingest, char *text, size_t cap,
	struct wire_batch *batch, const char *line, size_t len)
{
	int head;

	*batch = (struct wire_batch){.probe = BATCH_TEXT_OPERATOR,
		.seq = ingest->said,
		.sent = now_moment(),
		.observations = 1};
	(void)snprintf(batch->boot, sizeof(batch->boot), "%s", ingest->boot);
	head = wire_encode_batch(text, cap, batch);
	while (len && line[len - 1] == '\n')
		len--;
	if (head < 0 || len + 1 > cap - (size_t)head)
		return STATUS_LIMIT;
	memcpy(text + head, line, len);
	text[(size_t)head + len] = '\n';
	return head + (int)len + 1;
}

int ingest_say(struct ingest *ingest, const char *line, size_t len, ingest_said_fn done,
	void *arg, struct fault *fault)
{
	struct parcel observations = {0};
	struct delivery *delivery = NULL;
	char text[OPERATOR_LINE_MAX];
	struct wire_batch batch;
	int rc = wire_decode(ingest->scratch, line, len, fault), size = 0;

	if (rc)
		return rc;
	if (ingest->scratch->kind != OBS_MAINTENANCE &&
		ingest->scratch->kind != OBS_ACKNOWLEDGE)
		return fault_at(fault, STATUS_UNKNOWN, "kind", "no operator says this");
	size = make_said(ingest, text, sizeof(text), &batch, line, len);
	rc = size < 0 ? size : parcel_add(&observations, ingest->scratch);
	if (rc == 0) {
		delivery = new_delivery(ingest, &batch, &observations);
		rc = delivery ? 0 : -ENOMEM;
	}
	if (rc == 0) {
		delivery->said = done;
		delivery->said_arg = arg;
		rc = append(ingest, delivery, SQUEEZE_IDENTITY, text, (size_t)size);
	}
	if (rc) {
		parcel_free(&observations);
		free(delivery);
		return fault_at(fault, rc, "", "%s", status_text(rc));
	}
	ingest->said++;
	return 0;
}

/* ---- life */

static int choose_boot(struct ingest *ingest)
{
	uint8_t bytes[(sizeof(ingest->boot) - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		(void)snprintf(ingest->boot + (size_t)2 * i, 3, "%02x", bytes[i]);
	return 0;
}

int ingest_open(struct ingest **out, struct uv_loop_s *loop, struct journal *journal,
	const struct ingest_rules *rules, const struct log *log, ingest_sink_fn sink,
	void *arg)
{
	struct ingest *ingest = calloc(1, sizeof(*ingest));
	int rc;

	*out = NULL;
	if (!ingest)
		return -ENOMEM;
	ingest->journal = journal;
	ingest->rules = *rules;
	ingest->log = log;
	ingest->sink = sink;
	ingest->sink_arg = arg;
	queue_init(&ingest->journalled);
	queue_init(&ingest->durable);
	ingest->scratch = malloc(sizeof(*ingest->scratch));
	rc = ingest->scratch ? roster_new(&ingest->roster, PROBES_MAX,
				       rules->quota_bytes_per_minute)
			     : -ENOMEM;
	if (rc == 0)
		rc = choose_boot(ingest);
	if (rc == 0)
		rc = uv_idle_init(loop, &ingest->feeder);
	if (rc) {
		roster_free(ingest->roster);
		free(ingest->scratch);
		free(ingest);
		return rc;
	}
	ingest->feeder.data = ingest;
	*out = ingest;
	return 0;
}

void ingest_close(struct ingest *ingest, void (*closed)(void *arg), void *arg)
{
	ingest->closing = true;
	ingest->closed = closed;
	ingest->closed_arg = arg;
	rest_when_empty(ingest);
}

void ingest_set_rules(struct ingest *ingest, const struct ingest_rules *rules)
{
	ingest->rules = *rules;
	roster_set_quota(ingest->roster, rules->quota_bytes_per_minute);
}

void ingest_read_counters(const struct ingest *ingest, struct ingest_counters *out)
{
	*out = ingest->counters;
	out->probes = roster_count(ingest->roster);
}

void ingest_learn(struct ingest *ingest, const char *name, enum obs_role role)
{
	struct roster_probe *probe = roster_probe(ingest->roster, name, now_tick());

	if (probe)
		probe->role = role;
}

struct moment ingest_settled(const struct ingest *ingest)
{
	if (ingest->durable.first)
		return ingest->durable.first->origin.rx;
	if (ingest->journalled.first)
		return ingest->journalled.first->origin.rx;
	return journal_now(ingest->journal);
}
