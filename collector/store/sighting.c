#include "sighting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/obs.h"
#include "astray/status.h"
#include "text_table.h"

#define SERIES 65536
#define PENDING 4096
#define KEY (OBS_NAME + 2 * OBS_WORD + 2)

struct pending {
	char service[OBS_NAME], site[OBS_WORD], probe[OBS_WORD];
	int64_t rx_us;
};

struct sightings {
	struct database_statement *find_series, *insert_series, *write;
	struct text_table *series; /* "service\nsite" to its number */
	struct text_table *known;  /* "service\nsite\nprobe" to its place in `pending` */
	size_t count;
	struct pending pending[PENDING];
};

int sighting_open(struct sightings **out, struct database *database)
{
	struct sightings *sightings = calloc(1, sizeof(*sightings));
	int rc;

	*out = NULL;
	if (!sightings)
		return -ENOMEM;
	rc = text_table_new(&sightings->series, SERIES);
	if (!rc)
		rc = text_table_new(&sightings->known, PENDING);
	if (!rc)
		rc = database_prepare(&sightings->find_series, database,
			"SELECT id FROM series WHERE service = ? AND site = ?");
	if (!rc)
		rc = database_prepare(&sightings->insert_series, database,
			"INSERT INTO series (service, site) VALUES (?, ?) RETURNING id");
	if (!rc)
		rc = database_prepare(&sightings->write, database,
			"INSERT INTO sighting (service, site, probe, first_us, last_us) "
			"VALUES "
			"(?1, ?2, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET last_us = ?4");
	if (rc) {
		sighting_close(sightings);
		return rc;
	}
	*out = sightings;
	return 0;
}

void sighting_close(struct sightings *sightings)
{
	if (!sightings)
		return;
	database_finalize(sightings->find_series);
	database_finalize(sightings->insert_series);
	database_finalize(sightings->write);
	text_table_free(sightings->series);
	text_table_free(sightings->known);
	free(sightings);
}

static int series_step(struct database_statement *statement, const char *service,
	const char *site, int64_t *out)
{
	int rc;

	database_bind_text(statement, 1, service);
	database_bind_text(statement, 2, site);
	rc = database_step(statement);
	if (rc > 0)
		*out = database_int(statement, 0);
	database_reset(statement);
	return rc;
}

int sighting_series(
	struct sightings *sightings, const char *service, const char *site, int64_t *out)
{
	char key[KEY];
	int rc;

	(void)snprintf(key, sizeof(key), "%s\n%s", service, site);
	if (text_table_find(sightings->series, key, out))
		return 0;
	if (text_table_count(sightings->series) == SERIES)
		return STATUS_LIMIT;
	rc = series_step(sightings->find_series, service, site, out);
	if (rc == 0)
		rc = series_step(sightings->insert_series, service, site, out);
	return rc < 0 ? rc : text_table_put(sightings->series, key, *out);
}

bool sighting_is_full(const struct sightings *sightings)
{
	return sightings->count == PENDING;
}

int sighting_add(struct sightings *sightings, const char *service, const char *site,
	const char *probe, struct moment rx)
{
	char key[KEY];
	int64_t at;
	int rc;

	(void)snprintf(key, sizeof(key), "%s\n%s\n%s", service, site, probe);
	if (!text_table_find(sightings->known, key, &at)) {
		struct pending *fresh;

		at = (int64_t)sightings->count;
		rc = text_table_put(sightings->known, key, at);
		if (rc)
			return rc;
		fresh = &sightings->pending[sightings->count++];
		(void)snprintf(fresh->service, sizeof(fresh->service), "%s", service);
		(void)snprintf(fresh->site, sizeof(fresh->site), "%s", site);
		(void)snprintf(fresh->probe, sizeof(fresh->probe), "%s", probe);
	}
	sightings->pending[at].rx_us = rx.us;
	return 0;
}

static void clear_pending(struct sightings *sightings)
{
	text_table_clear(sightings->known);
	sightings->count = 0;
}

int sighting_write(struct sightings *sightings)
{
	for (size_t i = 0; i < sightings->count; i++) {
		const struct pending *row = &sightings->pending[i];
		int rc;

		database_bind_text(sightings->write, 1, row->service);
		database_bind_text(sightings->write, 2, row->site);
		database_bind_text(sightings->write, 3, row->probe);
		database_bind_int(sightings->write, 4, row->rx_us);
		rc = database_step(sightings->write);
		if (rc)
			return rc;
	}
	clear_pending(sightings);
	return 0;
}

void sighting_forget(struct sightings *sightings)
{
	clear_pending(sightings);
	text_table_clear(sightings->series);
}
