/*
 * The probes that have spoken: what each is (by its last hello), how much of it waits,
 * and how much it may still send. Bounded; pure.
 */
#ifndef ASTRAY_ROSTER_H
#define ASTRAY_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/moment.h"
#include "astray/obs.h"

#define ROSTER_WAITING_MAX 16 /* batches of one probe that are not yet durable */

struct roster;
struct roster_probe {
	char name[OBS_WORD];
	enum obs_role role; /* endpoint until it says otherwise */
	unsigned waiting;
	int64_t allowance_bytes; /* what it may send now; grows with time */
	struct tick filled_at;
	struct tick complained_at; /* the last line of the log about it; 0: none */
};

/* At most `limit` probes; bytes_per_minute 0: no quota. */
int roster_new(struct roster **out, size_t limit, int64_t bytes_per_minute);
void roster_free(struct roster *roster); /* NULL is fine */
void roster_set_quota(struct roster *roster, int64_t bytes_per_minute);

/* The probe of that name, added when it is new; NULL when the roster is full or memory
 * ran out. Valid as long as the roster. */
struct roster_probe *roster_probe(
	struct roster *roster, const char *name, struct tick now);
size_t roster_count(const struct roster *roster);

/* Whether the log may have a line about it: one a minute. */
bool roster_may_complain(struct roster_probe *probe, struct tick now);

/* 0, or after how many seconds it may try again. On 0 the bytes are taken off its
 * allowance. A probe that has been quiet may send a minute's worth at once. */
int64_t roster_charge(const struct roster *roster, struct roster_probe *probe,
	size_t bytes, struct tick now);

#endif
