#include "strand.h"

#include <string.h>

#include "archive.h"
#include "printable.h"

/* Ten points worse are worth saying; every wiggle is not. */
#define WORSE .1

static void clean_texts(struct finding *finding)
{
	struct finding raw = *finding;

	printable_copy(finding->brief, sizeof(finding->brief), raw.brief);
	printable_copy(finding->text, sizeof(finding->text), raw.text);
}

static void note_vantage(struct strand *strand, const char *vantage)
{
	if (!*vantage)
		return;
	for (unsigned i = 0; i < strand->vantage_count; i++)
		if (strcmp(strand->vantages[i], vantage) == 0)
			return;
	if (strand->vantage_count < STRAND_VANTAGES)
		memcpy(strand->vantages[strand->vantage_count++], vantage, OBS_WORD);
}

static enum incident_severity severity_of(
	const struct strand *strand, const struct finding *finding)
{
	return finding->lone && strand->vantage_count < 2 ? SEVERITY_INFO
							  : finding->severity;
}

void strand_begin(struct strand *strand, const struct finding *finding)
{
	memset(strand, 0, sizeof(*strand));
	strand->finding = *finding;
	clean_texts(&strand->finding);
	strand->last = finding->rx;
	note_vantage(strand, finding->vantage);
	strand->finding.severity = severity_of(strand, finding);
}

bool strand_renew(struct strand *strand, const struct finding *finding)
{
	struct moment since = strand->finding.since;
	enum incident_severity severity;
	bool back = !strand_holds(strand);

	strand->ended.us = 0;
	strand->last = finding->rx;
	note_vantage(strand, finding->vantage);
	severity = severity_of(strand, finding);
	if (!back && severity <= strand->finding.severity &&
		finding->effect <= strand->finding.effect + WORSE)
		return false;
	strand->finding = *finding;
	strand->finding.severity = severity;
	strand->finding.since = since;
	clean_texts(&strand->finding);
	return true;
}

bool strand_is_of(const struct strand *strand, const struct finding *finding)
{
	return strand->finding.cause == finding->cause &&
	       strcmp(strand->finding.service, finding->service) == 0 &&
	       strcmp(strand->finding.site, finding->site) == 0 &&
	       strcmp(strand->finding.subject, finding->subject) == 0;
}

bool strand_holds(const struct strand *strand)
{
	return strand->ended.us == 0;
}

static void keep_finding(struct archive *archive, struct finding *finding)
{
	finding->cause = (enum incident_cause)archive_choice(
		archive, finding->cause, INCIDENT_CAUSES);
	finding->state = (enum finding_state)archive_choice(
		archive, finding->state, FINDING_ENDED + 1);
	finding->severity = (enum incident_severity)archive_choice(
		archive, finding->severity, SEVERITY_PAGE + 1);
	archive_bool(archive, &finding->policy);
	archive_bool(archive, &finding->security);
	archive_bool(archive, &finding->lone);
	archive_text(archive, finding->service, sizeof(finding->service));
	archive_text(archive, finding->zone, sizeof(finding->zone));
	archive_text(archive, finding->site, sizeof(finding->site));
	archive_text(archive, finding->vantage, sizeof(finding->vantage));
	archive_text(archive, finding->subject, sizeof(finding->subject));
	archive_moment(archive, &finding->rx);
	archive_moment(archive, &finding->since);
	archive_double(archive, &finding->effect);
	archive_text(archive, finding->brief, sizeof(finding->brief));
	archive_text(archive, finding->text, sizeof(finding->text));
}

void strand_keep(struct archive *archive, struct strand *strand)
{
	keep_finding(archive, &strand->finding);
	archive_moment(archive, &strand->last);
	archive_moment(archive, &strand->ended);
	archive_count(archive, &strand->vantage_count, STRAND_VANTAGES);
	for (unsigned i = 0; i < strand->vantage_count; i++)
		archive_text(archive, strand->vantages[i], OBS_WORD);
}
