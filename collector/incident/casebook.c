#include "casebook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "archive.h"
#include "printable.h"
#include "strand.h"

#define CASES 64
#define STRANDS INCIDENT_EVIDENCE
#define TOGETHER_US (2 * MOMENT_HOUR_US)
#define COMBINED_US (30 * MOMENT_MINUTE_US)
#define REOPENS_US (6 * MOMENT_HOUR_US)
/* Nobody has said a thing about it for a day: it is no longer measured. */
#define UNSAID_US MOMENT_DAY_US
/* Three times back within a day: held open for a day, so that it wakes nobody again. */
#define FLAPS 3
#define HELD_OPEN_US MOMENT_DAY_US
/* The class of trouble has risen when so much more of it is felt. */
#define CLASS_RISES .35
/* So many kinds of evidence need no more of it. */
#define FAMILIES_ENOUGH 5

struct case_file {
	bool used, told, resolved, acknowledged, quiet_said;
	struct incident incident;
	unsigned strand_count;
	unsigned reopened;
	unsigned paged_sites;
	bool paged_policy, paged_security;
	double paged_effect;
	enum incident_severity told_severity;
	struct moment gathering_since; /* us 0: nothing worth telling yet */
	struct moment last;            /* finding that held */
	struct moment resolved_at;
	char acknowledged_by[OBS_WORD], acknowledged_note[OBS_TEXT];
	struct strand strands[STRANDS];
};

struct casebook {
	struct casebook_settings settings;
	struct casebook_counters counters;
	struct casebook_hooks hooks;
	struct case_file *cases[CASES];
	struct surroundings around; /* of the incident that is being told */
};

int casebook_new(struct casebook **out, const struct casebook_settings *settings,
	const struct casebook_hooks *hooks)
{
	struct casebook *casebook = calloc(1, sizeof(*casebook));

	*out = NULL;
	if (!casebook)
		return -ENOMEM;
	casebook->settings = *settings;
	casebook->hooks = *hooks;
	*out = casebook;
	return 0;
}

void casebook_free(struct casebook *casebook)
{
	if (!casebook)
		return;
	for (unsigned i = 0; i < CASES; i++)
		free(casebook->cases[i]);
	free(casebook);
}

/* Whether another open case speaks of that service. */
static bool is_troubled(
	const struct casebook *casebook, const struct case_file *but, const char *service)
{
	for (unsigned i = 0; i < CASES; i++) {
		const struct case_file *file = casebook->cases[i];

		if (!file || file == but || file->resolved)
			continue;
		for (unsigned k = 0; k < file->strand_count; k++)
			if (strand_holds(&file->strands[k]) &&
				strcmp(file->strands[k].finding.service, service) == 0)
				return true;
	}
	return false;
}

static void look_around(struct casebook *casebook, const struct case_file *file)
{
	struct surroundings *around = &casebook->around;

	memset(around, 0, sizeof(*around));
	if (casebook->hooks.look_around)
		casebook->hooks.look_around(casebook->hooks.arg, &file->incident, around);
	for (unsigned i = 0; i < around->service_count; i++)
		around->services[i].troubled =
			is_troubled(casebook, file, around->services[i].name);
}

static void retell(struct casebook *casebook, struct case_file *file,
	enum incident_change change, const char *part_of)
{
	struct story_state state = {.acknowledged_by = file->acknowledged_by,
		.acknowledged_note = file->acknowledged_note,
		.quiet_but_open = file->quiet_said && !file->resolved,
		.part_of = part_of};

	account_gather(&file->incident, file->strands, file->strand_count);
	look_around(casebook, file);
	account_tell(&file->incident, file->strands, file->strand_count,
		&casebook->around, &state);
	casebook->hooks.changed(casebook->hooks.arg, change, &file->incident);
}

static void say_again(
	struct casebook *casebook, struct case_file *file, enum incident_change change)
{
	retell(casebook, file, change, NULL);
}

static void say(struct casebook *casebook, struct case_file *file,
	enum incident_change change, struct moment rx)
{
	file->incident.rx = rx;
	if (change != INCIDENT_CHANGE_UPDATED)
		file->incident.change_number++;
	say_again(casebook, file, change);
}

static struct strand *strand_of(struct case_file *file, const struct finding *finding)
{
	for (unsigned i = 0; i < file->strand_count; i++)
		if (strand_is_of(&file->strands[i], finding))
			return &file->strands[i];
	return NULL;
}

/* Whether a case may still come back: one that is resolved, or only waits for somebody's
 * acknowledgement, belongs to the past after a while, and the same again is news. */
static bool is_remembered(const struct case_file *file, struct moment rx)
{
	if (file->resolved)
		return moment_since_us(rx, file->resolved_at) < REOPENS_US;
	return !file->quiet_said || moment_since_us(rx, file->last) < REOPENS_US;
}

static struct case_file *case_with_strand(
	struct casebook *casebook, const struct finding *finding)
{
	struct case_file *remembered = NULL;

	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (!file || !is_remembered(file, finding->rx) ||
			!strand_of(file, finding))
			continue;
		if (!file->resolved)
			return file;
		remembered = file;
	}
	return remembered;
}

/* The site whose own trouble this is; "" when it is a service's. */
static const char *own_site_of(const struct case_file *file)
{
	for (unsigned i = 0; i < file->strand_count; i++)
		if (!file->strands[i].finding.service[0])
			return file->strands[i].finding.site;
	return "";
}

/* What merely informs ties nothing together. */
static bool speaks_of_its_zone(const struct finding *finding)
{
	return finding->zone[0] && finding->severity > SEVERITY_INFO &&
	       (finding->security || finding->cause == CAUSE_REGISTRY);
}

/* What has stood for days hides no attack that begins now. */
static bool began_together(const struct finding *one, const struct finding *other)
{
	int64_t apart_us = moment_since_us(one->since, other->since);

	return apart_us < TOGETHER_US && apart_us > -TOGETHER_US;
}

static bool is_one_attack(const struct finding *one, const struct finding *other)
{
	/* One stranger who names the servers of many zones. */
	if (one->cause == CAUSE_NAME_SERVER && other->cause == CAUSE_NAME_SERVER &&
		strcmp(one->subject, other->subject) == 0)
		return true;
	return speaks_of_its_zone(one) && speaks_of_its_zone(other) &&
	       (one->security || other->security) &&
	       strcmp(one->zone, other->zone) == 0 && began_together(one, other);
}

static bool is_attacked_by(const struct case_file *file, const struct finding *finding)
{
	if (*own_site_of(file))
		return false;
	for (unsigned i = 0; i < file->strand_count; i++)
		if (is_one_attack(&file->strands[i].finding, finding))
			return true;
	return false;
}

static bool concerns(const struct case_file *file, const struct finding *finding)
{
	const char *own = own_site_of(file);

	/* A site's own trouble takes what its services show there, and nothing else. */
	if (*own)
		return strcmp(own, finding->site) == 0;
	for (unsigned i = 0; i < file->strand_count; i++) {
		const struct strand *strand = &file->strands[i];

		if (*finding->service &&
			strcmp(strand->finding.service, finding->service) == 0 &&
			moment_since_us(finding->rx, strand->last) < TOGETHER_US)
			return true;
	}
	return false;
}

/* That of its own service or site before that of the attack it may be part of. */
static struct case_file *case_that_concerns(
	struct casebook *casebook, const struct finding *finding)
{
	struct case_file *attacked = NULL;

	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (!file || file->resolved ||
			moment_since_us(finding->rx, file->last) >= TOGETHER_US)
			continue;
		if (concerns(file, finding))
			return file;
		if (!attacked && is_attacked_by(file, finding))
			attacked = file;
	}
	return attacked;
}

/* A place for a new case: a free one, else that of the case resolved for longest. */
static struct case_file *new_case(struct casebook *casebook)
{
	unsigned oldest = CASES;

	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (!file) {
			casebook->cases[i] = calloc(1, sizeof(*file));
			return casebook->cases[i];
		}
		if (file->resolved &&
			(oldest == CASES ||
				moment_before(file->resolved_at,
					casebook->cases[oldest]->resolved_at)))
			oldest = i;
	}
	if (oldest == CASES)
		return NULL;
	memset(casebook->cases[oldest], 0, sizeof(struct case_file));
	return casebook->cases[oldest];
}

/* FNV-1a over what makes it this one: the same in every replay. */
static void name_case(struct case_file *file, const struct finding *finding)
{
	char text[OBS_NAME + OBS_WORD + 64], day[MOMENT_TEXT];
	uint32_t hash = 2166136261u;

	(void)snprintf(text, sizeof(text), "%" PRId64 "|%s|%s|%u", finding->rx.us,
		finding->service, finding->site, (unsigned)finding->cause);
	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	(void)snprintf(file->incident.id, sizeof(file->incident.id), "%.10s-%08x",
		moment_text(finding->rx, false, day), (unsigned)hash);
}

static struct case_file *open_case(
	struct casebook *casebook, const struct finding *finding)
{
	struct case_file *file = new_case(casebook);

	if (!file) {
		casebook->counters.refused++;
		return NULL;
	}
	file->used = true;
	name_case(file, finding);
	file->incident.opened = finding->rx;
	return file;
}

/* What is merely worth knowing moves nothing. */
static bool weighs(const struct strand *strand)
{
	return strand->finding.severity > SEVERITY_INFO;
}

static bool is_security(const struct case_file *file)
{
	for (unsigned i = 0; i < file->strand_count; i++)
		if (file->strands[i].finding.security && weighs(&file->strands[i]))
			return true;
	return false;
}

static bool has_policy(const struct case_file *file)
{
	for (unsigned i = 0; i < file->strand_count; i++)
		if (file->strands[i].finding.policy && weighs(&file->strands[i]))
			return true;
	return false;
}

static bool is_fresh(const struct strand *strand, struct moment now)
{
	return strand_holds(strand) && strand->finding.severity >= SEVERITY_WARN &&
	       moment_since_us(now, strand->last) < COMBINED_US;
}

static unsigned kinds_of_evidence(const struct case_file *file, struct moment now)
{
	unsigned causes = 0;

	for (unsigned i = 0; i < file->strand_count; i++)
		if (is_fresh(&file->strands[i], now))
			causes |= 1u << file->strands[i].finding.cause;
	return (unsigned)__builtin_popcount(causes);
}

/* Two kinds that speak of the same place: one site, or the service as a whole. */
static bool agree(const struct case_file *file, struct moment now)
{
	for (unsigned i = 0; i < file->strand_count; i++)
		for (unsigned k = 0; k < i; k++)
			if (is_fresh(&file->strands[i], now) &&
				is_fresh(&file->strands[k], now) &&
				file->strands[i].finding.cause !=
					file->strands[k].finding.cause &&
				strcmp(file->strands[i].finding.site,
					file->strands[k].finding.site) == 0)
				return true;
	return false;
}

/* Independent streams multiply: two warnings of different kinds are worth a page. */
static enum incident_severity severity_of(const struct case_file *file, struct moment now)
{
	enum incident_severity worst = SEVERITY_INFO;

	for (unsigned i = 0; i < file->strand_count; i++)
		if (strand_holds(&file->strands[i]) &&
			file->strands[i].finding.severity > worst)
			worst = file->strands[i].finding.severity;
	return worst == SEVERITY_WARN && agree(file, now) ? SEVERITY_PAGE : worst;
}

static double effect_of(const struct case_file *file)
{
	double worst = 0;

	for (unsigned i = 0; i < file->strand_count; i++)
		if (strand_holds(&file->strands[i]) && weighs(&file->strands[i]) &&
			file->strands[i].finding.effect > worst)
			worst = file->strands[i].finding.effect;
	return worst;
}

static bool bears_on(const struct strand *strand)
{
	return strand->finding.site[0] && strand->finding.severity >= SEVERITY_WARN;
}

/* What merely informs adds a site to the text, not to the class of trouble. */
static unsigned sites_of(const struct case_file *file)
{
	unsigned count = 0;

	for (unsigned i = 0; i < file->strand_count; i++) {
		unsigned k = 0;

		if (!bears_on(&file->strands[i]))
			continue;
		while (k < i && (!bears_on(&file->strands[k]) ||
					strcmp(file->strands[k].finding.site,
						file->strands[i].finding.site) != 0))
			k++;
		count += k == i;
	}
	return count;
}

static void note_page(struct casebook *casebook, struct case_file *file)
{
	casebook->counters.pages++;
	file->paged_effect = effect_of(file);
	file->paged_policy = has_policy(file);
	file->paged_security = is_security(file);
	file->paged_sites = sites_of(file);
}

/* Nothing but more harm is above an attack: what else joins one is told only. */
static bool class_rises(const struct case_file *file)
{
	if (effect_of(file) > file->paged_effect + CLASS_RISES)
		return true;
	return !file->paged_security &&
	       (is_security(file) || (has_policy(file) && !file->paged_policy) ||
		       (sites_of(file) > file->paged_sites && file->paged_sites == 1));
}

static void tell_first(struct casebook *casebook, struct case_file *file,
	enum incident_severity severity, struct moment rx)
{
	file->told = true;
	file->told_severity = file->incident.severity = severity;
	file->incident.state = INCIDENT_OPENED;
	casebook->counters.incidents++;
	if (severity == SEVERITY_PAGE)
		note_page(casebook, file);
	say(casebook, file, INCIDENT_CHANGE_OPENED, rx);
}

static void escalate(struct casebook *casebook, struct case_file *file, struct moment rx)
{
	file->told_severity = file->incident.severity = SEVERITY_PAGE;
	file->incident.state = INCIDENT_ESCALATED;
	note_page(casebook, file);
	say(casebook, file, INCIDENT_CHANGE_ESCALATED, rx);
}

/* Whether it is time to tell somebody, and does. True when something was said. */
static bool consider(struct casebook *casebook, struct case_file *file, struct moment rx)
{
	enum incident_severity severity = severity_of(file, rx);

	if (file->resolved || severity < SEVERITY_WARN)
		return false;
	if (!file->gathering_since.us)
		file->gathering_since = rx;
	if (file->told) {
		if (severity == SEVERITY_PAGE &&
			(file->told_severity < SEVERITY_PAGE || class_rises(file))) {
			escalate(casebook, file, rx);
			return true;
		}
		return false;
	}
	if (moment_since_us(rx, file->gathering_since) < casebook->settings.gather_us &&
		!(severity == SEVERITY_PAGE &&
			kinds_of_evidence(file, rx) >= FAMILIES_ENOUGH))
		return false;
	tell_first(casebook, file, severity, rx);
	return true;
}

/* The same trouble again: no new incident, and nobody is woken for it. */
static void reopen(struct casebook *casebook, struct case_file *file, struct moment rx)
{
	file->resolved = false;
	file->quiet_said = false;
	file->reopened++;
	file->incident.state = INCIDENT_OPENED;
	file->incident.severity = SEVERITY_WARN;
	say(casebook, file, INCIDENT_CHANGE_OPENED, rx);
}

static void end_strand(struct casebook *casebook, const struct finding *finding)
{
	struct case_file *file = case_with_strand(casebook, finding);
	struct strand *strand = file ? strand_of(file, finding) : NULL;

	if (!strand || file->resolved || !strand_holds(strand))
		return;
	strand->ended = finding->rx;
	if (file->told)
		say(casebook, file, INCIDENT_CHANGE_UPDATED, finding->rx);
}

static void hold_strand(
	struct casebook *casebook, struct case_file *file, const struct finding *finding)
{
	struct strand *strand = strand_of(file, finding);
	bool news = true;

	file->last = finding->rx;
	if (strand)
		news = strand_renew(strand, finding);
	else if (file->strand_count < STRANDS)
		strand_begin(&file->strands[file->strand_count++], finding);
	else
		casebook->counters.refused++;
	if (file->resolved)
		reopen(casebook, file, finding->rx);
	file->quiet_said = false;
	if (!consider(casebook, file, finding->rx) && news && file->told)
		say(casebook, file, INCIDENT_CHANGE_UPDATED, finding->rx);
}

/* Of two, the one that more was said of; else the older, else the first. */
static bool goes_before(const struct case_file *one, const struct case_file *other)
{
	if (one->told != other->told)
		return one->told;
	if (one->told && one->told_severity != other->told_severity)
		return one->told_severity > other->told_severity;
	return !moment_before(other->incident.opened, one->incident.opened);
}

static void move_strand(
	struct casebook *casebook, struct case_file *into, const struct strand *strand)
{
	struct strand *same = strand_of(into, &strand->finding);

	if (same && strand_holds(strand) && !strand_holds(same))
		*same = *strand;
	else if (!same && into->strand_count < STRANDS)
		into->strands[into->strand_count++] = *strand;
	else if (!same)
		casebook->counters.refused++;
}

/* What either has paged for is not paged for again. */
static void note_paged_before(struct case_file *into, const struct case_file *joined)
{
	into->paged_security |= joined->paged_security;
	into->paged_policy |= joined->paged_policy;
	if (joined->paged_effect > into->paged_effect)
		into->paged_effect = joined->paged_effect;
	if (joined->paged_sites > into->paged_sites)
		into->paged_sites = joined->paged_sites;
	if (joined->reopened > into->reopened)
		into->reopened = joined->reopened;
}

/* The joined one is told with what it knew, and then knows nothing any more: what it
 * holds comes back to the other. */
static void absorb(struct casebook *casebook, struct case_file *into,
	struct case_file *joined, struct moment rx)
{
	for (unsigned i = 0; i < joined->strand_count; i++)
		move_strand(casebook, into, &joined->strands[i]);
	if (moment_before(into->last, joined->last))
		into->last = joined->last;
	if (joined->gathering_since.us &&
		(!into->gathering_since.us ||
			moment_before(joined->gathering_since, into->gathering_since)))
		into->gathering_since = joined->gathering_since;
	note_paged_before(into, joined);
	if (joined->told) {
		joined->resolved = true;
		joined->incident.state = INCIDENT_RESOLVED;
		joined->incident.rx = rx;
		joined->incident.change_number++;
		retell(casebook, joined, INCIDENT_CHANGE_RESOLVED, into->incident.id);
	}
	memset(joined, 0, sizeof(*joined));
	joined->resolved = true;
	if (into->told)
		say(casebook, into, INCIDENT_CHANGE_UPDATED, rx);
}

/* What the finding shows to be one attack becomes one incident. Returns the one. */
static struct case_file *unite(
	struct casebook *casebook, struct case_file *file, const struct finding *finding)
{
	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *other = casebook->cases[i];

		if (!other || other == file || other->resolved || file->resolved ||
			*own_site_of(file) || !is_attacked_by(other, finding) ||
			moment_since_us(finding->rx, other->last) >= TOGETHER_US)
			continue;
		if (goes_before(other, file)) {
			absorb(casebook, other, file, finding->rx);
			file = other;
		} else
			absorb(casebook, file, other, finding->rx);
	}
	return file;
}

void casebook_take(struct casebook *casebook, const struct finding *finding)
{
	struct case_file *file;

	casebook->counters.findings++;
	if (finding->state == FINDING_ENDED) {
		end_strand(casebook, finding);
		return;
	}
	file = case_with_strand(casebook, finding);
	if (!file)
		file = case_that_concerns(casebook, finding);
	/* What is merely worth knowing opens nothing. */
	if (!file && finding->severity > SEVERITY_INFO)
		file = open_case(casebook, finding);
	if (file)
		hold_strand(casebook, unite(casebook, file, finding), finding);
}

bool casebook_acknowledge(
	struct casebook *casebook, struct moment rx, const struct obs_acknowledge *by)
{
	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (!file || !file->told || file->resolved ||
			strcmp(file->incident.id, by->incident) != 0)
			continue;
		file->acknowledged = true;
		printable_copy(file->acknowledged_by, sizeof(file->acknowledged_by),
			*by->by ? by->by : "an operator");
		printable_copy(file->acknowledged_note, sizeof(file->acknowledged_note),
			by->note);
		file->quiet_said = false;
		file->incident.state = INCIDENT_ACKNOWLEDGED;
		say(casebook, file, INCIDENT_CHANGE_ACKNOWLEDGED, rx);
		return true;
	}
	return false;
}

/* When the last of it ended; false while anything holds. */
static bool is_over(struct case_file *file, struct moment rx, struct moment *since)
{
	since->us = 0;
	for (unsigned i = 0; i < file->strand_count; i++) {
		struct strand *strand = &file->strands[i];

		if (strand_holds(strand) && moment_since_us(rx, strand->last) > UNSAID_US)
			strand->ended = rx;
		if (strand_holds(strand))
			return false;
		if (moment_before(*since, strand->ended))
			*since = strand->ended;
	}
	return true;
}

static void close_case(
	struct casebook *casebook, struct case_file *file, struct moment rx)
{
	file->resolved = true;
	file->resolved_at = rx;
	file->incident.state = INCIDENT_RESOLVED;
	say(casebook, file, INCIDENT_CHANGE_RESOLVED, rx);
}

static void settle(struct casebook *casebook, struct case_file *file, struct moment rx)
{
	struct moment since;
	int64_t calm_us =
		file->reopened >= FLAPS ? HELD_OPEN_US : casebook->settings.calm_us;

	if (file->resolved || !is_over(file, rx, &since) ||
		moment_since_us(rx, since) < calm_us)
		return;
	if (!file->told) { /* it came and went before anybody was told */
		memset(file, 0, sizeof(*file));
		file->resolved = true;
		return;
	}
	if (is_security(file) && !file->acknowledged) {
		if (!file->quiet_said) {
			file->quiet_said = true;
			say(casebook, file, INCIDENT_CHANGE_UPDATED, rx);
		}
		return;
	}
	close_case(casebook, file, rx);
}

void casebook_advance(struct casebook *casebook, struct moment rx)
{
	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (!file || file->resolved)
			continue;
		(void)consider(casebook, file, rx);
		settle(casebook, file, rx);
	}
}

bool casebook_is_busy(const struct casebook *casebook)
{
	for (unsigned i = 0; i < CASES; i++)
		if (casebook->cases[i] && !casebook->cases[i]->resolved)
			return true;
	return false;
}

void casebook_read_counters(
	const struct casebook *casebook, struct casebook_counters *out)
{
	*out = casebook->counters;
}

/* What an incident says is made anew from its strands whenever it is said. */
static void keep_incident(struct archive *archive, struct incident *incident)
{
	archive_moment(archive, &incident->rx);
	archive_text(archive, incident->id, sizeof(incident->id));
	archive_u32(archive, &incident->change_number);
	incident->state = (enum incident_state)archive_choice(
		archive, incident->state, INCIDENT_RESOLVED + 1);
	incident->severity = (enum incident_severity)archive_choice(
		archive, incident->severity, SEVERITY_PAGE + 1);
	archive_moment(archive, &incident->opened);
}

static void keep_case(struct archive *archive, struct case_file *file)
{
	archive_bool(archive, &file->used);
	archive_bool(archive, &file->told);
	archive_bool(archive, &file->resolved);
	archive_bool(archive, &file->acknowledged);
	archive_bool(archive, &file->quiet_said);
	archive_text(archive, file->acknowledged_by, sizeof(file->acknowledged_by));
	archive_text(archive, file->acknowledged_note, sizeof(file->acknowledged_note));
	keep_incident(archive, &file->incident);
	archive_u32(archive, &file->reopened);
	archive_u32(archive, &file->paged_sites);
	archive_bool(archive, &file->paged_policy);
	archive_bool(archive, &file->paged_security);
	archive_double(archive, &file->paged_effect);
	file->told_severity = (enum incident_severity)archive_choice(
		archive, file->told_severity, SEVERITY_PAGE + 1);
	archive_moment(archive, &file->gathering_since);
	archive_moment(archive, &file->last);
	archive_moment(archive, &file->resolved_at);
	archive_count(archive, &file->strand_count, STRANDS);
	for (unsigned i = 0; i < file->strand_count; i++)
		strand_keep(archive, &file->strands[i]);
}

/* Each stays in its place: their order decides which of two takes a finding. */
void casebook_keep(struct archive *archive, struct casebook *casebook)
{
	for (unsigned i = 0; i < CASES; i++) {
		bool here = casebook->cases[i] != NULL;

		archive_bool(archive, &here);
		if (here && !casebook->cases[i])
			casebook->cases[i] = calloc(1, sizeof(struct case_file));
		if (here && casebook->cases[i])
			keep_case(archive, casebook->cases[i]);
		else if (here)
			archive_refuse(archive);
	}
}

static enum incident_change change_of(enum incident_state state)
{
	static const enum incident_change changes[] = {
		[INCIDENT_OPENED] = INCIDENT_CHANGE_OPENED,
		[INCIDENT_ESCALATED] = INCIDENT_CHANGE_ESCALATED,
		[INCIDENT_ACKNOWLEDGED] = INCIDENT_CHANGE_ACKNOWLEDGED,
		[INCIDENT_RESOLVED] = INCIDENT_CHANGE_RESOLVED,
	};

	return changes[state];
}

void casebook_recall(struct casebook *casebook)
{
	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (file && file->told && !file->resolved)
			say_again(casebook, file, change_of(file->incident.state));
	}
}
