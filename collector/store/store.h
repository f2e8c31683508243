/*
 * What people look at: services, probes, series by minute, paths as they are and were, incidents
 * with all their forms. Built from the pipeline's hooks alone, so that it can be thrown away and
 * made again from the journal. SQLite behind database.h; writes are gathered and flushed by
 * store_flush(), which the program calls every second or so; nothing here is needed for an
 * acknowledgement. Rollups are kept for as long as the settings say.
 */
#ifndef ASTRAY_STORE_H
#define ASTRAY_STORE_H

#include "astray/fault.h"
#include "astray/obs.h"
#include "astray/services.h"
#include "astray/wire.h"
#include "incident.h"

struct store;

struct store_settings {
	const char *file;
	int64_t keep_us; /* series and paths; incidents stay ten times as long */
};

int store_open(struct store **out, const struct store_settings *settings, struct fault *fault);
void store_close(struct store *store); /* flushes; NULL is fine */
int store_flush(struct store *store, struct fault *fault);
/* Up to this rx everything has been taken in: after a restart the program feeds the pipeline from
 * the journal's beginning (or a snapshot) but the store only from here on. */
struct moment store_watermark(const struct store *store);

/* The pipeline's hooks. */
void store_observed(struct store *store, const struct wire_origin *origin, const struct obs *obs);
void store_changed(struct store *store, enum incident_change change, const struct incident *incident);

#endif
