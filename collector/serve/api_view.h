/*
 * What the API answers, as JSON out of the store. Each returns 0 and the text (to be
 * freed), or negative. Observations and incidents stand in it as the wire contract has
 * them.
 */
#ifndef ASTRAY_API_VIEW_H
#define ASTRAY_API_VIEW_H

#include "astray/moment.h"
#include "astray/services.h"
#include "learning.h"
#include "store_series.h"

struct store;

struct api_view_source {
	struct store *store;
	const struct services *services;
	learning_fn learning; /* NULL: nobody knows */
	void *learning_arg;
	struct moment now;
};

int api_view_services(char **out, const struct api_view_source *source);
/* STATUS_MISSING: no such service is configured. */
int api_view_service(char **out, const struct api_view_source *source, const char *name);
int api_view_paths(char **out, const struct api_view_source *source, const char *service);
int api_view_series(char **out, const struct api_view_source *source,
	const struct store_series_order *order);
/* service and state may be NULL; see struct store_incident_filter. */
int api_view_incidents(char **out, const struct api_view_source *source,
	const char *service, const char *state, int64_t before_us, int64_t limit);
/* STATUS_MISSING: no such incident. */
int api_view_incident(char **out, const struct api_view_source *source, const char *id);
int api_view_probes(char **out, const struct api_view_source *source);

#endif
