#include "service_totals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const double service_totals_bounds_s[SERVICE_TOTALS_BUCKETS] = {0.001, 0.0025, 0.005,
	0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5};

int service_totals_open(struct service_totals *totals)
{
	*totals = (struct service_totals){0};
	totals->rows = calloc(SERVICE_TOTALS_MAX, sizeof(*totals->rows));
	return totals->rows ? 0 : -ENOMEM;
}

void service_totals_close(struct service_totals *totals)
{
	free(totals->rows);
	*totals = (struct service_totals){0};
}

static int compare(
	const struct service_totals_row *row, const char *service, const char *site)
{
	int order = strcmp(row->service, service);

	return order ? order : strcmp(row->site, site);
}

/* Rows stand in order, so that a scrape lists them so and a search is short. */
static struct service_totals_row *row_for(
	struct service_totals *totals, const char *service, const char *site)
{
	size_t low = 0, high = totals->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(&totals->rows[middle], service, site);

		if (order == 0)
			return &totals->rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (totals->count == SERVICE_TOTALS_MAX) {
		totals->refused++;
		return NULL;
	}
	memmove(&totals->rows[low + 1], &totals->rows[low],
		(totals->count - low) * sizeof(*totals->rows));
	totals->count++;
	totals->rows[low] = (struct service_totals_row){0};
	(void)snprintf(totals->rows[low].service, OBS_NAME, "%s", service);
	(void)snprintf(totals->rows[low].site, OBS_WORD, "%s", site);
	return &totals->rows[low];
}

static void count_in(double *total, int64_t more)
{
	if (more > 0)
		*total += (double)more;
}

static void add_sketch(struct service_times *times, const struct sketch *sketch)
{
	double total = (double)sketch->total;

	for (int i = 0; i < SERVICE_TOTALS_BUCKETS; i++)
		times->counts[i] += total - sketch_count_above(sketch,
						    service_totals_bounds_s[i] * 1e6);
	times->total += total;
	times->sum_s += sketch->sum / 1e6;
}

static void add_time(struct service_times *times, int64_t value_us)
{
	if (value_us == OBS_ABSENT)
		return;
	for (int i = 0; i < SERVICE_TOTALS_BUCKETS; i++)
		times->counts[i] += (double)value_us <= service_totals_bounds_s[i] * 1e6;
	times->total++;
	times->sum_s += (double)value_us / 1e6;
}

static void add_traffic(struct service_totals_row *row, const struct obs_traffic *traffic)
{
	count_in(&row->connections, traffic->connections);
	count_in(&row->connection_failures, traffic->refused);
	count_in(&row->connection_failures, traffic->timed_out);
	count_in(&row->connection_failures, traffic->reset);
	count_in(&row->connection_failures, traffic->tls_failed);
	count_in(&row->requests, traffic->requests);
	count_in(&row->responses, traffic->responses);
	count_in(&row->errors, traffic->errors);
	count_in(&row->retransmits, traffic->retransmits);
	add_sketch(&row->response, &traffic->sketches[OBS_RESPONSE]);
	add_sketch(&row->connect, &traffic->sketches[OBS_CONNECT]);
}

void service_totals_add(
	struct service_totals *totals, const char *site, const struct obs *obs)
{
	struct service_totals_row *row;

	if (obs->kind != OBS_TRAFFIC && obs->kind != OBS_CHECK)
		return;
	row = row_for(totals, obs_service(obs), site);
	if (!row)
		return;
	if (obs->kind == OBS_TRAFFIC) {
		add_traffic(row, &obs->traffic);
		return;
	}
	row->checks++;
	row->check_failures += obs->check.error != OBS_CHECK_OK;
	add_time(&row->check, obs->check.total_us);
}
