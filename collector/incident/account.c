#include "account.h"

#include <stdio.h>
#include <string.h>

#include "page.h"
#include "story.h"

/* Adds a name that is not there yet; false when there is no room. */
static void add_name(
	char *names, size_t width, unsigned *count, unsigned limit, const char *name)
{
	if (!*name)
		return;
	for (unsigned i = 0; i < *count; i++)
		if (strcmp(names + i * width, name) == 0)
			return;
	if (*count < limit)
		(void)snprintf(names + (*count)++ * width, width, "%s", name);
}

static bool is_sites_own(const struct strand *strands, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!strands[i].finding.service[0])
			return true;
	return false;
}

/* A site's own trouble names no services: what they show there is its, not theirs. */
static void collect_names(
	struct incident *incident, const struct strand *strands, unsigned count)
{
	bool own = is_sites_own(strands, count);

	incident->causes = 0;
	incident->service_count = incident->site_count = incident->vantage_count = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct finding *finding = &strands[i].finding;

		incident->causes |= 1u << finding->cause;
		if (finding->policy)
			incident->causes |= 1u << CAUSE_POLICY;
		if (!own)
			add_name(incident->services[0], OBS_NAME,
				&incident->service_count, INCIDENT_SERVICES,
				finding->service);
		add_name(incident->sites[0], OBS_WORD, &incident->site_count,
			INCIDENT_SITES, finding->site);
		for (unsigned k = 0; k < strands[i].vantage_count; k++)
			add_name(incident->vantages[0], OBS_WORD,
				&incident->vantage_count, INCIDENT_VANTAGES,
				strands[i].vantages[k]);
	}
}

static void collect_evidence(
	struct incident *incident, const struct strand *const *ordered, unsigned count)
{
	incident->evidence_count = 0;
	incident->evidence_dropped = 0;
	for (unsigned i = 0; i < count; i++) {
		struct incident_evidence *evidence;

		if (incident->evidence_count == INCIDENT_EVIDENCE) {
			incident->evidence_dropped++;
			continue;
		}
		evidence = &incident->evidence[incident->evidence_count++];
		evidence->rx = ordered[i]->finding.since;
		evidence->cause = ordered[i]->finding.cause;
		memcpy(evidence->service, ordered[i]->finding.service,
			sizeof(evidence->service));
		memcpy(evidence->text, ordered[i]->finding.text, sizeof(evidence->text));
	}
}

static void put_subject(struct page *page, const struct incident *incident)
{
	if (incident->service_count == 0)
		page_put(
			page, "site %s", incident->site_count ? incident->sites[0] : "?");
	else if (incident->service_count == 1)
		page_put(page, "%s", incident->services[0]);
	else if (incident->service_count <= 3)
		for (unsigned i = 0; i < incident->service_count; i++)
			page_put(page, "%s%s", i ? ", " : "", incident->services[i]);
	else
		page_put(page, "%s and %u more services", incident->services[0],
			incident->service_count - 1);
}

static void write_title(
	struct incident *incident, const struct strand *const *strands, unsigned count)
{
	struct page page = page_over(incident->title, sizeof(incident->title));
	const char *between = ": ";

	put_subject(&page, incident);
	for (unsigned i = 0; story_by_weight[i] != INCIDENT_CAUSES; i++) {
		const struct strand *strand =
			story_worst_of(strands, count, story_by_weight[i]);

		/* A brief that does not fit whole is left to the text, and what a site's
		 * services show there too. */
		if (!strand || (strand->finding.service[0] && !incident->service_count) ||
			page.used + strlen(strand->finding.brief) + 3 > page.cap)
			continue;
		page_put(&page, "%s%s", between, strand->finding.brief);
		between = "; ";
	}
}

/* In order of time, and what begins together as it was found. Returns how many. */
static unsigned order(const struct strand *strands, unsigned count,
	const struct strand *ordered[static INCIDENT_EVIDENCE])
{
	unsigned held = count < INCIDENT_EVIDENCE ? count : INCIDENT_EVIDENCE;

	for (unsigned i = 0; i < held; i++) {
		unsigned at = i;

		for (; at > 0 && moment_before(strands[i].finding.since,
					 ordered[at - 1]->finding.since);
			at--)
			ordered[at] = ordered[at - 1];
		ordered[at] = &strands[i];
	}
	return held;
}

void account_gather(
	struct incident *incident, const struct strand *strands, unsigned count)
{
	const struct strand *ordered[INCIDENT_EVIDENCE];
	unsigned held = order(strands, count, ordered);

	collect_names(incident, strands, held);
	collect_evidence(incident, ordered, held);
	if (held)
		incident->since = ordered[0]->finding.since;
}

void account_tell(struct incident *incident, const struct strand *strands, unsigned count,
	const struct surroundings *around, const struct story_state *state)
{
	const struct strand *ordered[INCIDENT_EVIDENCE];
	unsigned held = order(strands, count, ordered);

	write_title(incident, ordered, held);
	story_write(incident, ordered, held, around, state);
}
