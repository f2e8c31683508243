#include "absorbed.h"

#include <stdio.h>
#include <string.h>

#include "archive.h"

void absorbed_note(struct absorbed *absorbed, const char *id, const char *into)
{
	uint32_t at = absorbed->count;

	if (at < ABSORBED_MAX) {
		absorbed->count++;
	} else {
		at = absorbed->oldest;
		absorbed->oldest = (at + 1) % ABSORBED_MAX;
	}
	/* Nobody is led from one to the next: all that led to this one lead on at once.
	 */
	for (uint32_t i = 0; i < absorbed->count; i++)
		if (strcmp(absorbed->into[i], id) == 0)
			(void)snprintf(absorbed->into[i], INCIDENT_ID, "%s", into);
	(void)snprintf(absorbed->ids[at], INCIDENT_ID, "%s", id);
	(void)snprintf(absorbed->into[at], INCIDENT_ID, "%s", into);
}

const char *absorbed_into(const struct absorbed *absorbed, const char *id)
{
	for (uint32_t i = 0; i < absorbed->count; i++)
		if (strcmp(absorbed->ids[i], id) == 0)
			return absorbed->into[i];
	return NULL;
}

void absorbed_keep(struct archive *archive, struct absorbed *absorbed)
{
	archive_count(archive, &absorbed->count, ABSORBED_MAX);
	archive_count(archive, &absorbed->oldest, ABSORBED_MAX - 1);
	for (uint32_t i = 0; i < absorbed->count; i++) {
		archive_text(archive, absorbed->ids[i], INCIDENT_ID);
		archive_text(archive, absorbed->into[i], INCIDENT_ID);
	}
}
