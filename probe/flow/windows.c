#include "windows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

struct series {
	struct obs_traffic traffic; /* the present window */
	uint32_t connections;       /* that are its own now */
	unsigned latest_peer;       /* most requests go where the one before went */
};

struct windows {
	struct windows_config config;
	unsigned configured, count;
	bool begun;
	struct moment start, end; /* of the present window */
	struct moment latest;     /* time heard of */
	uint64_t refused_services, unlisted_peers;
	struct obs *scratch;
	uint16_t *index; /* service + 1 by hash of its name; 0: empty */
	unsigned index_mask;
	struct series series[];
};

static void open_traffic(struct obs_traffic *traffic)
{
	traffic->connections = traffic->refused = traffic->timed_out = traffic->reset = 0;
	traffic->requests = traffic->responses = traffic->errors = traffic->untimed = 0;
	traffic->sent_bytes = traffic->received_bytes = 0;
	traffic->retransmits = traffic->lost_packets = 0;
	traffic->multiplexed = traffic->estimated = traffic->tls_failed = OBS_ABSENT;
	memset(traffic->statuses, 0, sizeof(traffic->statuses));
	memset(traffic->named_by, 0, sizeof(traffic->named_by));
	traffic->peer_count = 0;
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		sketch_init(&traffic->sketches[i]);
}

static bool is_empty(const struct obs_traffic *traffic)
{
	return traffic->connections == 0 && traffic->refused == 0 &&
	       traffic->timed_out == 0 && traffic->reset == 0 &&
	       traffic->tls_failed <= 0 && traffic->requests == 0 &&
	       traffic->responses == 0 && traffic->untimed == 0 &&
	       traffic->sent_bytes == 0 && traffic->received_bytes == 0 &&
	       traffic->retransmits == 0 && traffic->lost_packets == 0;
}

static unsigned hash_name(const char *name)
{
	unsigned hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash ^ hash >> 15;
}

/* The index row that holds the name, or the empty one where it belongs. */
static uint16_t *find_row(struct windows *windows, const char *name)
{
	unsigned row = hash_name(name) & windows->index_mask;

	while (windows->index[row] &&
		strcmp(windows->series[windows->index[row] - 1].traffic.service, name))
		row = (row + 1) & windows->index_mask;
	return &windows->index[row];
}

static void rebuild_index(struct windows *windows)
{
	memset(windows->index, 0, (windows->index_mask + 1) * sizeof(*windows->index));
	for (unsigned i = 0; i < windows->count; i++)
		*find_row(windows, windows->series[i].traffic.service) =
			(uint16_t)(i + 1);
}

static void name_series(struct windows *windows, unsigned number, const char *name)
{
	struct series *series = &windows->series[number];

	(void)snprintf(series->traffic.service, OBS_NAME, "%s", name);
	series->connections = 0;
	series->latest_peer = 0;
	open_traffic(&series->traffic);
}

int windows_new(struct windows **out, const struct windows_config *config,
	const struct services *services)
{
	unsigned limit = config->limit, mask = 1;
	struct windows *windows;

	*out = NULL;
	if (limit < services->count)
		limit = (unsigned)services->count;
	if (limit == 0 || limit > INT16_MAX)
		return STATUS_LIMIT;
	while (mask < 2 * limit)
		mask = mask << 1 | 1;
	windows = calloc(1, sizeof(*windows) + limit * sizeof(windows->series[0]));
	if (!windows)
		return -ENOMEM;
	windows->config = *config;
	windows->config.limit = limit;
	windows->index_mask = mask;
	windows->index = calloc(mask + 1, sizeof(*windows->index));
	windows->scratch = malloc(sizeof(*windows->scratch));
	if (!windows->index || !windows->scratch) {
		windows_free(windows);
		return -ENOMEM;
	}
	windows->configured = windows->count = (unsigned)services->count;
	for (unsigned i = 0; i < windows->count; i++)
		name_series(windows, i, services->list[i].name);
	rebuild_index(windows);
	*out = windows;
	return 0;
}

void windows_free(struct windows *windows)
{
	if (!windows)
		return;
	free(windows->index);
	free(windows->scratch);
	free(windows);
}

/* A service that nobody needs: not configured, without connections, its window empty. */
static int find_idle(const struct windows *windows)
{
	for (unsigned i = windows->configured; i < windows->count; i++)
		if (windows->series[i].connections == 0 &&
			is_empty(&windows->series[i].traffic))
			return (int)i;
	return -1;
}

int windows_service(struct windows *windows, const char *name)
{
	uint16_t *row = find_row(windows, name);
	int number;

	if (*row)
		return *row - 1;
	if (windows->count < windows->config.limit) {
		number = (int)windows->count++;
		name_series(windows, (unsigned)number, name);
		*row = (uint16_t)(number + 1);
		return number;
	}
	number = find_idle(windows);
	if (number < 0) {
		windows->refused_services++;
		return STATUS_LIMIT;
	}
	name_series(windows, (unsigned)number, name);
	rebuild_index(windows);
	return number;
}

const char *windows_name(const struct windows *windows, int service)
{
	return windows->series[service].traffic.service;
}

struct obs_traffic *windows_traffic(struct windows *windows, int service)
{
	return &windows->series[service].traffic;
}

void windows_count_peer(struct windows *windows, int service, const struct address *peer)
{
	struct series *series = &windows->series[service];
	struct obs_traffic *traffic = &series->traffic;
	unsigned row = series->latest_peer;

	if (row >= traffic->peer_count ||
		!address_equal(&traffic->peers[row].address, peer))
		for (row = 0; row < traffic->peer_count; row++)
			if (address_equal(&traffic->peers[row].address, peer))
				break;
	if (row == OBS_PEERS) {
		windows->unlisted_peers++;
		return;
	}
	if (row == traffic->peer_count)
		traffic->peers[traffic->peer_count++] = (struct obs_peer){*peer, 0};
	traffic->peers[row].requests++;
	series->latest_peer = row;
}

void windows_enter(struct windows *windows, int service)
{
	windows->series[service].connections++;
}

void windows_leave(struct windows *windows, int service)
{
	windows->series[service].connections--;
}

/* What the kernel's own counts do not tell. */
static void leave_out_requests(struct obs_traffic *traffic)
{
	traffic->requests = traffic->responses = traffic->errors = OBS_ABSENT;
	traffic->untimed = traffic->reset = traffic->lost_packets = OBS_ABSENT;
}

static void close_window(struct windows *windows, struct moment end)
{
	for (unsigned i = 0; i < windows->count; i++) {
		struct obs_traffic *traffic = &windows->series[i].traffic;

		obs_init(windows->scratch, OBS_TRAFFIC, windows->start);
		windows->scratch->traffic = *traffic;
		windows->scratch->traffic.window_us =
			moment_since_us(end, windows->start);
		windows->scratch->traffic.method = windows->config.method;
		if (windows->config.method == OBS_KERNEL)
			leave_out_requests(&windows->scratch->traffic);
		windows->config.emit(windows->config.emit_arg, windows->scratch);
		open_traffic(traffic);
	}
}

static void begin_at(struct windows *windows, struct moment now)
{
	int64_t window_us = windows->config.window_us;

	windows->start.us = now.us - now.us % window_us;
	windows->end = moment_plus_us(windows->start, window_us);
	if (windows->config.exact_ends)
		windows->start = now;
	windows->begun = true;
}

static void begin_next(struct windows *windows)
{
	windows->start = windows->end;
	windows->end = moment_plus_us(windows->end, windows->config.window_us);
}

/* Time has gone beyond the present window. */
static void pass_end(struct windows *windows, struct moment now)
{
	close_window(windows, windows->end);
	if (moment_since_us(now, windows->end) > windows->config.pause_us) {
		begin_at(windows, now);
		return;
	}
	begin_next(windows);
	while (!moment_before(now, windows->end)) {
		close_window(windows, windows->end);
		begin_next(windows);
	}
}

void windows_advance(struct windows *windows, struct moment now)
{
	if (!windows->begun)
		begin_at(windows, now);
	if (moment_since_us(windows->start, now) > windows->config.window_us) {
		/* The clock was set back: what was counted stays with the old time. */
		close_window(windows, windows->end);
		begin_at(windows, now);
	}
	if (!moment_before(now, windows->end))
		pass_end(windows, now);
	windows->latest = now;
}

void windows_finish(struct windows *windows)
{
	struct moment end = windows->end;

	if (!windows->begun)
		return;
	if (windows->config.exact_ends)
		end = windows->latest;
	if (moment_before(windows->start, end))
		close_window(windows, end);
}

uint64_t windows_refused_services(const struct windows *windows)
{
	return windows->refused_services;
}

uint64_t windows_unlisted_peers(const struct windows *windows)
{
	return windows->unlisted_peers;
}
