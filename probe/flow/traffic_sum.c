#include "traffic_sum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct traffic_sum {
	size_t count, limit;
	bool sorted;
	struct obs_traffic **rows; /* each allocated when its service is first seen */
};

int traffic_sum_new(struct traffic_sum **out, size_t limit)
{
	struct traffic_sum *sum = calloc(1, sizeof(*sum));

	*out = NULL;
	if (!sum)
		return -ENOMEM;
	sum->rows = calloc(limit ? limit : 1, sizeof(*sum->rows));
	if (!sum->rows) {
		free(sum);
		return -ENOMEM;
	}
	sum->limit = limit;
	*out = sum;
	return 0;
}

void traffic_sum_free(struct traffic_sum *sum)
{
	if (!sum)
		return;
	for (size_t i = 0; i < sum->count; i++)
		free(sum->rows[i]);
	free(sum->rows);
	free(sum);
}

static struct obs_traffic *row_of(struct traffic_sum *sum, const char *service)
{
	for (size_t i = 0; i < sum->count; i++)
		if (strcmp(sum->rows[i]->service, service) == 0)
			return sum->rows[i];
	return NULL;
}

static void add_peers(struct obs_traffic *into, const struct obs_traffic *from)
{
	for (unsigned i = 0; i < from->peer_count; i++) {
		unsigned row = 0;

		while (row < into->peer_count && !address_equal(&into->peers[row].address,
							 &from->peers[i].address))
			row++;
		if (row < into->peer_count)
			into->peers[row].requests += from->peers[i].requests;
		else if (row < OBS_PEERS)
			into->peers[into->peer_count++] = from->peers[i];
	}
}

/* What was never measured stays so. */
static void add_count(int64_t *into, int64_t count)
{
	if (count != OBS_ABSENT)
		*into = (*into == OBS_ABSENT ? 0 : *into) + count;
}

static void add_row(struct obs_traffic *into, const struct obs_traffic *from)
{
	into->window_us += from->window_us;
	add_count(&into->connections, from->connections);
	add_count(&into->refused, from->refused);
	add_count(&into->timed_out, from->timed_out);
	add_count(&into->reset, from->reset);
	add_count(&into->tls_failed, from->tls_failed);
	add_count(&into->requests, from->requests);
	add_count(&into->responses, from->responses);
	add_count(&into->errors, from->errors);
	add_count(&into->untimed, from->untimed);
	add_count(&into->multiplexed, from->multiplexed);
	add_count(&into->estimated, from->estimated);
	add_count(&into->sent_bytes, from->sent_bytes);
	add_count(&into->received_bytes, from->received_bytes);
	add_count(&into->retransmits, from->retransmits);
	add_count(&into->lost_packets, from->lost_packets);
	for (unsigned i = 0; i < OBS_STATUS_CLASSES; i++)
		into->statuses[i] += from->statuses[i];
	for (unsigned i = 0; i < OBS_NAMINGS; i++)
		into->named_by[i] += from->named_by[i];
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		sketch_merge(&into->sketches[i], &from->sketches[i]);
	add_peers(into, from);
}

bool traffic_sum_add(struct traffic_sum *sum, const struct obs_traffic *traffic)
{
	struct obs_traffic *row = row_of(sum, traffic->service);

	sum->sorted = false;
	if (row) {
		add_row(row, traffic);
		return true;
	}
	if (sum->count == sum->limit)
		return false;
	row = malloc(sizeof(*row));
	if (!row)
		return false;
	*row = *traffic;
	sum->rows[sum->count++] = row;
	return true;
}

size_t traffic_sum_count(const struct traffic_sum *sum)
{
	return sum->count;
}

static int by_requests(const void *a, const void *b)
{
	const struct obs_traffic *const *left = a, *const *right = b;

	if ((*left)->requests != (*right)->requests)
		return (*left)->requests < (*right)->requests ? 1 : -1;
	if ((*left)->connections != (*right)->connections)
		return (*left)->connections < (*right)->connections ? 1 : -1;
	return strcmp((*left)->service, (*right)->service);
}

const struct obs_traffic *traffic_sum_at(struct traffic_sum *sum, size_t place)
{
	if (!sum->sorted)
		qsort(sum->rows, sum->count, sizeof(*sum->rows), by_requests);
	sum->sorted = true;
	return sum->rows[place];
}
