/*
 * GET /metrics: what the collector knows, for Prometheus and its kin. Totals begin with
 * the program; states come from the store at each scrape. No address and no hop is ever a
 * label, so that changing paths make no new series.
 */
#ifndef ASTRAY_METRICS_H
#define ASTRAY_METRICS_H

#include "astray/services.h"
#include "astray/wire.h"
#include "incident.h"
#include "learning.h"
#include "metric_text.h"

struct http_exchange;
struct metrics;
struct store;

struct metrics_settings {
	struct store *store; /* borrowed, as all of these */
	const struct services
		*services;    /* configured: each has its rows from the start */
	learning_fn learning; /* NULL: nobody knows */
	void *learning_arg;
	struct moment (*now)(void);
	/* Writes the families of the other rooms ("astray_collector_…"); may be NULL. */
	void (*own)(void *arg, struct metric_text *text);
	void *own_arg;
};

int metrics_new(struct metrics **out, const struct metrics_settings *settings);
void metrics_free(struct metrics *metrics); /* NULL is fine */

/* The pipeline's hooks. What a restart feeds again from before the program began is not
 * counted. */
void metrics_observed(
	struct metrics *metrics, const struct wire_origin *origin, const struct obs *obs);
void metrics_changed(struct metrics *metrics, enum incident_change change,
	const struct incident *incident);

/* The text of a scrape (to be freed), or NULL. */
char *metrics_text(struct metrics *metrics, bool openmetrics, size_t *len);
/* Answers the exchange, in the form that its Accept header asks for. */
void metrics_answer(struct metrics *metrics, struct http_exchange *exchange);

#endif
