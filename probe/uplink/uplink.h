/*
 * From observations to the collector: lines are gathered into batches by age and size, a
 * batch goes to the spool, and from there it is sent, the oldest first, one at a time,
 * until the collector says that it is durable. A batch is only ever sent from the spool,
 * so there is one way for it whether the collector is there or not.
 *
 * Oldest first, although what is fresh waits behind a backlog then: the collector reasons
 * in the order of arrival, and a full spool of 64 MiB drains in minutes.
 *
 * Everything happens on the loop. The spool is synced by its thread, too: a few
 * milliseconds for each batch.
 */
#ifndef ASTRAY_UPLINK_H
#define ASTRAY_UPLINK_H

#include <stddef.h>
#include <stdint.h>

#include "astray/log.h"
#include "astray/obs.h"
#include "collector_access.h"
#include "spool.h"

struct uv_loop_s;
struct uplink;

struct uplink_settings {
	struct collector_access access;
	char probe[OBS_WORD];
	int64_t batch_age_us; /* the oldest line of a batch waits no longer, */
	int64_t quiet_age_us; /* or so long when nothing in it is of any urgency */
};

struct uplink_counts {
	int64_t unwritable; /* observations that the wire has no room for */
	int64_t acknowledged, refused, failures; /* batches, batches, tries */
};

/* Borrows loop, log, spool and fetch until it is closed; copies the settings. */
int uplink_open(struct uplink **out, struct uv_loop_s *loop, const struct log *log,
	struct spool *spool, struct fetch *fetch, const struct uplink_settings *settings);
/* What is gathered goes to the spool. `closed` is called from the loop once nothing is
 * left. */
void uplink_close(struct uplink *uplink, void (*closed)(void *arg), void *arg);

/* An obs_emit_fn; arg is the uplink. */
void uplink_add(void *arg, const struct obs *obs);
/* What is gathered becomes a batch now. */
void uplink_flush(struct uplink *uplink);
/* From now on these hold, also for what is spooled already. */
void uplink_configure(struct uplink *uplink, const struct uplink_settings *settings);
/* The network changed: what waited for a better time tries again at once. */
void uplink_hurry(struct uplink *uplink);

struct uplink_counts uplink_count(const struct uplink *uplink);

#endif
