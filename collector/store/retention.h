/*
 * Forgetting, in small steps: each call deletes a few hundred rows at most, so that
 * nobody waits.
 */
#ifndef ASTRAY_RETENTION_H
#define ASTRAY_RETENTION_H

#include "astray/moment.h"
#include "database.h"

/* Inside a transaction. `now` is the newest rx. The rows that went, or negative. */
int retention_step(struct database *database, struct moment now, int64_t keep_us);

#endif
