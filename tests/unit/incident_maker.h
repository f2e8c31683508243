/*
 * The incident of 2020, for tests of who is told of it.
 */
#ifndef TESTS_INCIDENT_MAKER_H
#define TESTS_INCIDENT_MAKER_H

#include <stdio.h>
#include <stdlib.h>

#include "incident.h"

#define INCIDENT_MAKER_OPENED_US INT64_C(1590851100000000) /* 2020-05-30T15:05:00Z */

/* For the caller to free. */
static inline struct incident *incident_maker_make(
	enum incident_state state, enum incident_severity severity)
{
	struct incident *incident = calloc(1, sizeof(*incident));

	assert_non_null(incident);
	incident->opened.us = INCIDENT_MAKER_OPENED_US;
	incident->since.us = INCIDENT_MAKER_OPENED_US - 5000000;
	incident->rx.us = INCIDENT_MAKER_OPENED_US + (int64_t)state * 60000000;
	incident->change_number = (unsigned)state + 1;
	incident->state = state;
	incident->severity = severity;
	incident->causes = 1u << CAUSE_NAME_SERVER | 1u << CAUSE_DETOUR;
	incident->service_count = incident->site_count = incident->vantage_count = 1;
	(void)snprintf(incident->id, sizeof(incident->id), "20200530-exchange");
	(void)snprintf(incident->services[0], OBS_NAME, "exchange");
	(void)snprintf(incident->sites[0], OBS_WORD, "tokyo");
	(void)snprintf(incident->vantages[0], OBS_WORD, "tyo-gw-1");
	(void)snprintf(incident->title, INCIDENT_TITLE, "exchange: new name server");
	(void)snprintf(incident->text, INCIDENT_TEXT, "ns-1515.awsdns-061.org");
	incident->evidence_count = 1;
	incident->evidence[0].rx = incident->since;
	incident->evidence[0].cause = CAUSE_NAME_SERVER;
	(void)snprintf(incident->evidence[0].text, OBS_TEXT, "the delegation moved");
	return incident;
}

#endif
