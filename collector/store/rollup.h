/*
 * Sums of traffic and checks by time and series (one service at one site), first in
 * memory, then merged into the rows of a database. A row is kept for each of three steps:
 * ten seconds, a minute, an hour; the coarser serve the longer views.
 *
 * What was measured in a window counts at the window's start.
 */
#ifndef ASTRAY_ROLLUP_H
#define ASTRAY_ROLLUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"
#include "database.h"
#include "rollup_row.h"

struct rollup;

int rollup_new(struct rollup **out);
void rollup_free(struct rollup *rollup); /* NULL is fine */
/* Adds a traffic or check observation, which counts at `at`; other kinds are ignored. */
int rollup_add(
	struct rollup *rollup, int64_t series, struct moment at, const struct obs *obs);
bool rollup_is_full(const struct rollup *rollup); /* write it before adding more */
/* Merges all into the database's rows. */
int rollup_write(struct rollup *rollup, struct database *database);
void rollup_clear(struct rollup *rollup);

/* A statement that reads the one row of step, at_us and series (bound from 1); each row
 * that it yields may be added into another. */
int rollup_prepare_read(struct database_statement **out, struct database *database);
int rollup_add_stored(struct rollup_row *row, struct database_statement *statement);

#endif
