/*
 * Incidents as rows: the form that each has now, every form that was said to the outside,
 * and what people said when they acknowledged it.
 */
#ifndef ASTRAY_INCIDENT_LOG_H
#define ASTRAY_INCIDENT_LOG_H

#include "astray/obs.h"
#include "database.h"
#include "incident.h"

struct incident_log;

int incident_log_open(struct incident_log **out, struct database *database);
void incident_log_close(struct incident_log *log); /* NULL is fine */

int incident_log_put(struct incident_log *log, enum incident_change change,
	const struct incident *incident);
int incident_log_acknowledge(
	struct incident_log *log, struct moment rx, const struct obs_acknowledge *said);
int incident_log_maintain(
	struct incident_log *log, struct moment rx, const struct obs_maintenance *work);

#endif
