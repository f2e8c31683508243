#include "trace_record.h"

#include <stdio.h>
#include <string.h>

#include "geo.h"
#include "light.h"

static void fill_answer(struct obs_hop *hop, const struct path_row *row)
{
	hop->address = row->address;
	hop->rtt_us = row->rtt_us;
	hop->unreachable = row->why;
	hop->nat = row->translated;
	hop->reply_ttl = row->reply_ttl;
	hop->ttl_odd = row->quoted_ttl != 1;
	hop->quoted_ttl = hop->ttl_odd ? row->quoted_ttl : 0;
	hop->quoted_tos = row->quoted_tos;
	hop->mpls_count = row->mpls_count;
	memcpy(hop->mpls, row->mpls, row->mpls_count * sizeof(row->mpls[0]));
}

static void fill_hop(struct obs_hop *hop, const struct path_row *row)
{
	*hop = (struct obs_hop){.ttl = row->ttl,
		.sent = row->sent,
		.answered = row->answered,
		.rtt_us = OBS_ABSENT};
	if (row->answered)
		fill_answer(hop, row);
}

void trace_record_fill(struct obs *obs, struct moment at, const char *service,
	const struct trace_order *order, const struct path *path, const struct geo *geo,
	const struct place *here)
{
	struct path_row rows[PATH_ROWS_MAX];
	struct obs_trace *trace = &obs->trace;

	_Static_assert(PATH_ROWS_MAX <= OBS_HOPS, "every row has its hop");
	obs_init(obs, OBS_TRACE, at);
	(void)snprintf(trace->service, sizeof(trace->service), "%s", service);
	trace->peer = order->peer;
	trace->protocol = order->protocol;
	trace->port = order->protocol == OBS_ICMP ? OBS_ABSENT : order->port;
	trace->flow = order->flow;
	trace->reached = path_is_reached(path);
	trace->hop_count = path_rows(path, rows);
	for (unsigned i = 0; i < trace->hop_count; i++)
		fill_hop(&trace->hops[i], &rows[i]);
	trace_record_place(obs, geo, here);
}

/* A router's own name is believed before a database, of which most place backbone routers
 * wrongly; but not against light. */
static void place_hop(struct obs_hop *hop, int64_t within_us, const struct geo *geo,
	const struct place *here)
{
	struct place named;

	(void)geo_place(geo, &hop->address, &hop->place);
	named = hop->place;
	if (hop->name[0] && geo_place_by_name(geo, hop->name, &named) &&
		light_verdict(here, &named, within_us) != PLACE_IMPOSSIBLE)
		hop->place = named;
	hop->place.verdict = light_verdict(here, &hop->place, within_us);
}

/* A packet that came to a hop had gone by those before it: what a database says of the
 * hop must be near enough to what their own names say. */
static void doubt_by_neighbours(
	struct obs_trace *trace, const int64_t within_us[], const struct place *here)
{
	const struct place *via = NULL;

	for (unsigned i = 0; i < trace->hop_count; i++) {
		struct place *place = &trace->hops[i].place;

		if (!trace->hops[i].answered)
			continue;
		if (via && place->source == PLACE_SOURCE_MMDB &&
			light_verdict_via(here, via, place, within_us[i]) ==
				PLACE_IMPOSSIBLE)
			place->verdict = PLACE_IMPOSSIBLE;
		if (place->source == PLACE_SOURCE_RDNS &&
			place->verdict == PLACE_POSSIBLE)
			via = place;
	}
}

/* Whatever answered from farther along the path went by this hop on its way there, so the
 * hop is no farther than the least round trip at it or behind it allows: its own answer
 * may have been slow to make. */
void trace_record_place(struct obs *obs, const struct geo *geo, const struct place *here)
{
	struct obs_trace *trace = &obs->trace;
	int64_t within_us[OBS_HOPS], least_us = INT64_MAX;

	for (unsigned i = trace->hop_count; i-- > 0;) {
		struct obs_hop *hop = &trace->hops[i];

		if (!hop->answered)
			continue;
		if (hop->rtt_us < least_us)
			least_us = hop->rtt_us;
		within_us[i] = least_us;
		place_hop(hop, least_us, geo, here);
	}
	doubt_by_neighbours(trace, within_us, here);
}

void trace_record_add_mtu(struct obs *obs, const struct mtu_search *search)
{
	struct obs_trace *trace = &obs->trace;

	trace->mtu = (uint16_t)mtu_search_result(search);
	for (unsigned i = 0; search->limiting.family && i < trace->hop_count; i++)
		if (address_equal(&trace->hops[i].address, &search->limiting))
			trace->hops[i].mtu = search->limiting_mtu;
}
