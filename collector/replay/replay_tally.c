#include "replay_tally.h"

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
		row->pages++;
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

static bool has_match(const struct replay_tally *tally, const struct replay_row *row)
{
	for (size_t i = 0; i < tally->count; i++) {
		int64_t apart = moment_since_us(tally->rows[i].opened, row->opened);

		if (tally->rows[i].pages && apart < SAME_US && apart > -SAME_US &&
			share_a_service(&tally->rows[i], row))
			return true;
	}
	return false;
}

static uint64_t print_only(FILE *out, const struct replay_tally *tally, const char *name,
	const struct replay_tally *other)
{
	uint64_t only = 0;

	for (size_t i = 0; i < tally->count; i++) {
		const struct replay_row *row = &tally->rows[i];

		if (!row->pages || has_match(other, row))
			continue;
		if (!only++)
			(void)fprintf(out, "only %s pages for:\n", name);
		print_row(out, row);
	}
	return only;
}

void replay_tally_compare(FILE *out, const struct replay_tally *ours,
	const char *our_name, const struct replay_tally *theirs, const char *their_name)
{
	uint64_t only = print_only(out, ours, our_name, theirs) +
			print_only(out, theirs, their_name, ours);

	(void)fprintf(out, "%s: %" PRIu64 " pages; %s: %" PRIu64 " pages; %s\n", our_name,
		ours->pages, their_name, theirs->pages,
		only ? "they differ as shown" : "they page for the same");
}

void replay_tally_free(struct replay_tally *tally)
{
	free(tally->rows);
	*tally = (struct replay_tally){0};
}
