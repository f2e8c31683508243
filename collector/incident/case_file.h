/*
 * One case of the casebook: an incident in the making, with the findings that belong to
 * it, and the rules that read it: what concerns it, how grave it is, whether it has
 * become worse. Says nothing to anybody. A plain value.
 */
#ifndef ASTRAY_CASE_FILE_H
#define ASTRAY_CASE_FILE_H

#include <stdbool.h>

#include "incident.h"
#include "strand.h"

#define CASE_FILE_STRANDS INCIDENT_EVIDENCE
/* What begins or is said within this time may belong together. */
#define CASE_FILE_TOGETHER_US (2 * MOMENT_HOUR_US)

struct archive;

/* What somebody who has been paged knows of it. It pages again only when it has become
 * another matter, each kind once: more harm is felt, it turns out to be an attack, or
 * packets or answers go where the operator forbids it. What joins besides (another site,
 * another service, more of the same) is told and wakes nobody. */
struct case_class {
	double harm; /* the worst effect, 0 to 1 */
	bool attack, breach;
};

struct case_file {
	bool told, resolved, acknowledged, quiet_said;
	struct incident incident;
	unsigned strand_count;
	unsigned reopened;
	struct case_class paged;
	enum incident_severity told_severity;
	struct moment gathering_since; /* us 0: nothing worth telling yet */
	struct moment last;            /* finding that held */
	struct moment resolved_at;
	char acknowledged_by[OBS_WORD], acknowledged_note[OBS_TEXT];
	struct strand strands[CASE_FILE_STRANDS];
};

struct strand *case_file_strand_of(struct case_file *file, const struct finding *finding);
/* Whether a case may still come back: one that is resolved, or only waits for somebody's
 * acknowledgement, belongs to the past after a while, and the same again is news. */
bool case_file_is_remembered(const struct case_file *file, struct moment rx);
/* The site whose own trouble this is; "" when it is a service's, or when the site is
 * merely silent, which explains nothing of what is seen. */
const char *case_file_own_site(const struct case_file *file);
/* Whether the finding is of its service, or of its own site. */
bool case_file_concerns(const struct case_file *file, const struct finding *finding);
/* Whether the finding tells of the attack that one of its own tells of. */
bool case_file_is_attacked_by(
	const struct case_file *file, const struct finding *finding);
bool case_file_is_security(const struct case_file *file);
/* Of what holds and was said lately. */
unsigned case_file_kinds_of_evidence(const struct case_file *file, struct moment now);
enum incident_severity case_file_severity(
	const struct case_file *file, struct moment now);
/* It is paged now: whether its class rises is measured from here. */
void case_file_note_page(struct case_file *file);
bool case_file_class_rises(const struct case_file *file);
/* Whether a finding may join it. What was an attack and is only waiting for somebody's
 * acknowledgement takes no other trouble: that must be heard of. */
bool case_file_is_open_to(const struct case_file *file, const struct finding *finding);
/* Of two, the one that more was said of; else the older, else the first. */
bool case_file_goes_before(const struct case_file *one, const struct case_file *other);
/* What either has paged for is not paged for again. */
void case_file_note_paged_before(struct case_file *into, const struct case_file *joined);
/* True, and since when, once nothing holds; what was not said for a day ends at rx. */
bool case_file_is_over(struct case_file *file, struct moment rx, struct moment *since);
void case_file_keep(struct archive *archive, struct case_file *file);

#endif
