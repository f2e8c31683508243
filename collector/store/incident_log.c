#include "incident_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

#define SAID_MAX 200 /* forms kept of one incident: the latest */

struct incident_log {
	struct database_statement *put, *say, *forget, *note, *maintain;
	char *line;
};

int incident_log_open(struct incident_log **out, struct database *database)
{
	struct incident_log *log = calloc(1, sizeof(*log));
	int rc = -ENOMEM;

	*out = NULL;
	if (!log)
		return rc;
	log->line = malloc(INCIDENT_LINE_MAX);
	if (!log->line)
		goto fail;
	const struct {
		struct database_statement **into;
		const char *sql;
	} rows[] = {
		{&log->put,
			"REPLACE INTO incident (id, opened_us, since_us, rx_us, number, "
			"state, "
			"severity, services, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
		{&log->say, "REPLACE INTO incident_form (incident, number, rx_us, state, "
			    "severity, "
			    "line) VALUES (?, ?, ?, ?, ?, ?)"},
		{&log->forget,
			"DELETE FROM incident_form WHERE incident = ? AND number <= ?"},
		{&log->note, "REPLACE INTO incident_note (incident, rx_us, by, note) "
			     "VALUES (?, ?, "
			     "?, ?)"},
		{&log->maintain,
			"REPLACE INTO maintenance (rx_us, service, site, from_us, "
			"until_us, note) VALUES (?, ?, ?, ?, ?, ?)"},
	};
	rc = 0;
	for (size_t i = 0; !rc && i < sizeof(rows) / sizeof(rows[0]); i++)
		rc = database_prepare(rows[i].into, database, rows[i].sql);
	if (rc)
		goto fail;
	*out = log;
	return 0;

fail:
	incident_log_close(log);
	return rc;
}

void incident_log_close(struct incident_log *log)
{
	if (!log)
		return;
	database_finalize(log->put);
	database_finalize(log->say);
	database_finalize(log->forget);
	database_finalize(log->note);
	database_finalize(log->maintain);
	free(log->line);
	free(log);
}

/* "\nexchange\nmail\n": a name is in it with its newlines, and no name holds one. */
static const char *service_lines(const struct incident *incident,
	char buf[static INCIDENT_SERVICES * (OBS_NAME + 1) + 2])
{
	char *at = buf;

	*at++ = '\n';
	for (unsigned i = 0; i < incident->service_count; i++) {
		at = stpcpy(at, incident->services[i]);
		*at++ = '\n';
	}
	*at = '\0';
	return buf;
}

static int put(struct incident_log *log, const struct incident *incident)
{
	char services[INCIDENT_SERVICES * (OBS_NAME + 1) + 2];

	database_bind_text(log->put, 1, incident->id);
	database_bind_int(log->put, 2, incident->opened.us);
	database_bind_int(log->put, 3, incident->since.us);
	database_bind_int(log->put, 4, incident->rx.us);
	database_bind_int(log->put, 5, incident->change_number);
	database_bind_text(log->put, 6, incident_state_text(incident->state));
	database_bind_text(log->put, 7, incident_severity_text(incident->severity));
	database_bind_text(log->put, 8, service_lines(incident, services));
	database_bind_text(log->put, 9, log->line);
	return database_step(log->put);
}

static int say(struct incident_log *log, const struct incident *incident)
{
	int rc;

	database_bind_text(log->say, 1, incident->id);
	database_bind_int(log->say, 2, incident->change_number);
	database_bind_int(log->say, 3, incident->rx.us);
	database_bind_text(log->say, 4, incident_state_text(incident->state));
	database_bind_text(log->say, 5, incident_severity_text(incident->severity));
	database_bind_text(log->say, 6, log->line);
	rc = database_step(log->say);
	if (rc)
		return rc;
	database_bind_text(log->forget, 1, incident->id);
	database_bind_int(log->forget, 2, (int64_t)incident->change_number - SAID_MAX);
	return database_step(log->forget);
}

int incident_log_put(struct incident_log *log, enum incident_change change,
	const struct incident *incident)
{
	int rc = incident_encode(log->line, INCIDENT_LINE_MAX, incident);

	if (rc < 0)
		return rc;
	rc = put(log, incident);
	return rc || change == INCIDENT_CHANGE_UPDATED ? rc : say(log, incident);
}

int incident_log_acknowledge(
	struct incident_log *log, struct moment rx, const struct obs_acknowledge *said)
{
	database_bind_text(log->note, 1, said->incident);
	database_bind_int(log->note, 2, rx.us);
	database_bind_text(log->note, 3, said->by);
	database_bind_text(log->note, 4, said->note);
	return database_step(log->note);
}

int incident_log_maintain(
	struct incident_log *log, struct moment rx, const struct obs_maintenance *work)
{
	database_bind_int(log->maintain, 1, rx.us);
	database_bind_text(log->maintain, 2, work->service);
	database_bind_text(log->maintain, 3, work->site);
	database_bind_int(log->maintain, 4, work->from.us);
	database_bind_int(log->maintain, 5, work->until.us);
	database_bind_text(log->maintain, 6, work->note);
	return database_step(log->maintain);
}
