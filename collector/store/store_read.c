#include "store_read.h"

#include <stddef.h>
#include <string.h>

#include "astray/status.h"
#include "store_inside.h"

/* A list longer than this is for a query of one's own, not for a page. */
#define ROWS "2000"

static int prepare(struct database_statement **out, struct store *store, const char *sql)
{
	return database_prepare(out, store->database, sql);
}

const char *store_read_site(const struct store *store, const char *probe)
{
	return probe_table_site(store->probes, probe);
}

int store_read_sightings(struct store *store, const char *service,
	void (*each)(void *arg, const struct store_sighting *row), void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT service, site, count(*), min(first_us), max(last_us) FROM "
		"sighting WHERE "
		"?1 IS NULL OR service = ?1 GROUP BY service, site ORDER BY service, "
		"site");

	if (rc)
		return rc;
	database_bind_text(statement, 1, service);
	while ((rc = database_step(statement)) > 0) {
		const struct store_sighting row = {.service = database_text(statement, 0),
			.site = database_text(statement, 1),
			.probes = database_int(statement, 2),
			.first_us = database_int(statement, 3),
			.last_us = database_int(statement, 4)};

		each(arg, &row);
	}
	database_finalize(statement);
	return rc;
}

int store_read_probes(struct store *store,
	void (*each)(void *arg, const struct store_probe *row), void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT name, site, first_us, last_us, behind_us, hello, health FROM "
		"probe "
		"ORDER BY last_us < (SELECT max(last_us) FROM probe) - 300000000 DESC, "
		"site, name "
		"LIMIT " ROWS);

	if (rc)
		return rc;
	while ((rc = database_step(statement)) > 0) {
		const struct store_probe row = {.name = database_text(statement, 0),
			.site = database_text(statement, 1),
			.first_us = database_int(statement, 2),
			.last_us = database_int(statement, 3),
			.behind_us = database_int(statement, 4),
			.hello = database_text(statement, 5),
			.health = database_text(statement, 6)};

		each(arg, &row);
	}
	database_finalize(statement);
	return rc;
}

static struct store_form form_at(struct database_statement *statement, int column)
{
	return (struct store_form){.signature = database_text(statement, column),
		.line = database_text(statement, column + 1),
		.first_us = database_int(statement, column + 2),
		.last_us = database_int(statement, column + 3)};
}

int store_read_subjects(struct store *store, const char *kind, const char *service,
	const char *name, void (*each)(void *arg, const struct store_subject *row),
	void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT subject.id, kind, service, site, probe, name, since_us, at_us, "
		"n.signature, "
		"n.line, n.first_us, n.last_us, b.signature, b.line, b.first_us, "
		"b.last_us FROM "
		"subject JOIN form n ON n.id = now LEFT JOIN form b ON b.id = before "
		"WHERE "
		"kind = ?1 AND service = ?2 AND (?3 IS NULL OR name = ?3) "
		"ORDER BY at_us / 60000000 DESC, site, probe, name LIMIT 500");

	if (rc)
		return rc;
	database_bind_text(statement, 1, kind);
	database_bind_text(statement, 2, service);
	database_bind_text(statement, 3, name);
	while ((rc = database_step(statement)) > 0) {
		const struct store_subject row = {.id = database_int(statement, 0),
			.kind = database_text(statement, 1),
			.service = database_text(statement, 2),
			.site = database_text(statement, 3),
			.probe = database_text(statement, 4),
			.name = database_text(statement, 5),
			.since_us = database_int(statement, 6),
			.at_us = database_int(statement, 7),
			.now = form_at(statement, 8),
			.before = form_at(statement, 12)};

		each(arg, &row);
	}
	database_finalize(statement);
	return rc;
}

int store_read_forms(struct store *store, int64_t subject,
	void (*each)(void *arg, const struct store_form *row), void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT signature, line, first_us, last_us FROM form WHERE subject = ? "
		"ORDER BY last_us DESC");

	if (rc)
		return rc;
	database_bind_int(statement, 1, subject);
	while ((rc = database_step(statement)) > 0) {
		const struct store_form row = form_at(statement, 0);

		each(arg, &row);
	}
	database_finalize(statement);
	return rc;
}

static int each_incident(struct database_statement *statement,
	void (*each)(void *arg, const struct store_incident *row), void *arg)
{
	int rc, rows = 0;

	while ((rc = database_step(statement)) > 0) {
		const struct store_incident row = {.id = database_text(statement, 0),
			.state = database_text(statement, 1),
			.severity = database_text(statement, 2),
			.opened_us = database_int(statement, 3),
			.since_us = database_int(statement, 4),
			.rx_us = database_int(statement, 5),
			.line = database_text(statement, 6)};

		each(arg, &row);
		rows++;
	}
	database_finalize(statement);
	return rc < 0 ? rc : rows;
}

#define INCIDENT_COLUMNS "id, state, severity, opened_us, since_us, rx_us, line"

int store_read_incidents(struct store *store, const struct store_incident_filter *filter,
	void (*each)(void *arg, const struct store_incident *row), void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT " INCIDENT_COLUMNS " FROM incident WHERE "
		"(?1 IS NULL OR instr(services, char(10) || ?1 || char(10))) AND "
		"(?2 IS NULL OR state = ?2 OR (?2 = 'open' AND state <> 'resolved')) AND "
		"(?3 = 0 OR opened_us < ?3) ORDER BY opened_us DESC, id LIMIT ?4");

	if (rc)
		return rc;
	database_bind_text(statement, 1, filter->service);
	database_bind_text(statement, 2, filter->state);
	database_bind_int(statement, 3, filter->before_us);
	database_bind_int(statement, 4, filter->limit);
	rc = each_incident(statement, each, arg);
	return rc < 0 ? rc : 0;
}

int store_read_incident(struct store *store, const char *id,
	void (*each)(void *arg, const struct store_incident *row), void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT " INCIDENT_COLUMNS " FROM incident WHERE id = ?");

	if (rc)
		return rc;
	database_bind_text(statement, 1, id);
	rc = each_incident(statement, each, arg);
	return rc < 0 ? rc : (rc ? 0 : STATUS_MISSING);
}

int store_read_incident_forms(struct store *store, const char *id,
	void (*each)(void *arg, const struct store_incident *row), void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT incident, state, severity, 0, 0, rx_us, line FROM incident_form "
		"WHERE "
		"incident = ? ORDER BY number");

	if (rc)
		return rc;
	database_bind_text(statement, 1, id);
	rc = each_incident(statement, each, arg);
	return rc < 0 ? rc : 0;
}

int store_read_incident_notes(struct store *store, const char *id,
	void (*each)(void *arg, const struct store_note *row), void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT rx_us, by, note FROM incident_note WHERE incident = ? ORDER BY "
		"rx_us "
		"LIMIT 100");

	if (rc)
		return rc;
	database_bind_text(statement, 1, id);
	while ((rc = database_step(statement)) > 0) {
		const struct store_note row = {.rx_us = database_int(statement, 0),
			.by = database_text(statement, 1),
			.note = database_text(statement, 2)};

		each(arg, &row);
	}
	database_finalize(statement);
	return rc;
}

int store_read_maintenance(struct store *store, int64_t from_us, int64_t until_us,
	void (*each)(void *arg, const struct store_work *row), void *arg)
{
	struct database_statement *statement;
	int rc = prepare(&statement, store,
		"SELECT rx_us, service, site, from_us, until_us, note FROM maintenance "
		"WHERE "
		"until_us >= ? AND from_us <= ? ORDER BY from_us LIMIT " ROWS);

	if (rc)
		return rc;
	database_bind_int(statement, 1, from_us);
	database_bind_int(statement, 2, until_us);
	while ((rc = database_step(statement)) > 0) {
		const struct store_work row = {.rx_us = database_int(statement, 0),
			.service = database_text(statement, 1),
			.site = database_text(statement, 2),
			.from_us = database_int(statement, 3),
			.until_us = database_int(statement, 4),
			.note = database_text(statement, 5)};

		each(arg, &row);
	}
	database_finalize(statement);
	return rc;
}
