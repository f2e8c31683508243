#include "trace_view.h"

#include <inttypes.h>
#include <string.h>

#include "printable.h"

#define CELL (PLACE_NAME + 64)

static void print_title(FILE *out, const char *host, const struct obs_trace *trace)
{
	char peer[ADDRESS_TEXT];

	(void)fprintf(out, "%s", host);
	if (strcmp(host, address_text(&trace->peer, peer)) != 0)
		(void)fprintf(out, " (%s)", peer);
	(void)fprintf(out, ", %s", obs_protocol_text(trace->protocol));
	if (trace->port != OBS_ABSENT)
		(void)fprintf(out, " port %" PRId64, trace->port);
	(void)fprintf(out, ", flow %" PRId64 "\n", trace->flow);
}

static unsigned address_width(const struct obs_trace *trace)
{
	unsigned width = 7;

	for (unsigned i = 0; i < trace->hop_count; i++) {
		char text[ADDRESS_TEXT];
		size_t len = strlen(address_text(&trace->hops[i].address, text));

		if (len > width)
			width = (unsigned)len;
	}
	return width;
}

static const char *loss_text(const struct obs_hop *hop, char buf[static CELL])
{
	if (hop->answered == hop->sent)
		return "";
	(void)snprintf(buf, CELL, "%" PRId64 " of %" PRId64, hop->answered, hop->sent);
	return buf;
}

static const char *network_text(const struct place *place, char buf[static CELL])
{
	char org[PLACE_NAME];

	buf[0] = '\0';
	printable_copy(org, sizeof(org), place->org);
	if (place->asn)
		(void)snprintf(
			buf, CELL, "AS%" PRIu32 "%s%s", place->asn, *org ? " " : "", org);
	return buf;
}

static const char *place_text(const struct place *place, char buf[static CELL])
{
	char city[PLACE_NAME];

	printable_copy(city, sizeof(city), place->city);
	if (place->source == PLACE_SOURCE_ANYCAST)
		return "anycast";
	(void)snprintf(buf, CELL, "%s%s%s%s%s", place->country,
		*city && *place->country ? " " : "", city,
		place->source == PLACE_SOURCE_RDNS ? " (by its name)" : "",
		place->verdict == PLACE_IMPOSSIBLE ? " (too soon for there)" : "");
	return buf;
}

static void print_labels(FILE *out, const struct obs_hop *hop)
{
	for (unsigned i = 0; i < hop->mpls_count; i++)
		(void)fprintf(out, "%s%" PRIu32, i ? " " : "  MPLS ", hop->mpls[i].label);
}

static void print_remarks(FILE *out, const struct obs_hop *hop)
{
	if (hop->unreachable)
		(void)fprintf(
			out, "  refuses: %s", obs_unreachable_text(hop->unreachable));
	if (hop->nat)
		(void)fputs("  behind address translation", out);
	if (hop->ttl_odd)
		(void)fprintf(out, "  TTL %u there", hop->quoted_ttl);
	if (hop->quoted_tos)
		(void)fprintf(out, "  TOS 0x%02x there", hop->quoted_tos);
	if (hop->mtu)
		(void)fprintf(out, "  passes on %u bytes", hop->mtu);
}

/* The hop where the same router answered before, with others in between; 0: none. Twice
 * in a row is no loop: some pass on a packet that has come to its end. */
static int64_t looped_from(const struct obs_trace *trace, unsigned at)
{
	const struct obs_hop *hop = &trace->hops[at];
	bool others = false;

	while (at-- > 0) {
		const struct obs_hop *before = &trace->hops[at];

		if (!before->answered || before->ttl == hop->ttl)
			continue;
		if (!address_equal(&before->address, &hop->address))
			others = true;
		else if (others)
			return before->ttl;
	}
	return 0;
}

static void print_hop(
	FILE *out, const struct obs_trace *trace, unsigned at, unsigned width)
{
	const struct obs_hop *hop = &trace->hops[at];
	int64_t loop = looped_from(trace, at);
	char address[ADDRESS_TEXT], loss[CELL], network[CELL], place[CELL];

	(void)fprintf(out, "%3" PRId64 "  %-*s %9.3f  %-8s  %-24s  %s", hop->ttl,
		(int)width, address_text(&hop->address, address),
		(double)hop->rtt_us / 1000, loss_text(hop, loss),
		network_text(&hop->place, network), place_text(&hop->place, place));
	if (hop->name[0]) {
		char name[OBS_NAME];

		printable_copy(name, sizeof(name), hop->name);
		(void)fprintf(out, "  %s", name);
	}
	print_labels(out, hop);
	print_remarks(out, hop);
	if (loop)
		(void)fprintf(out, "  a loop: hop %" PRId64 " again", loop);
	(void)fputc('\n', out);
}

/* Silent hops in a row are one line. Returns how many it stands for. */
static unsigned print_silence(FILE *out, const struct obs_trace *trace, unsigned from)
{
	unsigned until = from;

	while (until + 1 < trace->hop_count && trace->hops[until + 1].answered == 0)
		until++;
	if (until == from)
		(void)fprintf(out, "%3" PRId64 "  *\n", trace->hops[from].ttl);
	else
		(void)fprintf(out, "%3" PRId64 "  *  and so to %" PRId64 "\n",
			trace->hops[from].ttl, trace->hops[until].ttl);
	return until - from + 1;
}

static void print_end(FILE *out, const struct obs_trace *trace)
{
	const struct obs_hop *last =
		trace->hop_count ? &trace->hops[trace->hop_count - 1] : NULL;

	if (trace->reached && last)
		(void)fprintf(out, "reached at hop %" PRId64 "\n", last->ttl);
	else
		(void)fputs("not reached\n", out);
	if (trace->mtu)
		(void)fprintf(out, "packets of %u bytes pass\n", trace->mtu);
}

void trace_view_print(FILE *out, const char *host, const struct obs_trace *trace)
{
	unsigned width = address_width(trace);

	print_title(out, host, trace);
	(void)fprintf(out, "%3s  %-*s %9s  %-8s  %-24s  %s\n", "HOP", (int)width,
		"ADDRESS", "LEAST ms", "ANSWERED", "NETWORK", "PLACE");
	for (unsigned i = 0; i < trace->hop_count;) {
		if (trace->hops[i].answered == 0) {
			i += print_silence(out, trace, i);
		} else {
			print_hop(out, trace, i, width);
			i++;
		}
	}
	print_end(out, trace);
}

/* RFC 4180, and no cell that a spreadsheet takes for a formula. */
static void put_cell(FILE *out, const char *text)
{
	char cell[PLACE_NAME + OBS_NAME];

	printable_copy(cell, sizeof(cell), text);
	(void)fputs(",\"", out);
	if (cell[0] && strchr("=+-@", cell[0]))
		(void)fputc('\'', out);
	for (const char *at = cell; *at; at++) {
		if (*at == '"')
			(void)fputc('"', out);
		(void)fputc(*at, out);
	}
	(void)fputc('"', out);
}

static void put_number(FILE *out, int64_t number)
{
	if (number == OBS_ABSENT)
		(void)fputc(',', out);
	else
		(void)fprintf(out, ",%" PRId64, number);
}

static const char *source_text(enum place_source source)
{
	switch (source) {
	case PLACE_SOURCE_MMDB:
		return "mmdb";
	case PLACE_SOURCE_RDNS:
		return "rdns";
	case PLACE_SOURCE_ANYCAST:
		return "anycast";
	case PLACE_SOURCE_NONE:
		break;
	}
	return "";
}

static const char *verdict_text(enum place_verdict verdict)
{
	switch (verdict) {
	case PLACE_POSSIBLE:
		return "possible";
	case PLACE_IMPOSSIBLE:
		return "impossible";
	case PLACE_UNKNOWN:
		break;
	}
	return "unknown";
}

void trace_view_print_csv(
	FILE *out, const char *host, struct moment at, const struct obs_trace *trace)
{
	char peer[ADDRESS_TEXT], address[ADDRESS_TEXT];

	for (unsigned i = 0; i < trace->hop_count; i++) {
		const struct obs_hop *hop = &trace->hops[i];

		(void)fprintf(out, "%s,%s,%s", host, address_text(&trace->peer, peer),
			obs_protocol_text(trace->protocol));
		put_number(out, trace->port);
		put_number(out, trace->flow);
		put_number(out, at.us);
		put_number(out, hop->ttl);
		put_cell(out, hop->answered ? address_text(&hop->address, address) : "");
		put_cell(out, hop->name);
		put_number(out, hop->sent);
		put_number(out, hop->answered);
		put_number(out, hop->rtt_us);
		put_number(out, hop->place.asn ? (int64_t)hop->place.asn : OBS_ABSENT);
		put_cell(out, hop->place.country);
		put_cell(out, hop->place.city);
		put_cell(out, source_text(hop->place.source));
		put_cell(out, verdict_text(hop->place.verdict));
		(void)fputc('\n', out);
	}
}
