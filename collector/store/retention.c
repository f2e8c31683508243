#include "retention.h"

#include <stddef.h>

#include "rollup_row.h"

/* The finest rows are for looking at what happens now. */
#define KEEP_TEN_SECONDS_US (6 * MOMENT_HOUR_US)
#define KEEP_INCIDENTS 10 /* times as long as series */
#define ROWS "200"

static int run(struct database *database, const char *sql, int64_t first, int64_t second)
{
	struct database_statement *statement;
	int rc = database_prepare(&statement, database, sql), rows = 0;

	if (rc)
		return rc;
	database_bind_int(statement, 1, first);
	if (second >= 0)
		database_bind_int(statement, 2, second);
	while ((rc = database_step(statement)) > 0)
		rows++;
	database_finalize(statement);
	return rc ? rc : rows;
}

/* Each deletes the oldest beyond a time and names what went. */
static const char *const by_time[] = {
	"DELETE FROM form WHERE id IN (SELECT form.id FROM form JOIN subject ON "
	"subject.id = "
	"form.subject WHERE at_us < ? LIMIT " ROWS ") RETURNING 1",
	"DELETE FROM subject WHERE id IN (SELECT id FROM subject WHERE at_us < ? AND NOT "
	"EXISTS "
	"(SELECT 1 FROM form WHERE form.subject = subject.id) LIMIT " ROWS
	") RETURNING 1",
	"DELETE FROM sighting WHERE (service, site, probe) IN (SELECT service, site, "
	"probe FROM "
	"sighting WHERE last_us < ? LIMIT " ROWS ") RETURNING 1",
	"DELETE FROM probe WHERE name IN (SELECT name FROM probe WHERE last_us < ? "
	"LIMIT " ROWS ") RETURNING 1",
	"DELETE FROM maintenance WHERE rx_us IN (SELECT rx_us FROM maintenance WHERE "
	"until_us < ? "
	"LIMIT " ROWS ") RETURNING 1",
};

/* Open incidents stay, however old. */
static const char *const incidents_by_time[] = {
	"DELETE FROM incident_form WHERE incident IN (SELECT id FROM incident WHERE "
	"rx_us < ? AND "
	"state = 'resolved' LIMIT 10) RETURNING 1",
	"DELETE FROM incident_note WHERE incident IN (SELECT id FROM incident WHERE "
	"rx_us < ? AND "
	"state = 'resolved' LIMIT 10) RETURNING 1",
	"DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE rx_us < ? AND "
	"state = "
	"'resolved' AND NOT EXISTS (SELECT 1 FROM incident_form WHERE incident = id) "
	"LIMIT 10) "
	"RETURNING 1",
};

static const char rollups_by_time[] =
	"DELETE FROM rollup WHERE step = ?1 AND (at_us, series) IN (SELECT at_us, series "
	"FROM rollup "
	"WHERE step = ?1 AND at_us < ?2 ORDER BY at_us LIMIT " ROWS ") RETURNING 1";

int retention_step(struct database *database, struct moment now, int64_t keep_us)
{
	int64_t before_us = now.us - keep_us, finest_us = KEEP_TEN_SECONDS_US;
	int rows = 0;

	for (size_t i = 0; i < sizeof(by_time) / sizeof(by_time[0]); i++) {
		int rc = run(database, by_time[i], before_us, -1);

		if (rc < 0)
			return rc;
		rows += rc;
	}
	for (size_t i = 0; i < sizeof(incidents_by_time) / sizeof(incidents_by_time[0]);
		i++) {
		int rc = run(database, incidents_by_time[i],
			now.us - KEEP_INCIDENTS * keep_us, -1);

		if (rc < 0)
			return rc;
		rows += rc;
	}
	for (int step = 0; step < ROLLUP_STEPS; step++) {
		int64_t until_us = step == ROLLUP_TEN_SECONDS && finest_us < keep_us
					   ? now.us - finest_us
					   : before_us;
		int rc = run(database, rollups_by_time,
			rollup_row_step_us((enum rollup_step)step) / MOMENT_SECOND_US,
			until_us > 0 ? until_us : 0);

		if (rc < 0)
			return rc;
		rows += rc;
	}
	return rows;
}
