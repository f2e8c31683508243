/*
 * Which incidents have been taken up by which: who holds the id of one of them (from a
 * page, or on the screen) still finds where it went on. Remembers the last ABSORBED_MAX.
 * A plain value.
 */
#ifndef ASTRAY_ABSORBED_H
#define ASTRAY_ABSORBED_H

#include "incident.h"

#define ABSORBED_MAX 128

struct archive;

struct absorbed {
	uint32_t count, oldest;
	char ids[ABSORBED_MAX][INCIDENT_ID], into[ABSORBED_MAX][INCIDENT_ID];
};

void absorbed_note(struct absorbed *absorbed, const char *id, const char *into);
/* Of the incident that goes on with it, however often it was handed on; NULL: it was
 * never taken up. */
const char *absorbed_into(const struct absorbed *absorbed, const char *id);
void absorbed_keep(struct archive *archive, struct absorbed *absorbed);

#endif
