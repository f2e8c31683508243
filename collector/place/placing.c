#include "placing.h"

#include "geo.h"

bool placing_is_wanted(const struct obs *obs)
{
	if (obs->kind == OBS_TRACE)
		for (unsigned i = 0; i < obs->trace.hop_count; i++)
			if (obs->trace.hops[i].address.family &&
				!place_is_known(&obs->trace.hops[i].place))
				return true;
	if (obs->kind == OBS_DNS)
		for (unsigned i = 0; i < obs->dns.answer_count; i++)
			if (!place_is_known(&obs->dns.answers[i].place))
				return true;
	return false;
}

static void fill(
	struct place *place, const struct geo *geo, const struct address *address)
{
	if (!place_is_known(place))
		(void)geo_place(geo, address, place);
}

void placing_fill(struct obs *obs, const struct geo *geo)
{
	struct address address;

	if (obs->kind == OBS_TRACE)
		for (unsigned i = 0; i < obs->trace.hop_count; i++)
			if (obs->trace.hops[i].address.family)
				fill(&obs->trace.hops[i].place, geo,
					&obs->trace.hops[i].address);
	if (obs->kind == OBS_DNS)
		for (unsigned i = 0; i < obs->dns.answer_count; i++)
			if (address_parse(&address, obs->dns.answers[i].data) == 0)
				fill(&obs->dns.answers[i].place, geo, &address);
}
