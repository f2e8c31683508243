#include "case_file.h"

#include <string.h>

#include "archive.h"

#define COMBINED_US (30 * MOMENT_MINUTE_US)
#define REOPENS_US (6 * MOMENT_HOUR_US)
/* Nobody has said a thing about it for a day: it is no longer measured. */
#define UNSAID_US MOMENT_DAY_US
/* The class of trouble has risen when so much more of it is felt. */
#define CLASS_RISES .35

struct strand *case_file_strand_of(struct case_file *file, const struct finding *finding)
{
	for (unsigned i = 0; i < file->strand_count; i++)
		if (strand_is_of(&file->strands[i], finding))
			return &file->strands[i];
	return NULL;
}

bool case_file_is_remembered(const struct case_file *file, struct moment rx)
{
	if (file->resolved)
		return moment_since_us(rx, file->resolved_at) < REOPENS_US;
	return !file->quiet_said || moment_since_us(rx, file->last) < REOPENS_US;
}

const char *case_file_own_site(const struct case_file *file)
{
	for (unsigned i = 0; i < file->strand_count; i++)
		if (!file->strands[i].finding.service[0] &&
			file->strands[i].finding.cause != CAUSE_TELEMETRY)
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

	return apart_us < CASE_FILE_TOGETHER_US && apart_us > -CASE_FILE_TOGETHER_US;
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

bool case_file_is_attacked_by(const struct case_file *file, const struct finding *finding)
{
	if (*case_file_own_site(file))
		return false;
	for (unsigned i = 0; i < file->strand_count; i++)
		if (is_one_attack(&file->strands[i].finding, finding))
			return true;
	return false;
}

bool case_file_concerns(const struct case_file *file, const struct finding *finding)
{
	const char *own = case_file_own_site(file);

	/* A site's own trouble takes what its services show there, and nothing else. */
	if (*own)
		return strcmp(own, finding->site) == 0;
	for (unsigned i = 0; i < file->strand_count; i++) {
		const struct strand *strand = &file->strands[i];

		if (*finding->service &&
			strcmp(strand->finding.service, finding->service) == 0 &&
			moment_since_us(finding->rx, strand->last) <
				CASE_FILE_TOGETHER_US)
			return true;
	}
	return false;
}

/* What is merely worth knowing moves nothing. */
static bool weighs(const struct strand *strand)
{
	return strand->finding.severity > SEVERITY_INFO;
}

bool case_file_is_security(const struct case_file *file)
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

unsigned case_file_kinds_of_evidence(const struct case_file *file, struct moment now)
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
enum incident_severity case_file_severity(const struct case_file *file, struct moment now)
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

static struct case_class class_of(const struct case_file *file)
{
	return (struct case_class){.harm = effect_of(file),
		.attack = case_file_is_security(file),
		.breach = has_policy(file)};
}

void case_file_note_page(struct case_file *file)
{
	file->paged = class_of(file);
}

bool case_file_class_rises(const struct case_file *file)
{
	struct case_class now = class_of(file);

	return now.harm > file->paged.harm + CLASS_RISES ||
	       (now.attack && !file->paged.attack) || (now.breach && !file->paged.breach);
}

bool case_file_is_open_to(const struct case_file *file, const struct finding *finding)
{
	return !file->resolved && (!file->quiet_said || finding->security);
}

bool case_file_goes_before(const struct case_file *one, const struct case_file *other)
{
	if (one->told != other->told)
		return one->told;
	if (one->told && one->told_severity != other->told_severity)
		return one->told_severity > other->told_severity;
	return !moment_before(other->incident.opened, one->incident.opened);
}

void case_file_note_paged_before(struct case_file *into, const struct case_file *joined)
{
	into->paged.attack |= joined->paged.attack;
	into->paged.breach |= joined->paged.breach;
	if (joined->paged.harm > into->paged.harm)
		into->paged.harm = joined->paged.harm;
	if (joined->reopened > into->reopened)
		into->reopened = joined->reopened;
}

bool case_file_is_over(struct case_file *file, struct moment rx, struct moment *since)
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

/* What an incident says is made anew from its strands whenever it is said. */
static void keep_incident(struct archive *archive, struct incident *incident)
{
	archive_moment(archive, &incident->rx);
	archive_text(archive, incident->id, sizeof(incident->id));
	archive_text(archive, incident->part_of, sizeof(incident->part_of));
	archive_u32(archive, &incident->change_number);
	incident->state = (enum incident_state)archive_choice(
		archive, incident->state, INCIDENT_RESOLVED + 1);
	incident->severity = (enum incident_severity)archive_choice(
		archive, incident->severity, SEVERITY_PAGE + 1);
	archive_moment(archive, &incident->opened);
}

void case_file_keep(struct archive *archive, struct case_file *file)
{
	archive_bool(archive, &file->told);
	archive_bool(archive, &file->resolved);
	archive_bool(archive, &file->acknowledged);
	archive_bool(archive, &file->quiet_said);
	archive_text(archive, file->acknowledged_by, sizeof(file->acknowledged_by));
	archive_text(archive, file->acknowledged_note, sizeof(file->acknowledged_note));
	keep_incident(archive, &file->incident);
	archive_u32(archive, &file->reopened);
	archive_double(archive, &file->paged.harm);
	archive_bool(archive, &file->paged.attack);
	archive_bool(archive, &file->paged.breach);
	file->told_severity = (enum incident_severity)archive_choice(
		archive, file->told_severity, SEVERITY_PAGE + 1);
	archive_moment(archive, &file->gathering_since);
	archive_moment(archive, &file->last);
	archive_moment(archive, &file->resolved_at);
	archive_count(archive, &file->strand_count, CASE_FILE_STRANDS);
	for (unsigned i = 0; i < file->strand_count; i++)
		strand_keep(archive, &file->strands[i]);
}
