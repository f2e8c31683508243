#include "roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64
#define SPAN_US MOMENT_MINUTE_US

struct roster {
	size_t limit, count, slot_count;
	int64_t bytes_per_minute;
	struct roster_probe **slots; /* open addressing, at most half full */
};

static uint64_t hash(const char *name)
{
	uint64_t value =
		UINT64_C(14695981039346656037); /* FNV-1a; names are verified ones */

	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return value;
}

static struct roster_probe **slot_of(
	struct roster_probe **slots, size_t slot_count, const char *name)
{
	size_t at = hash(name) % slot_count;

	while (slots[at] && strcmp(slots[at]->name, name) != 0)
		at = (at + 1) % slot_count;
	return &slots[at];
}

static int grow(struct roster *roster)
{
	size_t wanted = roster->slot_count ? roster->slot_count * 2 : FIRST_SLOTS;
	struct roster_probe **slots = calloc(wanted, sizeof(struct roster_probe *));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < roster->slot_count; i++)
		if (roster->slots[i])
			*slot_of(slots, wanted, roster->slots[i]->name) =
				roster->slots[i];
	free(roster->slots);
	roster->slots = slots;
	roster->slot_count = wanted;
	return 0;
}

int roster_new(struct roster **out, size_t limit, int64_t bytes_per_minute)
{
	struct roster *roster = calloc(1, sizeof(*roster));

	*out = NULL;
	if (!roster || grow(roster)) {
		free(roster);
		return -ENOMEM;
	}
	roster->limit = limit;
	roster->bytes_per_minute = bytes_per_minute;
	*out = roster;
	return 0;
}

void roster_free(struct roster *roster)
{
	if (!roster)
		return;
	for (size_t i = 0; i < roster->slot_count; i++)
		free(roster->slots[i]);
	free(roster->slots);
	free(roster);
}

void roster_set_quota(struct roster *roster, int64_t bytes_per_minute)
{
	roster->bytes_per_minute = bytes_per_minute;
}

static struct roster_probe *add(struct roster *roster, const char *name, struct tick now)
{
	struct roster_probe *probe;

	if (roster->count == roster->limit ||
		(roster->count * 2 >= roster->slot_count && grow(roster)))
		return NULL;
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return NULL;
	(void)snprintf(probe->name, sizeof(probe->name), "%s", name);
	probe->role = OBS_ENDPOINT;
	probe->allowance_bytes = roster->bytes_per_minute;
	probe->filled_at = now;
	*slot_of(roster->slots, roster->slot_count, name) = probe;
	roster->count++;
	return probe;
}

struct roster_probe *roster_probe(
	struct roster *roster, const char *name, struct tick now)
{
	struct roster_probe *probe = *slot_of(roster->slots, roster->slot_count, name);

	return probe ? probe : add(roster, name, now);
}

size_t roster_count(const struct roster *roster)
{
	return roster->count;
}

bool roster_may_complain(struct roster_probe *probe, struct tick now)
{
	if (probe->complained_at.us && tick_since_us(now, probe->complained_at) < SPAN_US)
		return false;
	probe->complained_at = now;
	return true;
}

static void refill(
	const struct roster *roster, struct roster_probe *probe, struct tick now)
{
	int64_t passed_us = tick_since_us(now, probe->filled_at);
	double earned = (double)roster->bytes_per_minute * (double)passed_us / SPAN_US;

	if (passed_us >= SPAN_US || (double)probe->allowance_bytes + earned >
					    (double)roster->bytes_per_minute)
		probe->allowance_bytes = roster->bytes_per_minute;
	else if (earned < 1)
		return; /* the span goes on, so that many small ones add up */
	else
		probe->allowance_bytes += (int64_t)earned;
	probe->filled_at = now;
}

int64_t roster_charge(const struct roster *roster, struct roster_probe *probe,
	size_t bytes, struct tick now)
{
	double missing;

	if (!roster->bytes_per_minute)
		return 0;
	refill(roster, probe, now);
	/* A batch larger than the quota passes when the allowance is whole, or it never
	 * would. */
	if (probe->allowance_bytes >= (int64_t)bytes ||
		probe->allowance_bytes == roster->bytes_per_minute) {
		probe->allowance_bytes -= (int64_t)bytes;
		return 0;
	}
	missing = (double)bytes - (double)probe->allowance_bytes;
	return 1 + (int64_t)(missing * 60 / (double)roster->bytes_per_minute);
}
