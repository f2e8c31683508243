/*
 * Who sees what: for each service, site and probe, when it was last heard of. And the
 * numbers of the series (a service at a site), which rows of the rollups are keyed by.
 * Times are gathered in memory and written at a flush.
 */
#ifndef ASTRAY_SIGHTING_H
#define ASTRAY_SIGHTING_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"
#include "database.h"

struct sightings;

int sighting_open(struct sightings **out, struct database *database);
void sighting_close(struct sightings *sightings); /* NULL is fine */

/* The number of a series, which is made when there is none; STATUS_LIMIT when there are
 * too many. */
int sighting_series(
	struct sightings *sightings, const char *service, const char *site, int64_t *out);
int sighting_add(struct sightings *sightings, const char *service, const char *site,
	const char *probe, struct moment rx);
bool sighting_is_full(const struct sightings *sightings);
int sighting_write(struct sightings *sightings);
/* What was gathered, and every number that was given, is forgotten: the transaction
 * failed. */
void sighting_forget(struct sightings *sightings);

#endif
