#include "casebook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "absorbed.h"
#include "account.h"
#include "archive.h"
#include "case_file.h"
#include "printable.h"

#define CASES 64
/* Three times back within a day: held open for a day, so that it wakes nobody again. */
#define FLAPS 3
#define HELD_OPEN_US MOMENT_DAY_US
/* So many kinds of evidence need no more of it. */
#define FAMILIES_ENOUGH 5

struct casebook {
	struct casebook_settings settings;
	struct casebook_counters counters;
	struct casebook_hooks hooks;
	struct case_file *cases[CASES];
	struct absorbed absorbed;
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

static void say_again(
	struct casebook *casebook, struct case_file *file, enum incident_change change)
{
	struct story_state state = {.acknowledged_by = file->acknowledged_by,
		.acknowledged_note = file->acknowledged_note,
		.quiet_but_open = file->quiet_said && !file->resolved};

	account_gather(&file->incident, file->strands, file->strand_count);
	look_around(casebook, file);
	account_tell(&file->incident, file->strands, file->strand_count,
		&casebook->around, &state);
	casebook->hooks.changed(casebook->hooks.arg, change, &file->incident);
}

static void say(struct casebook *casebook, struct case_file *file,
	enum incident_change change, struct moment rx)
{
	file->incident.rx = rx;
	if (change != INCIDENT_CHANGE_UPDATED)
		file->incident.change_number++;
	say_again(casebook, file, change);
}

static struct case_file *case_with_strand(
	struct casebook *casebook, const struct finding *finding)
{
	struct case_file *remembered = NULL;

	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (!file || !case_file_is_remembered(file, finding->rx) ||
			!case_file_strand_of(file, finding))
			continue;
		if (case_file_is_open_to(file, finding))
			return file;
		if (file->resolved)
			remembered = file;
	}
	return remembered;
}

/* That of its own service or site before that of the attack it may be part of. */
static struct case_file *case_that_concerns(
	struct casebook *casebook, const struct finding *finding)
{
	struct case_file *attacked = NULL;

	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (!file || !case_file_is_open_to(file, finding) ||
			moment_since_us(finding->rx, file->last) >= CASE_FILE_TOGETHER_US)
			continue;
		if (case_file_concerns(file, finding))
			return file;
		if (!attacked && case_file_is_attacked_by(file, finding))
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
	name_case(file, finding);
	file->incident.opened = finding->rx;
	return file;
}

static void tell_first(struct casebook *casebook, struct case_file *file,
	enum incident_severity severity, struct moment rx)
{
	file->told = true;
	file->told_severity = file->incident.severity = severity;
	file->incident.state = INCIDENT_OPENED;
	casebook->counters.incidents++;
	if (severity == SEVERITY_PAGE) {
		casebook->counters.pages++;
		case_file_note_page(file);
	}
	say(casebook, file, INCIDENT_CHANGE_OPENED, rx);
}

/* Who has acknowledged what it was before has not acknowledged this. */
static void forget_acknowledgement(struct case_file *file)
{
	file->acknowledged = false;
	file->acknowledged_by[0] = file->acknowledged_note[0] = '\0';
}

static void escalate(struct casebook *casebook, struct case_file *file, struct moment rx)
{
	forget_acknowledgement(file);
	file->told_severity = file->incident.severity = SEVERITY_PAGE;
	file->incident.state = INCIDENT_ESCALATED;
	casebook->counters.pages++;
	case_file_note_page(file);
	say(casebook, file, INCIDENT_CHANGE_ESCALATED, rx);
}

/* Whether it is time to tell somebody, and does. True when something was said. */
static bool consider(struct casebook *casebook, struct case_file *file, struct moment rx)
{
	enum incident_severity severity = case_file_severity(file, rx);

	if (file->resolved || severity < SEVERITY_WARN)
		return false;
	if (!file->gathering_since.us)
		file->gathering_since = rx;
	if (file->told) {
		if (severity == SEVERITY_PAGE && (file->told_severity < SEVERITY_PAGE ||
							 case_file_class_rises(file))) {
			escalate(casebook, file, rx);
			return true;
		}
		return false;
	}
	if (moment_since_us(rx, file->gathering_since) < casebook->settings.gather_us &&
		!(severity == SEVERITY_PAGE &&
			case_file_kinds_of_evidence(file, rx) >= FAMILIES_ENOUGH))
		return false;
	tell_first(casebook, file, severity, rx);
	return true;
}

/* The same trouble again: no new incident, and nobody is woken for it. But an attack that
 * comes back was taken for over by whoever acknowledged it, and pages. */
static void reopen(
	struct casebook *casebook, struct case_file *file, bool attack, struct moment rx)
{
	file->resolved = false;
	file->quiet_said = false;
	file->reopened++;
	forget_acknowledgement(file);
	if (attack)
		file->told_severity = SEVERITY_WARN;
	file->incident.state = INCIDENT_OPENED;
	file->incident.severity = SEVERITY_WARN;
	say(casebook, file, INCIDENT_CHANGE_OPENED, rx);
}

static void end_strand(struct casebook *casebook, const struct finding *finding)
{
	struct case_file *file = case_with_strand(casebook, finding);
	struct strand *strand = file ? case_file_strand_of(file, finding) : NULL;

	if (!strand || file->resolved || !strand_holds(strand))
		return;
	strand->ended = finding->rx;
	if (file->told)
		say(casebook, file, INCIDENT_CHANGE_UPDATED, finding->rx);
}

static void hold_strand(
	struct casebook *casebook, struct case_file *file, const struct finding *finding)
{
	struct strand *strand = case_file_strand_of(file, finding);
	bool news = true;

	file->last = finding->rx;
	if (strand)
		news = strand_renew(strand, finding);
	else if (file->strand_count < CASE_FILE_STRANDS)
		strand_begin(&file->strands[file->strand_count++], finding);
	else
		casebook->counters.refused++;
	if (file->resolved)
		reopen(casebook, file,
			finding->security && finding->severity == SEVERITY_PAGE,
			finding->rx);
	file->quiet_said = false;
	if (!consider(casebook, file, finding->rx) && news && file->told)
		say(casebook, file, INCIDENT_CHANGE_UPDATED, finding->rx);
}

static void move_strand(
	struct casebook *casebook, struct case_file *into, const struct strand *strand)
{
	struct strand *same = case_file_strand_of(into, &strand->finding);

	if (same && strand_holds(strand) && !strand_holds(same))
		*same = *strand;
	else if (!same && into->strand_count < CASE_FILE_STRANDS)
		into->strands[into->strand_count++] = *strand;
	else if (!same)
		casebook->counters.refused++;
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
	case_file_note_paged_before(into, joined);
	if (joined->told) {
		joined->resolved = true;
		joined->incident.state = INCIDENT_RESOLVED;
		memcpy(joined->incident.part_of, into->incident.id, INCIDENT_ID);
		absorbed_note(
			&casebook->absorbed, joined->incident.id, into->incident.id);
		say(casebook, joined, INCIDENT_CHANGE_RESOLVED, rx);
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
			*case_file_own_site(file) ||
			!case_file_is_attacked_by(other, finding) ||
			moment_since_us(finding->rx, other->last) >=
				CASE_FILE_TOGETHER_US)
			continue;
		if (case_file_goes_before(other, file)) {
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
	const char *id = absorbed_into(&casebook->absorbed, by->incident);

	if (!id)
		id = by->incident;
	for (unsigned i = 0; i < CASES; i++) {
		struct case_file *file = casebook->cases[i];

		if (!file || !file->told || file->resolved ||
			strcmp(file->incident.id, id) != 0)
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

	if (file->resolved || !case_file_is_over(file, rx, &since) ||
		moment_since_us(rx, since) < calm_us)
		return;
	if (!file->told) { /* it came and went before anybody was told */
		memset(file, 0, sizeof(*file));
		file->resolved = true;
		return;
	}
	if (case_file_is_security(file) && !file->acknowledged) {
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

/* Each stays in its place: their order decides which of two takes a finding. */
void casebook_keep(struct archive *archive, struct casebook *casebook)
{
	for (unsigned i = 0; i < CASES; i++) {
		bool here = casebook->cases[i] != NULL;

		archive_bool(archive, &here);
		if (here && !casebook->cases[i])
			casebook->cases[i] = calloc(1, sizeof(struct case_file));
		if (here && casebook->cases[i])
			case_file_keep(archive, casebook->cases[i]);
		else if (here)
			archive_refuse(archive);
	}
	absorbed_keep(archive, &casebook->absorbed);
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
