#include "account.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What says most of why comes first. */
static const enum incident_cause by_weight[] = {CAUSE_NAME_SERVER, CAUSE_RECORDS,
	CAUSE_CERTIFICATE, CAUSE_POLICY, CAUSE_REGISTRY, CAUSE_SITE, CAUSE_DETOUR,
	CAUSE_FAILURES, CAUSE_LATENCY, CAUSE_TRAFFIC, CAUSE_TELEMETRY};

static const char *const look_first[INCIDENT_CAUSES] = {
	[CAUSE_NAME_SERVER] = "Log in to the registrar (by its real address) and compare "
			      "the delegation; call "
			      "the registrar. Until it is repaired, mail and logins of "
			      "this zone are not safe.",
	[CAUSE_RECORDS] = "Compare the zone at the DNS provider with what is served; see "
			  "who changed it. If mail "
			  "moved, treat password resets since then as read by others.",
	[CAUSE_CERTIFICATE] = "See whether this certificate was ordered by us; look it "
			      "up in Certificate "
			      "Transparency; compare the key on our servers.",
	[CAUSE_REGISTRY] = "Ask the registrar what was changed and by whom.",
	[CAUSE_DETOUR] = "Trace from an affected place; see whether its DNS answer "
			 "changed (names first), else "
			 "ask the carrier about the new network on the way.",
	[CAUSE_POLICY] = "The answer or the path left what is allowed: see whether that "
			 "was planned; if so, "
			 "extend the expectation, if not, treat it as an intrusion.",
	[CAUSE_LATENCY] = "If the round trip has grown it is the network: look at the "
			  "path. If only the answer "
			  "has, it is the application or its database: look at the last "
			  "deployment.",
	[CAUSE_TRAFFIC] = "See whether people cannot reach it (failures, path, names) or "
			  "do not ask (their work, "
			  "another service in front).",
	[CAUSE_FAILURES] = "Look at the service's own errors and its last deployment; if "
			   "connections fail, at "
			   "its load balancer and the network before it.",
	[CAUSE_SITE] = "It is the site, not the services: its uplink, its gateway, its "
		       "provider.",
	[CAUSE_TELEMETRY] = "Nothing is known of what people there see: look at the "
			    "probes and their uplink.",
};

struct page {
	char *buf;
	size_t cap, used;
};

static void put(struct page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct page *page, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(page->buf + page->used, page->cap - page->used, format, args);
	va_end(args);
	if (len > 0)
		page->used += (size_t)len;
	if (page->used >= page->cap)
		page->used = page->cap - 1;
}

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

static int by_since(const void *a, const void *b)
{
	const struct strand *const *left = a, *const *right = b;
	int64_t x = (*left)->finding.since.us, y = (*right)->finding.since.us;

	if (x != y)
		return x < y ? -1 : 1;
	return *left < *right ? -1 : *left > *right;
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
		put(page, "site %s", incident->site_count ? incident->sites[0] : "?");
	else if (incident->service_count == 1)
		put(page, "%s", incident->services[0]);
	else if (incident->service_count <= 3)
		for (unsigned i = 0; i < incident->service_count; i++)
			put(page, "%s%s", i ? ", " : "", incident->services[i]);
	else
		put(page, "%s and %u more services", incident->services[0],
			incident->service_count - 1);
}

/* The worst that holds of each cause, in order of weight. */
static const struct strand *worst_of(
	const struct strand *strands, unsigned count, enum incident_cause cause)
{
	const struct strand *worst = NULL;

	for (unsigned i = 0; i < count; i++) {
		const struct finding *finding = &strands[i].finding;

		if (finding->cause != cause)
			continue;
		if (!worst || finding->severity > worst->finding.severity ||
			(finding->severity == worst->finding.severity &&
				finding->effect > worst->finding.effect))
			worst = &strands[i];
	}
	return worst;
}

static void write_title(
	struct incident *incident, const struct strand *strands, unsigned count)
{
	struct page page = {incident->title, sizeof(incident->title), 0};
	const char *between = ": ";

	incident->title[0] = '\0';
	put_subject(&page, incident);
	for (size_t i = 0; i < sizeof(by_weight) / sizeof(by_weight[0]); i++) {
		const struct strand *strand = worst_of(strands, count, by_weight[i]);

		/* A brief that does not fit whole is left to the text. */
		if (!strand || page.used + strlen(strand->finding.brief) + 3 > page.cap)
			continue;
		put(&page, "%s%s", between, strand->finding.brief);
		between = "; ";
	}
}

static void put_names(struct page *page, const char *names, size_t width, unsigned count)
{
	for (unsigned i = 0; i < count && i < 8; i++)
		put(page, "%s%s", i ? ", " : "", names + i * width);
	if (count > 8)
		put(page, " and %u more", count - 8);
}

static void put_where(struct page *page, const struct incident *incident)
{
	put(page, "Where: ");
	if (incident->site_count)
		put_names(page, incident->sites[0], OBS_WORD, incident->site_count);
	else
		put(page, "wherever the service is used");
	if (incident->vantage_count) {
		put(page, "; seen by ");
		put_names(page, incident->vantages[0], OBS_WORD, incident->vantage_count);
	}
	put(page, "\n");
}

static void put_course(
	struct page *page, const struct strand *const *ordered, unsigned count)
{
	char at[MOMENT_TEXT];

	put(page, "\nIn order of time:\n");
	for (unsigned i = 0; i < count; i++) {
		const struct finding *finding = &ordered[i]->finding;

		put(page, "  %s  %s: %s%s\n", moment_text(finding->since, false, at),
			incident_cause_text(finding->cause), finding->text,
			strand_holds(ordered[i]) ? "" : " (no longer seen)");
	}
}

static void put_advice(struct page *page, const struct incident *incident)
{
	put(page, "\nLook at first:\n");
	for (size_t i = 0, said = 0;
		i < sizeof(by_weight) / sizeof(by_weight[0]) && said < 2; i++)
		if (incident->causes & 1u << by_weight[i]) {
			put(page, "  %s\n", look_first[by_weight[i]]);
			said++;
		}
}

static void put_state(struct page *page, const struct incident *incident,
	const struct account_state *state)
{
	if (*state->acknowledged_by)
		put(page, "Acknowledged by %s.\n", state->acknowledged_by);
	if (state->needs_acknowledgement)
		put(page, "No longer seen. It concerns security, so it stays open until "
			  "somebody "
			  "acknowledges it.\n");
	else if (incident->state == INCIDENT_RESOLVED)
		put(page, "Resolved: nothing of it has been seen for a while.\n");
}

static void write_text(struct incident *incident, const struct strand *const *ordered,
	unsigned count, const struct account_state *state)
{
	struct page page = {incident->text, sizeof(incident->text), 0};
	char since[MOMENT_TEXT], span[MOMENT_TEXT];

	put(&page, "%s\n", incident->title);
	put_state(&page, incident, state);
	put(&page, "Since: %s (%s before this)\n",
		moment_text(incident->since, false, since),
		moment_span_text(moment_since_us(incident->rx, incident->since), span));
	put_where(&page, incident);
	put_course(&page, ordered, count);
	put_advice(&page, incident);
}

void account_write(struct incident *incident, const struct strand *strands,
	unsigned count, const struct account_state *state)
{
	const struct strand *ordered[INCIDENT_EVIDENCE];
	unsigned held = count < INCIDENT_EVIDENCE ? count : INCIDENT_EVIDENCE;

	for (unsigned i = 0; i < held; i++)
		ordered[i] = &strands[i];
	qsort(ordered, held, sizeof(ordered[0]), by_since);
	collect_names(incident, strands, held);
	collect_evidence(incident, ordered, held);
	if (held)
		incident->since = ordered[0]->finding.since;
	write_title(incident, strands, held);
	write_text(incident, ordered, held, state);
}
