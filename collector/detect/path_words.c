#include "path_words.h"

#include <stdio.h>
#include <string.h>

bool path_words_hop_counts(const struct obs_hop *hop)
{
	return hop->address.family && place_is_known(&hop->place) &&
	       hop->place.verdict != PLACE_IMPOSSIBLE;
}

static uint64_t country_bits(const struct place *place)
{
	return (uint64_t)(unsigned char)place->country[0] << 8 |
	       (place->country[0] ? (unsigned char)place->country[1] : 0);
}

uint64_t path_words_pair(const struct place *place)
{
	return (uint64_t)place->asn << 16 | country_bits(place);
}

uint64_t path_words_network(const struct place *place)
{
	return place->asn;
}

uint64_t path_words_country(const struct place *place)
{
	return country_bits(place);
}

static size_t write_place(char *buf, size_t cap, const struct place *place, bool first)
{
	char asn[16] = "";
	int len;

	if (place->asn)
		(void)snprintf(asn, sizeof(asn), "AS%u ", (unsigned)place->asn);
	len = snprintf(buf, cap, "%s%s%s%s%s", first ? "" : " > ", asn, place->country,
		place->city[0] ? " " : "", place->city);
	return len < 0 ? 0 : (size_t)len;
}

void path_words_write(char *buf, size_t cap, const struct obs_trace *trace)
{
	const struct place *before = NULL;
	size_t used = 0;

	if (!cap)
		return;
	buf[0] = '\0';
	for (unsigned i = 0; i < trace->hop_count && used < cap; i++) {
		const struct place *place = &trace->hops[i].place;

		if (!path_words_hop_counts(&trace->hops[i]) ||
			(before && path_words_pair(before) == path_words_pair(place)))
			continue;
		used += write_place(buf + used, cap - used, place, !before);
		before = place;
	}
}

const struct obs_hop *path_words_destination(const struct obs_trace *trace)
{
	if (!trace->reached)
		return NULL;
	for (unsigned i = trace->hop_count; i-- > 0;)
		if (address_equal(&trace->hops[i].address, &trace->peer))
			return &trace->hops[i];
	return NULL;
}

int64_t path_words_rtt_us(const struct obs_trace *trace)
{
	const struct obs_hop *hop = path_words_destination(trace);

	return hop ? hop->rtt_us : OBS_ABSENT;
}
