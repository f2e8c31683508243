/*
 * One detector before a small world: one service, a few probes, a clock that the test
 * moves. What it says is kept in order.
 */
#ifndef ASTRAY_HEARING_H
#define ASTRAY_HEARING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detector.h"

#define HEARING_FINDINGS 4096
#ifndef HEARING_SERVICES
#define HEARING_SERVICES 4
#endif
#define HEARING_START_US (INT64_C(2650) * 7 * MOMENT_DAY_US) /* a Thursday, midnight */

struct hearing {
	const struct detector *detector;
	struct detector_settings settings;
	struct service service;
	struct address peer;     /* whom checks go to */
	unsigned service_number; /* below HEARING_SERVICES; all are called the same */
	struct vantages *vantages;
	struct cells *cells;
	struct moment now;
	bool announced;
	unsigned count;
	struct finding *findings;
	struct obs *obs; /* the one being made */
};

static inline void hearing_take(void *arg, const struct finding *finding)
{
	struct hearing *hearing = arg;

	assert_true(hearing->count < HEARING_FINDINGS);
	hearing->findings[hearing->count++] = *finding;
}

static inline void hearing_open(struct hearing *hearing, const struct detector *detector)
{
	memset(hearing, 0, sizeof(*hearing));
	hearing->detector = detector;
	hearing->settings = (struct detector_settings){.learn_paths_us = MOMENT_DAY_US,
		.learn_names_us = MOMENT_DAY_US,
		.learn_counts_us = 2 * MOMENT_DAY_US,
		.pages_per_week = .01};
	memcpy(hearing->service.name, "exchange", 9);
	memcpy(hearing->service.zone, "exchange.example", 17);
	assert_int_equal(vantages_new(&hearing->vantages), 0);
	assert_int_equal(
		cells_new(&hearing->cells, HEARING_SERVICES, VANTAGES_SITES,
			detector->service_size + 16,
			sizeof(struct detector_traffic) + detector->cell_size, 64),
		0);
	hearing->now.us = HEARING_START_US;
	hearing->findings = calloc(HEARING_FINDINGS, sizeof(*hearing->findings));
	hearing->obs = calloc(1, sizeof(*hearing->obs));
	assert_non_null(hearing->findings);
	assert_non_null(hearing->obs);
}

static inline void hearing_close(struct hearing *hearing)
{
	vantages_free(hearing->vantages);
	cells_free(hearing->cells);
	free(hearing->findings);
	free(hearing->obs);
}

static inline struct wire_origin hearing_origin(
	const struct hearing *hearing, const char *probe)
{
	struct wire_origin origin = {.rx = hearing->now, .boot = "b", .seq = 1};

	(void)snprintf(origin.probe, sizeof(origin.probe), "%s", probe);
	return origin;
}

static inline struct detector_case hearing_case(struct hearing *hearing)
{
	return (struct detector_case){.settings = &hearing->settings,
		.rx = hearing->now,
		.service = &hearing->service,
		.service_number = hearing->service_number,
		.announced = hearing->announced,
		.cells = hearing->cells,
		.vantages = hearing->vantages,
		.cell_offset = sizeof(struct detector_traffic),
		.emit = hearing_take,
		.emit_arg = hearing};
}

static inline void hearing_introduce(struct hearing *hearing, const char *probe,
	enum obs_role role, const char *site, const char *country, uint32_t asn)
{
	struct wire_origin origin = hearing_origin(hearing, probe);

	obs_init(hearing->obs, OBS_HELLO, hearing->now);
	hearing->obs->hello.role = role;
	hearing->obs->hello.label_count = 1;
	memcpy(hearing->obs->hello.labels[0].key, "site", 5);
	(void)snprintf(hearing->obs->hello.labels[0].value, OBS_WORD, "%s", site);
	hearing->obs->hello.networked = true;
	hearing->obs->hello.network_asn = asn;
	memcpy(hearing->obs->hello.network_country, country, 3);
	assert_non_null(vantages_see(hearing->vantages, &origin, hearing->obs));
}

/* Shows the observation in hearing->obs, as that probe's. */
static inline void hearing_show(struct hearing *hearing, const char *probe)
{
	struct wire_origin origin = hearing_origin(hearing, probe);
	struct detector_case call = hearing_case(hearing);

	call.vantage = vantages_see(hearing->vantages, &origin, hearing->obs);
	assert_non_null(call.vantage);
	call.obs = hearing->obs;
	call.at = vantages_moment(call.vantage, &origin, hearing->obs);
	call.site = vantages_site_name(hearing->vantages, call.vantage->site);
	assert_non_null(
		cells_take(hearing->cells, hearing->service_number, call.vantage->site));
	hearing->detector->see(&call);
}

/* Adds hearing->obs, one window of traffic, to its site's track. */
static inline void hearing_traffic(
	struct hearing *hearing, const char *probe, enum detector_pace pace)
{
	struct wire_origin origin = hearing_origin(hearing, probe);
	const struct vantage *vantage =
		vantages_see(hearing->vantages, &origin, hearing->obs);
	struct detector_traffic *traffic =
		cells_take(hearing->cells, hearing->service_number, vantage->site);

	assert_true(track_add(&traffic->tracks[pace],
		pace == DETECTOR_SLOW ? DETECTOR_SLOW_US : DETECTOR_FAST_US,
		vantage->number, hearing->obs->at, &hearing->obs->traffic));
}

/* Judges the slot in which `at` lies. */
static inline void hearing_judge(
	struct hearing *hearing, enum detector_pace pace, struct moment at)
{
	struct detector_case call = hearing_case(hearing);

	call.pace = pace;
	call.slot = track_slot_of(
		pace == DETECTOR_SLOW ? DETECTOR_SLOW_US : DETECTOR_FAST_US, at);
	hearing->detector->judge(&call);
}

static inline void hearing_pass(struct hearing *hearing, int64_t us)
{
	hearing->now.us += us;
}

static inline unsigned hearing_count(const struct hearing *hearing,
	enum finding_state state, enum incident_severity least)
{
	unsigned count = 0;

	for (unsigned i = 0; i < hearing->count; i++)
		count += hearing->findings[i].state == state &&
			 (state == FINDING_ENDED ||
				 hearing->findings[i].severity >= least);
	return count;
}

static inline unsigned hearing_pages(const struct hearing *hearing)
{
	return hearing_count(hearing, FINDING_HOLDS, SEVERITY_PAGE);
}

static inline unsigned hearing_ends(const struct hearing *hearing)
{
	return hearing_count(hearing, FINDING_ENDED, SEVERITY_INFO);
}

static inline void hearing_forget(struct hearing *hearing)
{
	hearing->count = 0;
}

#endif
