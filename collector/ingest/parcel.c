#include "parcel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096

/* One walk over an observation's parts serves both directions, so that they cannot
 * differ. A count is passed before the rows that it counts. */
struct walk {
	struct parcel *into;       /* packing */
	const struct parcel *from; /* unpacking */
	size_t at;
	int rc;
};

static int reserve(struct parcel *parcel, size_t more)
{
	size_t wanted = parcel->held ? parcel->held : FIRST_BYTES;
	uint8_t *bytes;

	while (wanted < parcel->used + more)
		wanted *= 2;
	if (wanted == parcel->held)
		return 0;
	bytes = realloc(parcel->bytes, wanted);
	if (!bytes)
		return -ENOMEM;
	parcel->bytes = bytes;
	parcel->held = wanted;
	return 0;
}

static void pass(struct walk *walk, void *part, size_t len)
{
	if (walk->from) {
		memcpy(part, walk->from->bytes + walk->at, len);
		walk->at += len;
		return;
	}
	if (walk->rc == 0)
		walk->rc = reserve(walk->into, len);
	if (walk->rc)
		return;
	memcpy(walk->into->bytes + walk->into->used, part, len);
	walk->into->used += len;
}

static void pass_sketch(struct walk *walk, struct sketch *sketch)
{
	pass(walk, sketch, offsetof(struct sketch, counts));
	pass(walk, sketch->counts, sketch->used * sizeof(sketch->counts[0]));
	pass(walk, &sketch->zeros, sizeof(*sketch) - offsetof(struct sketch, zeros));
}

static void pass_traffic(struct walk *walk, struct obs_traffic *traffic)
{
	pass(walk, traffic, offsetof(struct obs_traffic, sketches));
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		pass_sketch(walk, &traffic->sketches[i]);
	pass(walk, &traffic->peer_count, sizeof(traffic->peer_count));
	pass(walk, traffic->peers, traffic->peer_count * sizeof(traffic->peers[0]));
}

static void pass_trace(struct walk *walk, struct obs_trace *trace)
{
	pass(walk, trace, offsetof(struct obs_trace, hops));
	pass(walk, trace->hops, trace->hop_count * sizeof(trace->hops[0]));
}

static void pass_dns(struct walk *walk, struct obs_dns *dns)
{
	pass(walk, dns, offsetof(struct obs_dns, answers));
	pass(walk, dns->answers, dns->answer_count * sizeof(dns->answers[0]));
}

static void pass_obs(struct walk *walk, struct obs *obs)
{
	pass(walk, obs, offsetof(struct obs, hello));
	switch (obs->kind) {
	case OBS_HELLO:
		pass(walk, &obs->hello, sizeof(obs->hello));
		break;
	case OBS_TRAFFIC:
		pass_traffic(walk, &obs->traffic);
		break;
	case OBS_CHECK:
		pass(walk, &obs->check, sizeof(obs->check));
		break;
	case OBS_TRACE:
		pass_trace(walk, &obs->trace);
		break;
	case OBS_DNS:
		pass_dns(walk, &obs->dns);
		break;
	case OBS_REGISTRY:
		pass(walk, &obs->registry, sizeof(obs->registry));
		break;
	case OBS_HEALTH:
		pass(walk, &obs->health, sizeof(obs->health));
		break;
	case OBS_MAINTENANCE:
		pass(walk, &obs->maintenance, sizeof(obs->maintenance));
		break;
	case OBS_ACKNOWLEDGE:
		pass(walk, &obs->acknowledge, sizeof(obs->acknowledge));
		break;
	case OBS_KINDS:
		break;
	}
}

int parcel_add(struct parcel *parcel, struct obs *obs)
{
	struct walk walk = {.into = parcel};
	size_t before = parcel->used;

	pass_obs(&walk, obs);
	if (walk.rc)
		parcel->used = before;
	return walk.rc;
}

bool parcel_next(const struct parcel *parcel, size_t *at, struct obs *out)
{
	struct walk walk = {.from = parcel, .at = *at};

	if (*at == parcel->used)
		return false;
	pass_obs(&walk, out);
	*at = walk.at;
	return true;
}

void parcel_free(struct parcel *parcel)
{
	free(parcel->bytes);
	*parcel = (struct parcel){0};
}
