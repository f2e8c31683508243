#include "survey.h"

#include <stdio.h>
#include <string.h>

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

static bool is_by_policy(const struct service *service, enum learning_ability ability)
{
	switch (ability) {
	case LEARNING_NAME_SERVERS:
		return service->expect.name_servers_given;
	case LEARNING_RECORDS:
		return service->expect.asns_given || service->expect.mail_given;
	case LEARNING_CERTIFICATES:
		return service->expect.issuers_given;
	case LEARNING_PATHS:
		return service->expect.countries_given;
	case LEARNING_FAILURES:
	case LEARNING_REGISTRY:
	case LEARNING_SPEED:
	case LEARNING_DROPS:
	case LEARNING_WEEK:
	case LEARNING_ABILITIES:
		break;
	}
	return false;
}

static struct learning youngest_path(const struct survey *survey, unsigned service)
{
	struct learning youngest = {0};

	for (unsigned site = 0; site < vantages_site_count(survey->vantages); site++) {
		const struct coverage *coverage = survey_coverage(survey, service, site);
		struct learning there;

		if (!coverage)
			continue;
		there = learning_of(
			LEARNING_PATHS, coverage, &survey->terms, survey->now);
		if (moment_before(youngest.since, there.since))
			youngest = there;
	}
	return youngest;
}

void survey_learning(const struct survey *survey, unsigned service,
	struct learning out[static LEARNING_ABILITIES])
{
	struct coverage coverage = survey_coverage_of_service(survey, service);

	for (unsigned i = 0; i < LEARNING_ABILITIES; i++) {
		out[i] = i == LEARNING_PATHS
				 ? youngest_path(survey, service)
				 : learning_of((enum learning_ability)i, &coverage,
					   &survey->terms, survey->now);
		if (out[i].state == LEARNING_YOUNG &&
			is_by_policy(&survey->services->list[service],
				(enum learning_ability)i))
			out[i].state = LEARNING_POLICY;
	}
}

/* The senses whose news can be judged for all services of the incident. */
static unsigned learnt_senses(
	const struct survey *survey, const struct incident *incident)
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
	unsigned bits = (1u << COVERAGE_SENSES) - 1;

	for (unsigned i = 0; i < survey->services->count; i++) {
		struct learning learning[LEARNING_ABILITIES];

		if (!concerns_service(incident, survey->services->list[i].name))
			continue;
		survey_learning(survey, i, learning);
		for (unsigned sense = 0; sense < COVERAGE_SENSES; sense++)
			if (learning[abilities[sense]].state < LEARNING_POLICY)
				bits &= ~(1u << sense);
	}
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
