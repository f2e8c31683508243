#include "patience.h"

/* FNV-1a; never 0. */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash ? hash : 1;
}

/* Whether trouble begins now. */
static bool begins(struct patience_memory *memory, const struct obs *obs, bool trouble)
{
	uint32_t hash = hash_of(obs_service(obs));
	uint32_t *place = &memory->troubled[hash % PATIENCE_SERVICES];
	bool known = *place == hash;

	if (trouble)
		*place = hash;
	else if (known)
		*place = 0;
	return trouble && !known;
}

static bool is_failing(const struct obs_traffic *traffic)
{
	return traffic->refused > 0 || traffic->timed_out > 0 || traffic->errors > 0;
}

/* Counts that were not measured are OBS_ABSENT, below zero. */
static bool is_unused(const struct obs_traffic *traffic)
{
	return traffic->connections <= 0 && traffic->requests <= 0;
}

enum patience patience_with(struct patience_memory *memory, const struct obs *obs)
{
	bool trouble;

	switch (obs->kind) {
	case OBS_TRAFFIC:
		trouble = is_failing(&obs->traffic);
		if (begins(memory, obs, trouble))
			return PATIENCE_NONE;
		return !trouble && is_unused(&obs->traffic) ? PATIENCE_MUCH
							    : PATIENCE_SOME;
	case OBS_CHECK:
		trouble = obs->check.error != OBS_CHECK_OK || obs->check.status >= 500;
		if (begins(memory, obs, trouble))
			return PATIENCE_NONE;
		return trouble ? PATIENCE_SOME : PATIENCE_MUCH;
	case OBS_TRACE:
		return obs->trace.reached ? PATIENCE_MUCH : PATIENCE_SOME;
	case OBS_HELLO:
		return PATIENCE_NONE;
	case OBS_HEALTH:
		return PATIENCE_MUCH;
	case OBS_DNS:
	case OBS_REGISTRY:
	case OBS_MAINTENANCE:
	case OBS_ACKNOWLEDGE:
	case OBS_KINDS:
		break;
	}
	return PATIENCE_SOME;
}
