/*
 * What people look at: services, probes, series by time, paths as they are and were,
 * incidents with all their forms. Built from the pipeline's hooks alone, so that it can
 * be thrown away and made again from the journal. SQLite behind database.h; writes are
 * gathered and flushed by store_flush(), which the program calls every second or so;
 * nothing here is needed for an acknowledgement. Time is the rx of what is fed; no clock
 * is read.
 *
 * Memory is bounded: sums of a few thousand rows, the probes' names and sites. So is the
 * file, by the limits on series and subjects and by `keep_us`. What finds no room is
 * counted as refused. When the disk fails, what was gathered since the last flush is lost
 * here (and counted), never in the journal; the next flush tries anew.
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

struct store_counters {
	uint64_t observations, changes; /* taken in */
	uint64_t refused;               /* no room: too many series, subjects or probes */
	uint64_t flushes, failures;
	uint64_t lost; /* observations and changes that a failed flush took with it */
	uint64_t forgotten_rows;
};

int store_open(
	struct store **out, const struct store_settings *settings, struct fault *fault);
void store_close(struct store *store); /* flushes; NULL is fine */
int store_flush(struct store *store, struct fault *fault);
/* The newest rx that is in the file. After a restart the program feeds the pipeline from
 * the journal's beginning, and the hooks pass it all on: what is in the file already is
 * passed over. */
struct moment store_watermark(const struct store *store);
void store_read_counters(const struct store *store, struct store_counters *out);

/* The pipeline's hooks. */
void store_observed(
	struct store *store, const struct wire_origin *origin, const struct obs *obs);
void store_changed(struct store *store, enum incident_change change,
	const struct incident *incident);

#endif
