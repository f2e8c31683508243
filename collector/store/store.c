#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"
#include "retention.h"
#include "signature.h"
#include "store_inside.h"

/* What the probe's clock says is believed up to here ahead of ours. */
#define AHEAD_US MOMENT_MINUTE_US

static const char *const schema[] = {
	"CREATE TABLE mark (id INTEGER PRIMARY KEY CHECK (id = 1), rx_us INTEGER, count "
	"INTEGER);"
	"CREATE TABLE series (id INTEGER PRIMARY KEY, service TEXT, site TEXT, UNIQUE "
	"(service, site));"
	"CREATE TABLE rollup (step INTEGER, at_us INTEGER, series INTEGER, window_us "
	"INTEGER,"
	" connections INTEGER, refused INTEGER, timed_out INTEGER, reset INTEGER, "
	"requests INTEGER,"
	" responses INTEGER, errors INTEGER, sent_bytes INTEGER, received_bytes INTEGER,"
	" retransmits INTEGER, lost_packets INTEGER, windows INTEGER, checks INTEGER,"
	" check_failures INTEGER, response BLOB, think BLOB, connect BLOB, rtt BLOB, "
	"check_dns BLOB,"
	" check_connect BLOB, check_tls BLOB, check_first_byte BLOB, check_total BLOB,"
	" PRIMARY KEY (step, at_us, series)) WITHOUT ROWID;"
	"CREATE TABLE sighting (service TEXT, site TEXT, probe TEXT, first_us INTEGER,"
	" last_us INTEGER, PRIMARY KEY (service, site, probe)) WITHOUT ROWID;"
	"CREATE INDEX sighting_by_time ON sighting (last_us);"
	"CREATE TABLE probe (name TEXT PRIMARY KEY, site TEXT, first_us INTEGER, last_us "
	"INTEGER,"
	" behind_us INTEGER, hello TEXT, health TEXT);"
	"CREATE TABLE subject (id INTEGER PRIMARY KEY, kind TEXT, service TEXT, site "
	"TEXT,"
	" probe TEXT, name TEXT, now INTEGER, before INTEGER, since_us INTEGER, at_us "
	"INTEGER,"
	" looks INTEGER, UNIQUE (kind, service, probe, site, name));"
	"CREATE INDEX subject_by_time ON subject (at_us);"
	"CREATE TABLE form (id INTEGER PRIMARY KEY, subject INTEGER, signature TEXT, "
	"hidden INTEGER,"
	" first_us INTEGER, last_us INTEGER, line TEXT, UNIQUE (subject, signature));"
	"CREATE TABLE incident (id TEXT PRIMARY KEY, opened_us INTEGER, since_us INTEGER,"
	" rx_us INTEGER, number INTEGER, state TEXT, severity TEXT, services TEXT, line "
	"TEXT);"
	"CREATE INDEX incident_by_time ON incident (opened_us);"
	"CREATE TABLE incident_form (incident TEXT, number INTEGER, rx_us INTEGER, state "
	"TEXT,"
	" severity TEXT, line TEXT, PRIMARY KEY (incident, number));"
	"CREATE TABLE incident_note (incident TEXT, rx_us INTEGER, by TEXT, note TEXT,"
	" PRIMARY KEY (incident, rx_us));"
	"CREATE TABLE maintenance (rx_us INTEGER PRIMARY KEY, service TEXT, site TEXT,"
	" from_us INTEGER, until_us INTEGER, note TEXT)",
	NULL};

static int read_mark(struct store *store)
{
	struct database_statement *statement;
	int rc = database_prepare(
		&statement, store->database, "SELECT rx_us, count FROM mark");

	if (rc)
		return rc;
	rc = database_step(statement);
	if (rc > 0) {
		store->newest.us = store->passed.us = database_int(statement, 0);
		store->at_newest = store->to_pass = database_int(statement, 1);
		store->committed = store->newest;
	}
	database_finalize(statement);
	return rc < 0 ? rc : 0;
}

static int open_parts(struct store *store)
{
	struct database *database = store->database;
	/* A power cut may cost the last commits, not their wholeness; the journal gives
	 * them again. */
	int rc = database_run(database, "PRAGMA synchronous=NORMAL");

	if (!rc)
		rc = read_mark(store);
	if (!rc)
		rc = database_prepare(&store->write_mark, database,
			"REPLACE INTO mark (id, rx_us, count) VALUES (1, ?, ?)");
	if (!rc)
		rc = subject_open(&store->subjects, database);
	if (!rc)
		rc = sighting_open(&store->sightings, database);
	if (!rc)
		rc = probe_table_open(&store->probes, database);
	if (!rc)
		rc = incident_log_open(&store->incidents, database);
	if (!rc)
		rc = rollup_new(&store->rollup);
	return rc;
}

static void close_parts(struct store *store)
{
	database_finalize(store->write_mark);
	subject_close(store->subjects);
	sighting_close(store->sightings);
	probe_table_close(store->probes);
	incident_log_close(store->incidents);
	rollup_free(store->rollup);
	database_close(store->database);
	free(store->line);
	free(store);
}

int store_open(
	struct store **out, const struct store_settings *settings, struct fault *fault)
{
	struct store *store = calloc(1, sizeof(*store));
	int rc = -ENOMEM;

	*out = NULL;
	if (!store)
		return rc;
	store->keep_us = settings->keep_us;
	store->line = malloc(WIRE_LINE_MAX);
	if (!store->line)
		goto fail;
	rc = database_open(&store->database, settings->file, schema, 0, fault);
	if (rc)
		goto fail;
	rc = open_parts(store);
	if (rc) {
		rc = database_fault(store->database, rc, fault);
		goto fail;
	}
	*out = store;
	return 0;

fail:
	close_parts(store);
	return rc;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	(void)store_flush(store, NULL);
	close_parts(store);
}

struct moment store_watermark(const struct store *store)
{
	return store->committed;
}

void store_read_counters(const struct store *store, struct store_counters *out)
{
	*out = store->counters;
}

/* Notes how a piece of work ended. No room is not the transaction's end, everything else
 * is; why is asked for at once, before the next call to SQLite has other news. */
static bool went_well(struct store *store, int rc)
{
	if (rc >= 0)
		return true;
	if (rc == STATUS_LIMIT) {
		store->counters.refused++;
		return true;
	}
	if (!store->failed)
		store->failed = database_fault(store->database, rc, &store->fault);
	return false;
}

/* False once the transaction is spoilt: there is no sense in more work before it is
 * ended. */
static bool begin(struct store *store)
{
	if (store->failed)
		return false;
	if (!store->begun)
		store->begun = went_well(store, database_begin(store->database));
	return store->begun;
}

static void give_up(struct store *store, struct fault *fault)
{
	database_rollback(store->database);
	rollup_clear(store->rollup);
	sighting_forget(store->sightings);
	store->counters.failures++;
	store->counters.lost += store->since_flush;
	if (fault)
		*fault = store->fault;
	store->begun = false;
	store->failed = 0;
	store->since_flush = 0;
}

static int write_gathered(struct store *store)
{
	int rc = rollup_write(store->rollup, store->database);

	if (!rc)
		rc = sighting_write(store->sightings);
	if (!rc)
		rc = probe_table_write(store->probes);
	if (rc)
		return rc;
	database_bind_int(store->write_mark, 1, store->newest.us);
	database_bind_int(store->write_mark, 2, store->at_newest);
	return database_step(store->write_mark);
}

static int forget_old(struct store *store)
{
	int rows = store->keep_us ? retention_step(store->database, store->newest,
					    store->keep_us)
				  : 0;

	if (rows > 0)
		store->counters.forgotten_rows += (uint64_t)rows;
	return rows < 0 ? rows : 0;
}

int store_flush(struct store *store, struct fault *fault)
{
	int rc;

	if (!store->since_flush && !store->failed)
		return 0;
	if (begin(store) && went_well(store, write_gathered(store)) &&
		went_well(store, forget_old(store)))
		(void)went_well(store, database_commit(store->database));
	if (store->failed) {
		rc = store->failed;
		give_up(store, fault);
		return rc;
	}
	store->begun = false;
	store->since_flush = 0;
	store->committed = store->newest;
	store->counters.flushes++;
	/* Pages that deletes left empty go back to the disk, a few at a time. */
	(void)database_run(store->database, "PRAGMA incremental_vacuum(64)");
	return 0;
}

static void make_room(struct store *store)
{
	if (rollup_is_full(store->rollup) || sighting_is_full(store->sightings))
		(void)store_flush(store, NULL);
}

/* Whether a restart feeds it for the second time. */
static bool is_known(struct store *store, struct moment rx)
{
	if (moment_before(rx, store->passed))
		return true;
	if (rx.us == store->passed.us && store->to_pass > 0) {
		store->to_pass--;
		return true;
	}
	return false;
}

static void mark(struct store *store, struct moment rx)
{
	if (moment_before(store->newest, rx)) {
		store->newest = rx;
		store->at_newest = 0;
	}
	store->at_newest++;
	store->since_flush++;
	store->counters.observations++;
}

/* The time at which it counts: the probe's, unless that is in the future or older than
 * anything that is kept. */
static struct moment counting_time(
	const struct store *store, struct moment rx, struct moment at)
{
	int64_t oldest_us = store->keep_us ? rx.us - store->keep_us : 0;

	return at.us > rx.us + AHEAD_US || at.us < oldest_us ? rx : at;
}

static int see(struct store *store, enum subject_kind kind, const char *service,
	const char *site, const char *probe, const char *name, struct moment rx,
	const struct signature *signature)
{
	const struct subject_key key = {kind, service, site, probe, name};

	if (strlen(store->line) >= SUBJECT_LINE_MAX)
		return STATUS_LIMIT;
	return subject_see(store->subjects, &key, rx, signature, store->line);
}

static int see_trace(struct store *store, const struct wire_origin *origin,
	const char *site, const struct obs_trace *trace)
{
	struct signature signature;
	char name[64];

	signature_of_trace(&signature, trace);
	(void)snprintf(name, sizeof(name), "%s/%s/%" PRId64,
		obs_protocol_text(trace->protocol), trace->peer.family == 6 ? "6" : "4",
		trace->flow == OBS_ABSENT ? 0 : trace->flow);
	return see(store, SUBJECT_PATH, trace->service, site, origin->probe, name,
		origin->rx, &signature);
}

/* What the registry's servers and the zone's say is the same wherever one asks; a
 * resolver's answer is its site's. */
static int see_dns(struct store *store, const struct wire_origin *origin,
	const char *site, const struct obs_dns *dns)
{
	struct signature signature;
	char name[OBS_NAME + 32];

	if (!signature_of_dns(&signature, dns))
		return 0;
	(void)snprintf(name, sizeof(name), "%s %s %s", obs_dns_role_text(dns->role),
		dns->type, dns->name);
	return see(store, SUBJECT_DNS, dns->service,
		dns->role == OBS_RESOLVER ? site : "", "", name, origin->rx, &signature);
}

static int see_check(struct store *store, const struct wire_origin *origin,
	const char *site, const struct obs_check *check)
{
	struct signature signature;
	int rc;

	signature_of_check(&signature, check);
	rc = see(store, SUBJECT_CHECK, check->service, site, origin->probe, check->url,
		origin->rx, &signature);
	if ((rc && rc != STATUS_LIMIT) || !check->tls.present)
		return rc;
	signature_of_certificate(&signature, &check->tls);
	return see(store, SUBJECT_CERTIFICATE, check->service, site, "", check->url,
		origin->rx, &signature);
}

static int see_registry(struct store *store, const struct wire_origin *origin,
	const struct obs_registry *registry)
{
	struct signature signature;

	signature_of_registry(&signature, registry);
	return see(store, SUBJECT_REGISTRY, "", "", "", registry->domain, origin->rx,
		&signature);
}

static int see_numbers(struct store *store, const struct wire_origin *origin,
	const char *site, const struct obs *obs)
{
	struct moment at = counting_time(store, origin->rx, obs->at);
	int64_t series;
	int rc = sighting_series(store->sightings, obs_service(obs), site, &series);

	return rc ? rc : rollup_add(store->rollup, series, at, obs);
}

static int take_by_kind(struct store *store, const struct wire_origin *origin,
	const char *site, const struct obs *obs)
{
	int rc;

	switch (obs->kind) {
	case OBS_TRAFFIC:
		return see_numbers(store, origin, site, obs);
	case OBS_CHECK:
		rc = see_numbers(store, origin, site, obs);
		return rc && rc != STATUS_LIMIT
			       ? rc
			       : see_check(store, origin, site, &obs->check);
	case OBS_TRACE:
		return see_trace(store, origin, site, &obs->trace);
	case OBS_DNS:
		return see_dns(store, origin, site, &obs->dns);
	case OBS_REGISTRY:
		return see_registry(store, origin, &obs->registry);
	case OBS_MAINTENANCE:
		return incident_log_maintain(
			store->incidents, origin->rx, &obs->maintenance);
	case OBS_ACKNOWLEDGE:
		return incident_log_acknowledge(
			store->incidents, origin->rx, &obs->acknowledge);
	case OBS_HELLO:
	case OBS_HEALTH:
	case OBS_KINDS:
		break;
	}
	return 0;
}

static bool is_an_operators(const struct obs *obs)
{
	return obs->kind == OBS_MAINTENANCE || obs->kind == OBS_ACKNOWLEDGE;
}

/* Everything is kept as its line except traffic, which is kept as sums. */
static int encode(struct store *store, const struct obs *obs)
{
	int len;

	store->line[0] = '\0';
	if (obs->kind == OBS_TRAFFIC || is_an_operators(obs))
		return 0;
	len = wire_encode(store->line, WIRE_LINE_MAX, obs);
	if (len < 0)
		return len;
	store->line[len - 1] = '\0'; /* without its newline */
	return 0;
}

static int take(
	struct store *store, const struct wire_origin *origin, const struct obs *obs)
{
	const char *site;
	int rc = encode(store, obs);

	if (rc || is_an_operators(obs))
		return rc ? rc : take_by_kind(store, origin, "", obs);
	rc = probe_table_see(store->probes, origin, obs, store->line);
	if (rc)
		return rc;
	site = probe_table_site(store->probes, origin->probe);
	if (obs_service(obs)[0])
		rc = sighting_add(store->sightings, obs_service(obs), site, origin->probe,
			origin->rx);
	return rc ? rc : take_by_kind(store, origin, site, obs);
}

void store_observed(
	struct store *store, const struct wire_origin *origin, const struct obs *obs)
{
	if (is_known(store, origin->rx))
		return;
	make_room(store);
	mark(store, origin->rx);
	if (begin(store))
		(void)went_well(store, take(store, origin, obs));
}

void store_changed(
	struct store *store, enum incident_change change, const struct incident *incident)
{
	if (moment_before(incident->rx, store->passed))
		return;
	store->since_flush++;
	store->counters.changes++;
	if (begin(store))
		(void)went_well(
			store, incident_log_put(store->incidents, change, incident));
}
