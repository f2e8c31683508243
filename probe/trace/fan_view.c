#include "fan_view.h"

#include <inttypes.h>

#define LINKS_MAX 512

static const char *bracket(unsigned node, unsigned count)
{
	if (count == 1)
		return "─";
	if (node == 0)
		return "┬";
	return node + 1 < count ? "├" : "└";
}

/* Only where a reader could not tell: several next routers, of which some are its. */
static void print_next(FILE *out, const struct fan *fan, unsigned ttl, unsigned node)
{
	struct fan_link links[LINKS_MAX];
	const struct fan_node *nodes;
	unsigned next, count;
	const char *mark = "  →";

	if (ttl >= fan_length(fan))
		return;
	next = fan_nodes(fan, ttl + 1, &nodes);
	count = fan_links(fan, ttl, links, LINKS_MAX);
	for (unsigned i = 0; next > 1 && i < count; i++) {
		char text[ADDRESS_TEXT];

		if (links[i].from != node)
			continue;
		(void)fprintf(out, "%s %s", mark,
			address_text(&nodes[links[i].to].address, text));
		mark = ",";
	}
}

static void print_level(FILE *out, const struct fan *fan, unsigned ttl)
{
	const struct fan_node *nodes;
	unsigned count = fan_nodes(fan, ttl, &nodes), flows = 0;

	if (count == 0)
		(void)fprintf(out, "%3u ─ *\n", ttl);
	for (unsigned i = 0; i < count; i++)
		flows += nodes[i].flows;
	for (unsigned i = 0; i < count; i++) {
		char text[ADDRESS_TEXT], hop[8] = "";

		if (i == 0)
			(void)snprintf(hop, sizeof(hop), "%u", ttl);
		(void)fprintf(out, "%3s %s %-24s %9.3f", hop, bracket(i, count),
			address_text(&nodes[i].address, text),
			(double)nodes[i].rtt_us / 1000);
		if (count > 1)
			(void)fprintf(out, "  %u of %u flows", nodes[i].flows, flows);
		print_next(out, fan, ttl, i);
		for (unsigned m = 0; m < nodes[i].mpls_count; m++)
			(void)fprintf(out, "%s%" PRIu32, m ? " " : "  MPLS ",
				nodes[i].mpls[m].label);
		(void)fputc('\n', out);
	}
	if (fan_balances_packets(fan, ttl))
		(void)fputs("    balanced packet by packet: there may be more\n", out);
}

void fan_view_print(FILE *out, const char *host, const struct trace_order *order,
	const struct fan *fan)
{
	char peer[ADDRESS_TEXT];

	(void)fprintf(out, "%s (%s), %s, all paths by %u flows\n", host,
		address_text(&order->peer, peer), obs_protocol_text(order->protocol),
		fan_flow_count(fan));
	for (unsigned ttl = 1; ttl <= fan_length(fan); ttl++)
		print_level(out, fan, ttl);
	if (fan_is_cut_short(fan))
		(void)fputs("more flows would be needed: there may be more\n", out);
	if (fan_is_reached(fan))
		(void)fprintf(out, "reached at hop %u\n", fan_length(fan));
	else
		(void)fputs("not reached\n", out);
}
