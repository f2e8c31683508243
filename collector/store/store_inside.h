/*
 * The store from within: for store.c, which writes, and for the files that read.
 */
#ifndef ASTRAY_STORE_INSIDE_H
#define ASTRAY_STORE_INSIDE_H

#include "database.h"
#include "incident_log.h"
#include "probe_table.h"
#include "rollup.h"
#include "sighting.h"
#include "store.h"
#include "subject.h"

struct store {
	struct database *database;
	int64_t keep_us;
	struct rollup *rollup;
	struct subjects *subjects;
	struct sightings *sightings;
	struct probe_table *probes;
	struct incident_log *incidents;
	struct database_statement *write_mark;
	char *line; /* WIRE_LINE_MAX: the observation at hand */

	bool begun;         /* a transaction is open */
	int failed;         /* why it cannot be committed; 0: nothing yet */
	struct fault fault; /* of that */
	/* Taken in so far: everything before `newest`, and `at_newest` observations of
	 * that very rx; what a restart feeds again is passed over up to there. */
	struct moment newest, passed;
	int64_t at_newest, to_pass;
	uint64_t since_flush;
	struct moment committed;
	struct store_counters counters;
};

#endif
