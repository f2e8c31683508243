/*
 * Observations on their way to becoming a batch, as encoded lines. Bounded in bytes; a
 * single line that is longer than the bound makes a batch by itself. A line that a reader
 * would refuse never joins: one of them would take its whole batch with it. Pure.
 */
#ifndef ASTRAY_GATHER_H
#define ASTRAY_GATHER_H

#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"
#include "astray/moment.h"
#include "astray/obs.h"

/* Small enough that whatever it packs to is believed (see astray/squeeze.h) and that
 * little is lost with a batch that is set aside; large enough to pack well. */
#define GATHER_BYTES ((size_t)60 * 1024)

struct gather {
	char *text;
	size_t len;
	int64_t observations;
	struct moment from, until; /* least and greatest of their times */
	struct obs *read_back;     /* what a reader makes of a line */
};

int gather_init(struct gather *gather);
void gather_free(struct gather *gather);
/* 0, or STATUS_LIMIT when the lines that are there must go first; anything else: this
 * observation cannot be sent, and the fault says which field is wrong. */
int gather_add(struct gather *gather, const struct obs *obs, struct fault *fault);
void gather_clear(struct gather *gather);

#endif
