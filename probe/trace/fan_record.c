#include "fan_record.h"

#include <stdio.h>
#include <string.h>

struct cover {
	bool nodes[FAN_TTLS + 1][FAN_NODES];
	bool links[FAN_TTLS + 1][FAN_NODES][FAN_NODES];
};

/* Whether this flow shows a router or a link that none before it did. */
static bool adds(const struct fan *fan, unsigned flow, struct cover *cover)
{
	bool more = false;

	for (unsigned ttl = 1; ttl <= fan_length(fan); ttl++) {
		int node = fan_node_of(fan, ttl, flow);
		int before = ttl > 1 ? fan_node_of(fan, ttl - 1, flow) : -1;

		if (node < 0)
			continue;
		more |= !cover->nodes[ttl][node];
		cover->nodes[ttl][node] = true;
		if (before < 0)
			continue;
		more |= !cover->links[ttl][before][node];
		cover->links[ttl][before][node] = true;
	}
	return more;
}

unsigned fan_record_choose(const struct fan *fan, bool chosen[static FAN_FLOWS])
{
	struct cover cover = {0};
	unsigned count = 0;

	for (unsigned flow = 0; flow < FAN_FLOWS; flow++) {
		chosen[flow] = flow < fan_flow_count(fan) && adds(fan, flow, &cover);
		count += chosen[flow];
	}
	return count;
}

static void fill_hop(struct obs_hop *hop, const struct fan_node *node)
{
	hop->sent = hop->answered = 1;
	hop->address = node->address;
	hop->rtt_us = node->rtt_us;
	hop->mpls_count = node->mpls_count;
	memcpy(hop->mpls, node->mpls, node->mpls_count * sizeof(node->mpls[0]));
}

void fan_record_fill(struct obs *obs, struct moment at, const char *service,
	const struct trace_order *order, const struct fan *fan, unsigned flow,
	const struct geo *geo, const struct place *here)
{
	struct obs_trace *trace = &obs->trace;

	obs_init(obs, OBS_TRACE, at);
	(void)snprintf(trace->service, sizeof(trace->service), "%s", service);
	trace->peer = order->peer;
	trace->protocol = order->protocol;
	trace->port = order->protocol == OBS_ICMP ? OBS_ABSENT : order->port;
	trace->flow = order->flow + flow;
	trace->reached = fan_is_reached(fan);
	for (unsigned ttl = 1; ttl <= fan_length(fan); ttl++) {
		const struct fan_node *nodes;
		int node = fan_node_of(fan, ttl, flow);
		struct obs_hop *hop = &trace->hops[trace->hop_count++];

		(void)fan_nodes(fan, ttl, &nodes);
		*hop = (struct obs_hop){.ttl = ttl, .rtt_us = OBS_ABSENT};
		if (node < 0)
			continue;
		fill_hop(hop, &nodes[node]);
		if (nodes[node].is_end)
			break;
	}
	trace_record_place(obs, geo, here);
}
