#include "home_hops.h"

static bool is_home(const struct obs_trace *trace, const struct obs_hop *hop)
{
	/* A service that stands at a private address is no secret: it was asked for. */
	return hop->address.family && address_is_private(&hop->address) &&
	       !address_equal(&hop->address, &trace->peer);
}

bool home_hops_are_in(const struct obs *obs)
{
	if (obs->kind != OBS_TRACE)
		return false;
	for (unsigned i = 0; i < obs->trace.hop_count; i++)
		if (is_home(&obs->trace, &obs->trace.hops[i]))
			return true;
	return false;
}

void home_hops_hide(struct obs *obs)
{
	for (unsigned i = 0; i < obs->trace.hop_count; i++) {
		struct obs_hop *hop = &obs->trace.hops[i];

		if (is_home(&obs->trace, hop))
			*hop = (struct obs_hop){
				.ttl = hop->ttl, .sent = hop->sent, .rtt_us = OBS_ABSENT};
	}
}
