/*
 * A detector is one belief about what trouble looks like: one file and one row of the
 * table. It is shown every observation of the kinds that it names, and called once for
 * every slot of traffic that is complete (or as late as it may be). It keeps what it
 * learns in zeroed blocks, one for each service and one for each (service, site), and
 * says its findings to `emit`.
 *
 * Detectors know no clock, no other detector and no incident; fed the same they say the
 * same.
 */
#ifndef ASTRAY_DETECTOR_H
#define ASTRAY_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "astray/obs.h"
#include "astray/services.h"
#include "cells.h"
#include "finding.h"
#include "presence.h"
#include "testimony.h"
#include "track.h"
#include "vantages.h"

/* The two lengths of slots in which traffic is judged. */
enum detector_pace {
	DETECTOR_SLOW, /* five minutes: everybody */
	DETECTOR_FAST, /* ten seconds: where probes send windows that short */
	DETECTOR_PACES
};
#define DETECTOR_SLOW_US (5 * MOMENT_MINUTE_US)
#define DETECTOR_FAST_US (10 * MOMENT_SECOND_US)

struct archive;

struct detector_settings {
	int64_t learn_paths_us, learn_names_us, learn_counts_us;
	double pages_per_week; /* false pages that one service may raise in a week */
	enum incident_severity blind; /* of a site of which nothing is heard */
};

/* The part of a (service, site) that all detectors read. */
struct detector_traffic {
	struct track tracks[DETECTOR_PACES];
	/* Until then the site itself is in trouble: what its services show there is not
	 * theirs. */
	struct moment excused_until;
};

/* What a detector may look at during one call; borrowed for the call. */
struct detector_case {
	const struct detector_settings *settings;
	struct moment rx; /* the collector's time */
	const struct service *service;
	unsigned service_number;
	bool announced; /* announced work covers this service (and site) now */

	/* An observation (see): who made it, when, and where. */
	const struct obs *obs;
	const struct vantage *vantage;
	struct moment at; /* when it was made, by our clock */
	const char *site;

	/* A slot (judge). */
	enum detector_pace pace;
	int64_t slot;
	bool again; /* it was judged before, and late windows have come for it since:
		       what is said may change, but nothing is learnt from it twice */

	struct cells *cells;
	const struct vantages *vantages;
	const struct presence *presence;    /* of people at sites */
	size_t service_offset, cell_offset; /* of this detector's part of the blocks */
	finding_fn emit;
	void *emit_arg;
};

struct detector {
	const char *name;
	unsigned kinds; /* bits 1 << enum obs_kind that `see` wants */
	size_t service_size, cell_size;
	void (*see)(struct detector_case *call);
	void (*judge)(struct detector_case *call);
	/* Both ways of a snapshot, of its part of a service and of a cell. */
	void (*keep_service)(struct archive *archive, void *state);
	void (*keep_cell)(struct archive *archive, void *state);
};

/* This detector's memory of the service; of the service at a site (NULL when there is
 * none). */
void *detector_of_service(const struct detector_case *call);
void *detector_of_site(const struct detector_case *call, unsigned site);
/* The traffic of the service at a site; NULL when there is none. */
struct detector_traffic *detector_traffic_of(
	const struct detector_case *call, unsigned site);

void detector_traffic_keep(struct archive *archive, struct detector_traffic *traffic);

/* Whether the site's own trouble explains what the service shows there. */
bool detector_is_excused(const struct detector_case *call, unsigned site);

/* Who told what the case's answer of a name server or a resolver says. */
struct testimony_source detector_source(const struct detector_case *call);

/* How often chance may pass the threshold of one of so many tests that a detector makes
 * of each slot: what false pages the operator allows the service, shared out evenly among
 * the detectors that ask chance at all, their tests and the slots of a week. */
double detector_allowed(const struct detector_case *call, unsigned tests);

/* A finding about the case's service (and zone) that starts now, with nothing but its
 * cause filled in. */
struct finding detector_finding(
	const struct detector_case *call, enum incident_cause cause);
/* Where the hash of a name tells findings of one cause apart. */
void detector_name_subject(struct finding *finding, uint64_t key);
/* Like snprintf, for people: what does not fit is cut off. Returns what was written. */
size_t detector_write(char *buf, size_t cap, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void detector_say(const struct detector_case *call, const struct finding *finding);
/* The finding of that cause, site and subject is over. */
void detector_end(const struct detector_case *call, enum incident_cause cause,
	const char *site, const char *subject);

/* All rows, in the order in which they are asked; ends with NULL. */
extern const struct detector *const detector_table[];

#endif
