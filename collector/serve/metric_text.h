/*
 * Metrics as text: Prometheus' own format (0.0.4), or OpenMetrics 1.0 for who asks.
 * Families are written one after the other, each with its help and type in front of its
 * samples.
 */
#ifndef ASTRAY_METRIC_TEXT_H
#define ASTRAY_METRIC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct metric_text;

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

/* Label values are anything: they are escaped, and what is not UTF-8 becomes "?". */
struct metric_label {
	const char *name, *value; /* a list ends with a row without name */
};

int metric_text_new(struct metric_text **out, bool openmetrics);
/* The whole text (to be freed), or NULL when memory ran out anywhere; frees the writer.
 */
char *metric_text_finish(struct metric_text *text, size_t *len);

/* Begins a family. The name of a counter ends in "_total". */
void metric_text_family(struct metric_text *text, const char *name, enum metric_type type,
	const char *help);
/* labels may be NULL. */
void metric_text_sample(
	struct metric_text *text, const struct metric_label *labels, double value);
/* A bucket's bounds are upper ones, in ascending order; counts are cumulative, and the
 * total is the last one's. */
void metric_text_histogram(struct metric_text *text, const struct metric_label *labels,
	const double *bounds, const double *counts, size_t buckets, double total,
	double sum);
/* Family and only sample at once. */
void metric_text_number(struct metric_text *text, const char *name, enum metric_type type,
	const char *help, double value);

#endif
