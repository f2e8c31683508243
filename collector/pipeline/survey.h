/*
 * Looks around in what the pipeline keeps: who looks at a service, since when, and what
 * lies around an incident. Pure; reads only.
 */
#ifndef ASTRAY_SURVEY_H
#define ASTRAY_SURVEY_H

#include "announcements.h"
#include "astray/services.h"
#include "cells.h"
#include "learning.h"
#include "surroundings.h"
#include "vantages.h"

struct survey {
	const struct services *services;
	const struct cells *cells;
	size_t coverage_offset; /* of struct coverage in a cell */
	const struct vantages *vantages;
	const struct announcements *announcements;
	struct learning_terms terms;
	struct moment now;
};

/* NULL when that service has never been looked at from there. */
const struct coverage *survey_coverage(
	const struct survey *survey, unsigned service, unsigned site);
/* From all sites together. */
struct coverage survey_coverage_of_service(const struct survey *survey, unsigned service);
/* What is learnt of that service. A path is each site's own: the youngest counts. */
void survey_learning(const struct survey *survey, unsigned service,
	struct learning out[static LEARNING_ABILITIES]);
/* Fills everything but whether other services are troubled. */
void survey_surroundings(const struct survey *survey, const struct incident *incident,
	struct surroundings *out);

#endif
