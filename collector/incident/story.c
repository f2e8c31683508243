#include "story.h"

#include <stdio.h>
#include <string.h>

#include "page.h"

#define STEPS 3
/* Counts and times are judged in sums: only after a while does their silence mean well.
 */
#define SUMS_US (5 * MOMENT_MINUTE_US)

const enum incident_cause story_by_weight[INCIDENT_CAUSES + 1] = {CAUSE_NAME_SERVER,
	CAUSE_RECORDS, CAUSE_CERTIFICATE, CAUSE_POLICY, CAUSE_REGISTRY, CAUSE_SITE,
	CAUSE_DETOUR, CAUSE_FAILURES, CAUSE_LATENCY, CAUSE_TRAFFIC, CAUSE_TELEMETRY,
	INCIDENT_CAUSES};

static const char *const words[INCIDENT_CAUSES] = {
	[CAUSE_NAME_SERVER] = "name server",
	[CAUSE_RECORDS] = "records",
	[CAUSE_CERTIFICATE] = "certificate",
	[CAUSE_REGISTRY] = "registry",
	[CAUSE_DETOUR] = "path",
	[CAUSE_POLICY] = "policy",
	[CAUSE_LATENCY] = "speed",
	[CAUSE_TRAFFIC] = "requests",
	[CAUSE_FAILURES] = "failures",
	[CAUSE_SITE] = "site",
	[CAUSE_TELEMETRY] = "telemetry",
};

static const char *const next_steps[INCIDENT_CAUSES] = {
	[CAUSE_NAME_SERVER] =
		"Log in to the registrar (by its real address), compare the delegation, "
		"and call the registrar. Until it is repaired, mail and logins of this "
		"zone are not safe.",
	[CAUSE_RECORDS] =
		"Compare the zone at the DNS provider with what is served, and see who "
		"changed it. If mail moved, treat password resets since then as read by "
		"others.",
	[CAUSE_CERTIFICATE] =
		"See whether we ordered this certificate; look it up in Certificate "
		"Transparency; compare the key on our servers.",
	[CAUSE_REGISTRY] = "Ask the registrar what was changed, and by whom.",
	[CAUSE_DETOUR] =
		"Trace from an affected place, and compare the address its resolver "
		"gives. If names are unchanged, ask the carrier about the new network on "
		"the way.",
	[CAUSE_POLICY] =
		"The answer or the path left what is allowed. Was it planned? Then "
		"extend the expectation; if not, treat it as an intrusion.",
	[CAUSE_LATENCY] =
		"If the round trip has grown it is the network: look at the path. If "
		"only the answer has, it is the application or its database: look at "
		"the last deployment.",
	[CAUSE_TRAFFIC] =
		"See whether people cannot reach it (failures, path, names) or do not "
		"ask (their work, another service in front).",
	[CAUSE_FAILURES] =
		"Look at the service's own errors and its last deployment; if "
		"connections fail, at its load balancer and the network before it.",
	[CAUSE_SITE] = "Look at the site's uplink, gateway and provider; its services "
		       "need no look.",
	[CAUSE_TELEMETRY] = "Nothing is known of what people there see: look at the "
			    "probes and their uplink.",
};

static const char step_of_an_end[] =
	"See which servers show it, and renew it there; then see why its renewal did not "
	"run.";
static const char step_of_a_lost_zone[] =
	"Ask the registrar why the domain is held, deleted or expired, and have it put "
	"back.";
static const char step_of_a_resolver[] =
	"Ask that resolver and the zone's servers the same question; if they still "
	"differ, "
	"flush it or send people to another one, and find out who answers in its place. "
	"Treat logins made through it since then as seen by others.";

const struct strand *story_worst_of(
	const struct strand *const *strands, unsigned count, enum incident_cause cause)
{
	const struct strand *worst = NULL;

	for (unsigned i = 0; i < count; i++) {
		const struct finding *finding = &strands[i]->finding;

		if (finding->cause != cause)
			continue;
		if (!worst || finding->severity > worst->finding.severity ||
			(finding->severity == worst->finding.severity &&
				finding->effect > worst->finding.effect))
			worst = strands[i];
	}
	return worst;
}

static bool has(const struct incident *incident, enum incident_cause cause)
{
	return incident->causes & 1u << cause;
}

static bool is_of_the_network(const struct strand *const *strands, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strands[i]->finding.cause == CAUSE_LATENCY &&
			strcmp(strands[i]->finding.subject, "round trip") == 0)
			return true;
	return false;
}

/* The zone's own servers say what they always did: resolvers hand on something else. */
static bool is_of_resolvers(const struct strand *const *strands, unsigned count)
{
	static const char resolver[] = "resolver-";
	bool said = false;

	for (unsigned i = 0; i < count; i++) {
		const struct finding *finding = &strands[i]->finding;

		if (finding->cause != CAUSE_RECORDS)
			continue;
		if (strncmp(finding->subject, resolver, sizeof(resolver) - 1) != 0)
			return false;
		said = true;
	}
	return said;
}

static bool is_all_of_subject(const struct strand *const *strands, unsigned count,
	enum incident_cause cause, const char *subject)
{
	for (unsigned i = 0; i < count; i++)
		if (strands[i]->finding.cause == cause &&
			strcmp(strands[i]->finding.subject, subject) != 0)
			return false;
	return true;
}

/* A certificate that merely ends is nobody's attack. */
static bool is_of_an_end(const struct strand *const *strands, unsigned count)
{
	bool ends = false;

	for (unsigned i = 0; i < count; i++) {
		const struct finding *finding = &strands[i]->finding;

		if (finding->cause != CAUSE_CERTIFICATE)
			continue;
		if (finding->security)
			return false;
		ends |= finding->severity > SEVERITY_INFO;
	}
	return ends;
}

static bool is_of_a_lost_zone(const struct strand *const *strands, unsigned count)
{
	return is_all_of_subject(strands, count, CAUSE_NAME_SERVER, "gone");
}

static void put_reading(struct page *page, const struct incident *incident,
	const struct strand *const *strands, unsigned count)
{
	const char *reading = "nothing is heard from there";

	if (has(incident, CAUSE_SITE))
		reading = "trouble of a site: its uplink, gateway or provider, not the "
			  "services that people there use";
	else if (has(incident, CAUSE_NAME_SERVER))
		reading = is_of_a_lost_zone(strands, count)
				  ? "the zone is gone from its parent: its names and "
				    "mail stop working as caches run out"
				  : "possible hijack: whoever runs the new name server "
				    "decides where people and mail go";
	else if (has(incident, CAUSE_CERTIFICATE))
		reading = is_of_an_end(strands, count)
				  ? "the certificate itself: one that ends or is old, "
				    "with no sign of interception"
				  : "possible interception: another certificate is "
				    "shown, so somebody may stand between people and "
				    "the service";
	else if (has(incident, CAUSE_RECORDS))
		reading = is_of_resolvers(strands, count)
				  ? "a resolver does not say what the zone's own "
				    "servers say: it leads those who ask it elsewhere, "
				    "while the zone itself is as it was"
				  : "records of the name have changed: they lead people "
				    "or mail where they never went";
	else if (has(incident, CAUSE_REGISTRY))
		reading = "the registration of the domain has changed";
	else if (has(incident, CAUSE_DETOUR))
		reading = "detour: packets go through networks or countries that were "
			  "not on their way before";
	else if (has(incident, CAUSE_POLICY))
		reading = "an answer is outside of what is allowed";
	else if (has(incident, CAUSE_FAILURES))
		reading = incident->service_count > 1
				  ? "outage of several services at once: what they "
				    "share, a provider or a network"
				  : "outage: people ask, and get errors or no connection";
	else if (has(incident, CAUSE_LATENCY))
		reading = is_of_the_network(strands, count)
				  ? "slow network: the round trip itself has grown"
				  : "slow service: answers take longer";
	else if (has(incident, CAUSE_TRAFFIC))
		reading = "requests are missing: fewer come than are usual at this "
			  "time";
	page_put(page, "What: %s\n", reading);
}

static void put_state(struct page *page, const struct incident *incident,
	const struct story_state *state)
{
	if (*state->acknowledged_by)
		page_put(page, "Acknowledged by %s%s%s\n", state->acknowledged_by,
			*state->acknowledged_note ? ": " : "", state->acknowledged_note);
	if (incident->part_of[0])
		page_put(page,
			"Resolved: it is part of incident %s, which goes on with what "
			"was found here.\n",
			incident->part_of);
	else if (state->quiet_but_open)
		page_put(page, "No longer seen. It concerns security, so it stays open "
			       "until somebody acknowledges it.\n");
	else if (incident->state == INCIDENT_RESOLVED)
		page_put(page, "Resolved: nothing of it has been seen for a while.\n");
}

/* Whose line it is, where that is not plain from the title. */
static void put_label(
	struct page *page, const struct incident *incident, const struct finding *finding)
{
	const char *word = words[finding->cause];
	bool of_one = incident->service_count == 1 || !finding->service[0];

	if (!of_one)
		page_put(page, "%s of %s: ", word, finding->service);
	else if (strncmp(finding->text, word, strlen(word)) != 0)
		page_put(page, "%s: ", word);
}

/* Sums begin where their window does, so what was seen at an instant soon after may well
 * have come before what they count. */
static const struct strand *first_of(const struct strand *const *strands, unsigned count)
{
	const unsigned summed = 1u << CAUSE_TRAFFIC | 1u << CAUSE_LATENCY |
				1u << CAUSE_FAILURES | 1u << CAUSE_SITE;

	for (unsigned i = 0; i < count; i++)
		if (!(summed & 1u << strands[i]->finding.cause) &&
			moment_since_us(strands[i]->finding.since,
				strands[0]->finding.since) < SUMS_US)
			return strands[i];
	return strands[0];
}

static void put_beginning(struct page *page, const struct incident *incident,
	const struct strand *const *strands, unsigned count)
{
	char since[MOMENT_TEXT], span[MOMENT_TEXT];
	const struct finding *first = &first_of(strands, count)->finding;

	page_put(page, "Since: %s (%s before this)\n",
		moment_text(incident->since, false, since),
		moment_span_text(moment_since_us(incident->rx, incident->since), span));
	if (count < 2)
		return;
	page_put(page, "Changed first: ");
	put_label(page, incident, first);
	page_put(page, "%s\n", first->text);
}

/* How many of a site's probes bear witness themselves. */
static unsigned witnesses_at(
	const struct strand *const *strands, unsigned count, const char *site)
{
	const char *seen[INCIDENT_VANTAGES];
	unsigned witnesses = 0;

	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; strcmp(strands[i]->finding.site, site) == 0 &&
				     k < strands[i]->vantage_count;
			k++) {
			unsigned known = 0;

			while (known < witnesses &&
				strcmp(seen[known], strands[i]->vantages[k]) != 0)
				known++;
			if (known == witnesses && witnesses < INCIDENT_VANTAGES)
				seen[witnesses++] = strands[i]->vantages[k];
		}
	return witnesses;
}

static const struct surroundings_site *surroundings_of(
	const struct surroundings *around, const char *site)
{
	for (unsigned i = 0; i < around->site_count; i++)
		if (strcmp(around->sites[i].name, site) == 0)
			return &around->sites[i];
	return NULL;
}

static void put_affected_site(struct page *page, const struct strand *const *strands,
	unsigned count, const struct surroundings *around, const char *site)
{
	const struct surroundings_site *there = surroundings_of(around, site);
	unsigned witnesses = witnesses_at(strands, count, site);

	page_put(page, "%s", site);
	if (there && witnesses == 1 && there->probes == 1)
		page_put(page, " (seen by its only probe)");
	else if (there && witnesses && witnesses <= there->probes)
		page_put(page, " (seen by %u of its %u probe%s)", witnesses,
			there->probes, there->probes == 1 ? "" : "s");
}

static void put_affected(struct page *page, const struct incident *incident,
	const struct strand *const *strands, unsigned count,
	const struct surroundings *around)
{
	page_put(page, "Affected: ");
	page_put_names(page, incident->services[0], OBS_NAME, incident->service_count);
	if (incident->site_count == 0)
		page_put(page, ", wherever %s used",
			incident->service_count > 1 ? "they are" : "it is");
	for (unsigned i = 0; i < incident->site_count; i++) {
		page_put(page, "%s",
			i                         ? ", "
			: incident->service_count ? ", at "
						  : "all that is used from ");
		put_affected_site(page, strands, count, around, incident->sites[i]);
	}
	if (incident->vantage_count) {
		page_put(page, "; told by ");
		page_put_names(
			page, incident->vantages[0], OBS_WORD, incident->vantage_count);
	}
	page_put(page, "\n");
}

/* Something holds of that cause which is not bound to a site: then no site is free of it.
 */
static bool is_everywhere(
	const struct strand *const *strands, unsigned count, enum incident_cause cause)
{
	for (unsigned i = 0; i < count; i++)
		if (strands[i]->finding.cause == cause && !strands[i]->finding.site[0])
			return true;
	return false;
}

static bool is_named_site(const struct incident *incident, const char *site)
{
	for (unsigned i = 0; i < incident->site_count; i++)
		if (strcmp(incident->sites[i], site) == 0)
			return true;
	return false;
}

static bool has_looked_since(const struct coverage *coverage, enum coverage_sense sense,
	const struct incident *incident)
{
	return coverage_is_fresh(coverage, sense, incident->rx) &&
	       !moment_before(coverage->senses[sense].last, incident->since);
}

static bool is_summed_up(const struct incident *incident)
{
	return moment_since_us(incident->rx, incident->since) >= SUMS_US;
}

/* What looks at the services from there and finds nothing; false: nothing may be said. */
static bool put_well_site(struct page *page, const struct incident *incident,
	const struct strand *const *strands, unsigned count,
	const struct surroundings *around, const struct surroundings_site *site,
	const char *between)
{
	const struct coverage *coverage = &site->coverage;
	bool path = has_looked_since(coverage, COVERAGE_PATH, incident) &&
		    around->learnt & 1u << COVERAGE_PATH &&
		    !is_everywhere(strands, count, CAUSE_DETOUR);
	bool use = is_summed_up(incident) &&
		   (has_looked_since(coverage, COVERAGE_TRAFFIC, incident) ||
			   has_looked_since(coverage, COVERAGE_CHECK, incident)) &&
		   !is_everywhere(strands, count, CAUSE_FAILURES) &&
		   !is_everywhere(strands, count, CAUSE_LATENCY) &&
		   !is_everywhere(strands, count, CAUSE_TRAFFIC);

	if (!path && !use)
		return false;
	page_put(page, "%s%s (%u probe%s: %s%s%s)", between, site->name, site->probes,
		site->probes == 1 ? "" : "s", path ? "path as before" : "",
		path && use ? ", " : "", use ? "answers as usual" : "");
	return true;
}

static void put_not_affected(struct page *page, const struct incident *incident,
	const struct strand *const *strands, unsigned count,
	const struct surroundings *around)
{
	const char *between = "Not affected: ";
	bool said = false;

	/* What is not bound to sites is everywhere. */
	for (unsigned i = 0; incident->site_count && i < around->site_count; i++)
		if (!is_named_site(incident, around->sites[i].name) &&
			put_well_site(page, incident, strands, count, around,
				&around->sites[i], said ? ", " : between))
			said = true;
	between = said ? "; other services: " : "Not affected: other services: ";
	for (unsigned i = 0, named = 0; i < around->service_count; i++) {
		if (around->services[i].troubled)
			continue;
		page_put(page, "%s%s", named ? ", " : between, around->services[i].name);
		named++;
		said = true;
	}
	if (said)
		page_put(page, "\n");
}

/* What might have been the cause, what would have shown it (at once, or in sums only),
 * and what is said when it did not. */
struct suspicion {
	enum incident_cause cause;
	enum coverage_sense sense;
	bool summed;
	const char *well;
};

static const struct suspicion suspicions[] = {
	{CAUSE_NAME_SERVER, COVERAGE_DELEGATION, false,
		"name servers are the known ones"},
	{CAUSE_RECORDS, COVERAGE_RECORDS, false,
		"names lead to known networks and mail hosts"},
	{CAUSE_REGISTRY, COVERAGE_REGISTRY, false, "the registration is unchanged"},
	{CAUSE_CERTIFICATE, COVERAGE_CERTIFICATE, false,
		"certificates are the known ones"},
	{CAUSE_DETOUR, COVERAGE_PATH, false,
		"paths keep to known networks and countries"},
	{CAUSE_FAILURES, COVERAGE_CHECK, false, "requests do not fail"},
	{CAUSE_LATENCY, COVERAGE_TRAFFIC, true, "answers are as fast as usual"},
	{CAUSE_TRAFFIC, COVERAGE_TRAFFIC, true, "requests come as usual"},
};
#define SUSPICIONS (sizeof(suspicions) / sizeof(suspicions[0]))

enum verdict {
	VERDICT_GUILTY,
	VERDICT_WELL,
	VERDICT_EARLY,
	VERDICT_YOUNG,
	VERDICT_BLIND
};

static enum verdict verdict_of(const struct suspicion *suspicion,
	const struct incident *incident, const struct surroundings *around)
{
	if (has(incident, suspicion->cause) ||
		(suspicion->cause == CAUSE_RECORDS && has(incident, CAUSE_POLICY)))
		return VERDICT_GUILTY;
	if (!coverage_is_fresh(&around->coverage, suspicion->sense, incident->rx))
		return VERDICT_BLIND;
	if (!(around->learnt & 1u << suspicion->sense))
		return VERDICT_YOUNG;
	return has_looked_since(&around->coverage, suspicion->sense, incident) &&
			       (!suspicion->summed || is_summed_up(incident))
		       ? VERDICT_WELL
		       : VERDICT_EARLY;
}

static void put_well(struct page *page, const struct suspicion *suspicion,
	const struct incident *incident, const struct surroundings *around)
{
	char span[MOMENT_TEXT];
	struct moment last = around->coverage.senses[suspicion->sense].last;
	int64_t ago_s = moment_since_us(incident->rx, last) / MOMENT_SECOND_US;

	if (ago_s < 1)
		page_put(page, "%s (just now)", suspicion->well);
	else
		page_put(page, "%s (%s ago)", suspicion->well,
			moment_span_text(ago_s * MOMENT_SECOND_US, span));
}

static void put_verdicts(struct page *page, const struct incident *incident,
	const struct surroundings *around, enum verdict wanted, const char *heading)
{
	bool said = false;

	for (size_t i = 0; i < SUSPICIONS; i++) {
		if (verdict_of(&suspicions[i], incident, around) != wanted)
			continue;
		page_put(page, "%s", said ? "; " : heading);
		if (wanted == VERDICT_WELL)
			put_well(page, &suspicions[i], incident, around);
		else
			page_put(page, "%s", words[suspicions[i].cause]);
		said = true;
	}
	if (said)
		page_put(page, "\n");
}

static void put_ruled_out(struct page *page, const struct incident *incident,
	const struct surroundings *around)
{
	if (around->announced)
		page_put(page, "Announced work is under way.\n");
	/* A site's own trouble is no service's: theirs were not looked into. */
	if (incident->service_count == 0)
		return;
	put_verdicts(page, incident, around, VERDICT_WELL, "Ruled out: ");
	put_verdicts(page, incident, around, VERDICT_EARLY, "Too early to tell: ");
	put_verdicts(page, incident, around, VERDICT_YOUNG,
		"Still being learnt, so not judged: ");
	put_verdicts(page, incident, around, VERDICT_BLIND, "Not measured: ");
}

static const char *step_for(
	enum incident_cause cause, const struct strand *const *strands, unsigned count)
{
	if (cause == CAUSE_RECORDS && is_of_resolvers(strands, count))
		return step_of_a_resolver;
	if (cause == CAUSE_CERTIFICATE && is_of_an_end(strands, count))
		return step_of_an_end;
	if (cause == CAUSE_NAME_SERVER && is_of_a_lost_zone(strands, count))
		return step_of_a_lost_zone;
	return next_steps[cause];
}

static void put_next(struct page *page, const struct incident *incident,
	const struct strand *const *strands, unsigned count)
{
	unsigned said = 0;

	page_put(page, "\nNext:\n");
	/* What a site's services show there is the site's. */
	if (has(incident, CAUSE_SITE)) {
		page_put(page, "  1. %s\n", next_steps[CAUSE_SITE]);
		return;
	}
	for (unsigned i = 0; story_by_weight[i] != INCIDENT_CAUSES && said < STEPS; i++)
		if (has(incident, story_by_weight[i]))
			page_put(page, "  %u. %s\n", ++said,
				step_for(story_by_weight[i], strands, count));
}

static void put_course(struct page *page, const struct incident *incident,
	const struct strand *const *strands, unsigned count)
{
	char at[MOMENT_TEXT];

	page_put(page, "\nIn order of time:\n");
	for (unsigned i = 0; i < count; i++) {
		const struct finding *finding = &strands[i]->finding;

		page_put(page, "  %s  ", moment_text(finding->since, false, at));
		put_label(page, incident, finding);
		page_put(page, "%s%s\n", finding->text,
			strand_holds(strands[i]) ? "" : " (no longer seen)");
	}
}

void story_write(struct incident *incident, const struct strand *const *strands,
	unsigned count, const struct surroundings *around,
	const struct story_state *state)
{
	struct page page = page_over(incident->text, sizeof(incident->text));

	if (count == 0)
		return;
	page_put(&page, "%s\n", incident->title);
	put_state(&page, incident, state);
	put_reading(&page, incident, strands, count);
	put_beginning(&page, incident, strands, count);
	put_affected(&page, incident, strands, count, around);
	put_not_affected(&page, incident, strands, count, around);
	put_ruled_out(&page, incident, around);
	put_next(&page, incident, strands, count);
	put_course(&page, incident, strands, count);
}
