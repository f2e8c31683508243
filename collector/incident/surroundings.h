/*
 * What lies around an incident: which sites and services are looked at, by what and how
 * lately. An incident needs it to say whom it does not concern and what was ruled out.
 * A plain value, filled anew whenever an incident is told.
 */
#ifndef ASTRAY_SURROUNDINGS_H
#define ASTRAY_SURROUNDINGS_H

#include "coverage.h"
#include "incident.h"

#define SURROUNDINGS_SERVICES 64

struct surroundings_site {
	char name[OBS_WORD];
	unsigned probes;          /* heard of lately, whatever they look at */
	struct coverage coverage; /* of the incident's services there */
};

struct surroundings_service {
	char name[OBS_NAME];
	bool troubled; /* it has an open incident of its own */
};

struct surroundings {
	unsigned site_count; /* those that look at the incident's services at all */
	struct surroundings_site sites[INCIDENT_SITES];
	unsigned service_count; /* others, looked at lately where the incident is */
	struct surroundings_service services[SURROUNDINGS_SERVICES];
	struct coverage coverage; /* of the incident's services, wherever */
	bool announced;           /* work is announced for one of the services, now */
	unsigned learnt; /* bits 1 << enum coverage_sense: known long enough to judge */
};

/* The incident's services and sites are filled in; fills the rest. */
typedef void (*surroundings_fn)(
	void *arg, const struct incident *incident, struct surroundings *out);

#endif
