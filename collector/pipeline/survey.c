#include "survey.h"

#include <stdio.h>
#include <string.h>

#include "learning.h"

/* A probe that has said nothing for so long is not there. */
#define PRESENT_US (10 * MOMENT_MINUTE_US)

const struct coverage *survey_coverage(
	const struct survey *survey, unsigned service, unsigned site)
{
	const char *cell = cells_find(survey->cells, service, site);

	return cell ? (const void *)(cell + survey->coverage_offset) : NULL;
}

struct coverage survey_coverage_of_service(const struct survey *survey, unsigned service)
{
	struct coverage all = {0};

	for (unsigned site = 0; site < vantages_site_count(survey->vantages); site++) {
		const struct coverage *coverage = survey_coverage(survey, service, site);

		if (coverage)
			coverage_add(&all, coverage);
	}
	return all;
}

static bool is_named(const char *names, size_t width, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(names + i * width, name) == 0)
			return true;
	return false;
}

/* A site's own trouble names no service: then it may be any of them. */
static bool concerns_service(const struct incident *incident, const char *service)
{
	return incident->service_count == 0 || is_named(incident->services[0], OBS_NAME,
						       incident->service_count, service);
}

static bool concerns_site(const struct incident *incident, const char *site)
{
	return incident->site_count == 0 ||
	       is_named(incident->sites[0], OBS_WORD, incident->site_count, site);
}

static unsigned probes_at(const struct survey *survey, unsigned site)
{
	unsigned count = 0;

	for (unsigned i = 0; i < vantages_count(survey->vantages); i++) {
		const struct vantage *vantage = vantages_at(survey->vantages, i);

		count += vantage->site == site && !vantage->roaming &&
			 moment_since_us(survey->now, vantage->last_rx) <= PRESENT_US;
	}
	return count;
}

static void add_site(const struct survey *survey, const struct incident *incident,
	unsigned site, struct surroundings *out)
{
	struct surroundings_site *room = &out->sites[out->site_count];

	if (out->site_count == INCIDENT_SITES)
		return;
	memset(room, 0, sizeof(*room));
	for (unsigned i = 0; i < survey->services->count; i++) {
		const struct coverage *coverage = survey_coverage(survey, i, site);

		if (coverage &&
			concerns_service(incident, survey->services->list[i].name))
			coverage_add(&room->coverage, coverage);
	}
	if (!coverage_is_any_fresh(&room->coverage, survey->now))
		return;
	(void)snprintf(room->name, sizeof(room->name), "%s",
		vantages_site_name(survey->vantages, site));
	room->probes = probes_at(survey, site);
	coverage_add(&out->coverage, &room->coverage);
	out->site_count++;
}

static bool is_looked_at_there(
	const struct survey *survey, const struct incident *incident, unsigned service)
{
	for (unsigned site = 0; site < vantages_site_count(survey->vantages); site++) {
		const struct coverage *coverage = survey_coverage(survey, service, site);

		if (coverage && coverage_is_any_fresh(coverage, survey->now) &&
			concerns_site(
				incident, vantages_site_name(survey->vantages, site)))
			return true;
	}
	return false;
}

static void add_other_service(const struct survey *survey,
	const struct incident *incident, unsigned service, struct surroundings *out)
{
	const char *name = survey->services->list[service].name;
	struct surroundings_service *room = &out->services[out->service_count];

	if (out->service_count == SURROUNDINGS_SERVICES ||
		concerns_service(incident, name) ||
		!is_looked_at_there(survey, incident, service))
		return;
	(void)snprintf(room->name, sizeof(room->name), "%s", name);
	room->troubled = false;
	out->service_count++;
}

/* Whether what that sense brings can be judged for this service: by policy, or because
 * it has been known for long enough. */
static bool is_learnt(
	const struct survey *survey, unsigned service, enum coverage_sense sense)
{
	static const enum learning_ability abilities[COVERAGE_SENSES] = {
		[COVERAGE_DELEGATION] = LEARNING_NAME_SERVERS,
		[COVERAGE_RECORDS] = LEARNING_RECORDS,
		[COVERAGE_REGISTRY] = LEARNING_REGISTRY,
		[COVERAGE_CERTIFICATE] = LEARNING_CERTIFICATES,
		[COVERAGE_PATH] = LEARNING_PATHS,
		[COVERAGE_CHECK] = LEARNING_FAILURES,
		[COVERAGE_TRAFFIC] = LEARNING_DROPS,
	};
	const struct service *known = &survey->services->list[service];
	const bool by_policy[COVERAGE_SENSES] = {
		[COVERAGE_DELEGATION] = known->expect.name_servers_given,
		[COVERAGE_RECORDS] = known->expect.asns_given,
		[COVERAGE_CERTIFICATE] = known->expect.issuers_given,
		[COVERAGE_PATH] = known->expect.countries_given,
	};
	struct coverage coverage = survey_coverage_of_service(survey, service);

	return by_policy[sense] ||
	       learning_of(abilities[sense], &coverage, survey->settings, survey->now)
			       .state == LEARNING_READY;
}

static unsigned learnt_senses(
	const struct survey *survey, const struct incident *incident)
{
	unsigned bits = (1u << COVERAGE_SENSES) - 1;

	for (unsigned i = 0; i < survey->services->count; i++)
		for (unsigned sense = 0; sense < COVERAGE_SENSES; sense++)
			if (concerns_service(incident, survey->services->list[i].name) &&
				!is_learnt(survey, i, (enum coverage_sense)sense))
				bits &= ~(1u << sense);
	return bits;
}

static bool is_announced(const struct survey *survey, const struct incident *incident)
{
	for (unsigned i = 0; i < survey->services->count; i++)
		if (concerns_service(incident, survey->services->list[i].name) &&
			announcements_cover(survey->announcements,
				survey->services->list[i].name, "", survey->now))
			return true;
	return false;
}

void survey_surroundings(const struct survey *survey, const struct incident *incident,
	struct surroundings *out)
{
	out->site_count = out->service_count = 0;
	out->coverage = (struct coverage){0};
	for (unsigned site = 0; site < vantages_site_count(survey->vantages); site++)
		add_site(survey, incident, site, out);
	for (unsigned i = 0; i < survey->services->count; i++)
		add_other_service(survey, incident, i, out);
	out->announced = is_announced(survey, incident);
	out->learnt = learnt_senses(survey, incident);
}
