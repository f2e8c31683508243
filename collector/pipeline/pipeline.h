/*
 * The way of one observation through the collector, and the only place that knows the
 * order: place -> model -> detect -> incident. Pure: it reads no clock and does no I/O;
 * time is the rx of what it is fed. Fed the same stream it calls the same hooks, live or
 * in replay.
 */
#ifndef ASTRAY_PIPELINE_H
#define ASTRAY_PIPELINE_H

#include "astray/conf.h"
#include "astray/services.h"
#include "astray/wire.h"
#include "incident.h"
#include "learning.h"

struct archive;
struct geo;
struct pipeline;

/* How things are judged; the "judgement" section of the configuration. */
struct pipeline_settings {
	int64_t gather_us; /* a page waits at most this long for the rest of its evidence
			    */
	int64_t calm_us;   /* all quiet for this long resolves an incident */
	int64_t learn_paths_us;  /* history wanted before a new path may page without
				    policy */
	int64_t learn_names_us;  /* the same for name servers */
	int64_t learn_counts_us; /* the same for falling traffic on its own */
	bool page_blind;         /* a site of which nothing is heard pages */
	double false_pages;      /* that one service may raise in a hundred weeks */
};
extern const struct conf_option pipeline_options[];

struct pipeline_hooks {
	/* Every observation that counted, with its places filled in; once, in stream
	 * order. */
	void (*observed)(
		void *arg, const struct wire_origin *origin, const struct obs *obs);
	void (*changed)(
		void *arg, enum incident_change change, const struct incident *incident);
	void *arg;
};

struct pipeline_counters {
	uint64_t observations, unknown_service, late, roaming, refused_keys;
	uint64_t findings, incidents, pages;
	uint64_t judged_again; /* slots, because something came late */
	uint64_t keys;         /* (service, site) states held */
};

/* Settings NULL: defaults. Services and geo (may be NULL) are borrowed and outlive it. */
int pipeline_new(struct pipeline **out, const struct services *services,
	const struct pipeline_settings *settings, const struct geo *geo,
	const struct pipeline_hooks *hooks);
void pipeline_free(struct pipeline *pipeline);

/* Feeds one observation of the recorded stream; rx never goes back (an earlier one is
 * taken as the latest seen). Telemetry duplicates are removed before. */
void pipeline_feed(struct pipeline *pipeline, const struct wire_origin *origin,
	const struct obs *obs);
/* Lets time pass without an observation: to the end of a stream, for instance. */
void pipeline_advance(struct pipeline *pipeline, struct moment rx);

/* Both ways of a snapshot: all that was learnt and is open. What is read goes into a new
 * pipeline, which is of no use if the archive breaks; services are found by their names,
 * and those that are configured no more are passed over. */
void pipeline_keep(struct archive *archive, struct pipeline *pipeline);
/* Two builds with the same of it judge alike; a snapshot of another is not to be read. */
const char *pipeline_version(void);
/* Calls `changed` again for what was said last of each open incident: for those who must
 * know what is open, behind a snapshot. */
void pipeline_recall(struct pipeline *pipeline);
/* Every probe that has said what it is. */
void pipeline_probes(const struct pipeline *pipeline,
	void (*tell)(void *arg, const char *probe, enum obs_role role), void *arg);

/* What is learnt of a service by now; false: there is none of that name. */
bool pipeline_learning(const struct pipeline *pipeline, const char *service,
	struct learning out[static LEARNING_ABILITIES]);

void pipeline_read_counters(
	const struct pipeline *pipeline, struct pipeline_counters *out);

#endif
