/*
 * The collector's state out of its journal, at the start: what was judged before is
 * judged again, so that what follows is judged as if there had been no end in between.
 */
#ifndef ASTRAY_REBUILD_H
#define ASTRAY_REBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "ingest.h"

struct rebuild_order {
	const char *file;    /* of the journal */
	int64_t span_us;     /* seen from its newest batch */
	struct moment after; /* us not 0: only what is behind that, whatever the span */
	const struct log *log;
	ingest_sink_fn feed;
	/* Between batches, with what has been done of 100; false: break off. May be NULL.
	 */
	bool (*turn)(void *arg, unsigned percent);
	void *arg;
};

struct rebuild_result {
	uint64_t batches, observations;
	uint64_t unreadable; /* lines that this version does not take any more */
	bool broken_off;
};

/* The rx of the journal's newest batch; us 0: there is none. */
int rebuild_newest(const char *file, struct moment *newest, struct fault *fault);
int rebuild_run(const struct rebuild_order *order, struct rebuild_result *out,
	struct fault *fault);

#endif
