/*
 * The probes: where each says that it is, when it was heard of, and the last that it said
 * of itself. Held in memory, because every observation needs its probe's site; written at
 * a flush.
 */
#ifndef ASTRAY_PROBE_TABLE_H
#define ASTRAY_PROBE_TABLE_H

#include "astray/obs.h"
#include "astray/wire.h"
#include "database.h"

struct probe_table;

int probe_table_open(struct probe_table **out, struct database *database);
void probe_table_close(struct probe_table *table); /* NULL is fine */

/* The site of a probe: its label "site", or "" while it has not said. */
const char *probe_table_site(const struct probe_table *table, const char *probe);
/* Takes note of what came; `line` is the observation's, kept for hello and health.
 * STATUS_LIMIT when there are too many probes. */
int probe_table_see(struct probe_table *table, const struct wire_origin *origin,
	const struct obs *obs, const char *line);
int probe_table_write(struct probe_table *table);

#endif
