#include "replay_tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SAME_US (2 * MOMENT_HOUR_US)
#define SERVICES_HELD (sizeof(((struct replay_row *)0)->services) / OBS_NAME)

static struct replay_row *row_of(struct replay_tally *tally, const char *id)
{
	/* The newest are the ones that still change. */
	for (size_t i = tally->count; i-- > 0;)
		if (strcmp(tally->rows[i].id, id) == 0)
			return &tally->rows[i];
	return NULL;
}

static struct replay_row *add_row(
	struct replay_tally *tally, const struct incident *incident)
{
	if (tally->count == tally->cap) {
		size_t cap = tally->cap ? 2 * tally->cap : 64;
		struct replay_row *rows = realloc(tally->rows, cap * sizeof(*rows));

		if (!rows)
			return NULL;
		tally->rows = rows;
		tally->cap = cap;
	}
	tally->rows[tally->count] = (struct replay_row){.opened = incident->opened};
	memcpy(tally->rows[tally->count].id, incident->id, sizeof(incident->id));
	return &tally->rows[tally->count++];
}

static bool is_page(enum incident_change change, const struct incident *incident)
{
	return incident->severity == SEVERITY_PAGE &&
	       (change == INCIDENT_CHANGE_OPENED || change == INCIDENT_CHANGE_ESCALATED);
}

void replay_tally_note(struct replay_tally *tally, enum incident_change change,
	const struct incident *incident)
{
	struct replay_row *row = row_of(tally, incident->id);

	if (!row)
		row = add_row(tally, incident);
	if (!row) {
		tally->lost++;
		return;
	}
	if (is_page(change, incident)) {
		tally->pages++;
		if (!row->pages++)
			row->paged = incident->rx;
	}
	if (incident->severity > row->worst)
		row->worst = incident->severity;
	row->since = incident->since;
	row->resolved.us = change == INCIDENT_CHANGE_RESOLVED ? incident->rx.us : 0;
	memcpy(row->title, incident->title, sizeof(row->title));
	row->service_count = incident->service_count < SERVICES_HELD
				     ? incident->service_count
				     : (unsigned)SERVICES_HELD;
	memcpy(row->services, incident->services,
		row->service_count * sizeof(row->services[0]));
}

static void print_row(FILE *out, const struct replay_row *row)
{
	char opened[MOMENT_TEXT], span[MOMENT_TEXT];

	(void)fprintf(out, "  %s  %-4s  %s  %s\n",
		moment_text(row->opened, false, opened),
		incident_severity_text(row->worst), row->title,
		row->resolved.us
			? moment_span_text(
				  moment_since_us(row->resolved, row->opened), span)
			: "still open");
}

void replay_tally_print(FILE *out, const struct replay_tally *tally)
{
	for (size_t i = 0; i < tally->count; i++)
		print_row(out, &tally->rows[i]);
}

static bool share_a_service(const struct replay_row *a, const struct replay_row *b)
{
	for (unsigned i = 0; i < a->service_count; i++)
		for (unsigned k = 0; k < b->service_count; k++)
			if (strcmp(a->services[i], b->services[k]) == 0)
				return true;
	/* Sites' own troubles have no service: their titles name the site. */
	return a->service_count == 0 && b->service_count == 0 &&
	       strcmp(a->title, b->title) == 0;
}

/* One line of a comparison; a side that does not page for it is NULL. */
struct pair {
	const struct replay_row *ours, *theirs;
};

struct pairs {
	size_t count, both;
	struct pair *list;
};

static int64_t apart_us(const struct replay_row *a, const struct replay_row *b)
{
	return llabs(moment_since_us(a->paged, b->paged));
}

static bool is_taken(const struct pairs *pairs, const struct replay_row *theirs)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (pairs->list[i].theirs == theirs)
			return true;
	return false;
}

/* The nearest in time that is about the same and stands in no line yet. */
static const struct replay_row *partner_of(const struct pairs *pairs,
	const struct replay_row *row, const struct replay_tally *theirs)
{
	const struct replay_row *best = NULL;

	for (size_t i = 0; i < theirs->count; i++) {
		const struct replay_row *other = &theirs->rows[i];

		if (other->pages && apart_us(row, other) < SAME_US &&
			share_a_service(row, other) && !is_taken(pairs, other) &&
			(!best || apart_us(row, other) < apart_us(row, best)))
			best = other;
	}
	return best;
}

static struct moment time_of(const struct pair *pair)
{
	if (!pair->ours ||
		(pair->theirs && moment_before(pair->theirs->paged, pair->ours->paged)))
		return pair->theirs->paged;
	return pair->ours->paged;
}

static int by_time(const void *a, const void *b)
{
	struct moment left = time_of(a), right = time_of(b);

	return moment_before(left, right) ? -1 : moment_before(right, left);
}

static int find_pairs(struct pairs *out, const struct replay_tally *ours,
	const struct replay_tally *theirs)
{
	*out = (struct pairs){
		.list = calloc(ours->count + theirs->count + 1, sizeof(*out->list))};
	if (!out->list)
		return -ENOMEM;
	for (size_t i = 0; i < ours->count; i++) {
		struct pair pair = {&ours->rows[i], NULL};

		if (!ours->rows[i].pages)
			continue;
		pair.theirs = partner_of(out, pair.ours, theirs);
		out->both += pair.theirs != NULL;
		out->list[out->count++] = pair;
	}
	for (size_t i = 0; i < theirs->count; i++)
		if (theirs->rows[i].pages && !is_taken(out, &theirs->rows[i]))
			out->list[out->count++].theirs = &theirs->rows[i];
	qsort(out->list, out->count, sizeof(*out->list), by_time);
	return 0;
}

static void print_time(FILE *out, const struct replay_row *row)
{
	char at[MOMENT_TEXT];

	(void)fprintf(out, "  %-20s", row ? moment_text(row->paged, false, at) : "-");
}

static void print_pair(FILE *out, const struct pair *pair)
{
	const struct replay_row *row = pair->ours ? pair->ours : pair->theirs;
	char span[MOMENT_TEXT];

	print_time(out, pair->ours);
	print_time(out, pair->theirs);
	(void)fprintf(out, "  %s", row->title);
	if (pair->ours && pair->theirs && apart_us(pair->ours, pair->theirs))
		(void)fprintf(out, " (B %s %s)",
			moment_span_text(apart_us(pair->ours, pair->theirs), span),
			moment_before(pair->ours->paged, pair->theirs->paged)
				? "later"
				: "earlier");
	(void)fputc('\n', out);
}

int replay_tally_compare(FILE *out, const struct replay_tally *ours, const char *our_name,
	const struct replay_tally *theirs, const char *their_name)
{
	size_t only_ours = 0, only_theirs = 0;
	struct pairs pairs;

	if (find_pairs(&pairs, ours, theirs))
		return -ENOMEM;
	(void)fprintf(
		out, "A is %s, B is %s; when each first pages:\n", our_name, their_name);
	if (pairs.count)
		(void)fprintf(out, "  %-20s  %-20s  incident\n", "A", "B");
	for (size_t i = 0; i < pairs.count; i++) {
		print_pair(out, &pairs.list[i]);
		only_ours += !pairs.list[i].theirs;
		only_theirs += !pairs.list[i].ours;
	}
	(void)fprintf(out,
		"A: %" PRIu64 " pages, B: %" PRIu64
		" pages; incidents: %zu of both, %zu only of A, %zu only of B\n",
		ours->pages, theirs->pages, pairs.both, only_ours, only_theirs);
	free(pairs.list);
	return 0;
}

void replay_tally_free(struct replay_tally *tally)
{
	free(tally->rows);
	*tally = (struct replay_tally){0};
}
