#include "flow_view.h"

#include <inttypes.h>
#include <string.h>

#define NAME_WIDTH_MIN 16
#define NAME_WIDTH_MAX 44
#define TIMES 32

static int name_width(struct traffic_sum *sum)
{
	size_t width = NAME_WIDTH_MIN;

	for (size_t i = 0; i < traffic_sum_count(sum); i++) {
		size_t len = strlen(traffic_sum_at(sum, i)->service);

		if (len > width)
			width = len;
	}
	return (int)(width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX);
}

static const char *times_text(const struct sketch *sketch, char buf[static TIMES])
{
	static const double quantiles[] = {0.5, 0.9, 0.99};
	size_t len = 0;

	if (sketch_is_empty(sketch))
		return "-";
	for (unsigned i = 0; i < 3; i++) {
		double ms = sketch_quantile(sketch, quantiles[i]) / 1000;
		int digits = ms < 10 ? 2 : ms < 100 ? 1 : 0;
		int rc = snprintf(
			buf + len, TIMES - len, "%s%.*f", i ? " " : "", digits, ms);

		if (rc < 0 || (size_t)rc >= TIMES - len)
			break;
		len += (size_t)rc;
	}
	return buf;
}

static void print_row(FILE *out, int width, const struct obs_traffic *traffic)
{
	char connect[TIMES], response[TIMES];

	(void)fprintf(out,
		"%-*s %8" PRId64 " %7" PRId64 " %8" PRId64 " %8" PRId64 " %7" PRId64
		" %7" PRId64 "  %20s  %20s\n",
		width, traffic->service, traffic->connections,
		traffic->refused + traffic->timed_out + traffic->reset, traffic->requests,
		traffic->responses, traffic->errors, traffic->retransmits,
		times_text(&traffic->sketches[OBS_CONNECT], connect),
		times_text(&traffic->sketches[OBS_RESPONSE], response));
}

void flow_view_table(FILE *out, struct traffic_sum *sum)
{
	int width = name_width(sum);

	(void)fprintf(out, "%-*s %8s %7s %8s %8s %7s %7s  %20s  %20s\n", width, "SERVICE",
		"CONNECTS", "FAILED", "REQUESTS", "ANSWERS", "ERRORS", "RESENT",
		"CONNECT ms 50 90 99", "ANSWER ms 50 90 99");
	for (size_t i = 0; i < traffic_sum_count(sum); i++)
		print_row(out, width, traffic_sum_at(sum, i));
}

void flow_view_losses(FILE *out, const struct meter_counts *counts)
{
	const struct {
		uint64_t count;
		const char *what;
	} losses[] = {
		{counts->cut, "packets ended before their headers did"},
		{counts->malformed, "packets contradicted themselves"},
		{counts->layers.unread, "packets were in tunnels that are not read"},
		{counts->layers.too_deep, "packets had too many headers around them"},
		{counts->layers.fragments.incomplete,
			"fragmented packets did not come in full"},
		{counts->layers.fragments.overlapping,
			"fragmented packets contradicted themselves"},
		{counts->evicted, "open connections gave way to newer ones"},
		{counts->evicted_half_open,
			"unanswered connections gave way to newer ones"},
		{counts->evicted_lookups, "questions to DNS servers gave way to others"},
		{counts->displaced_names, "DNS answers gave way to others"},
		{counts->unbuffered, "times no buffer was left for split data"},
		{counts->refused_services, "connections were of one service too many"},
		{counts->unlisted_peers, "requests went to servers beyond those listed"},
	};

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		if (losses[i].count > 0)
			(void)fprintf(
				out, "%" PRIu64 " %s\n", losses[i].count, losses[i].what);
}

void flow_view_counts(FILE *out, const struct meter_counts *counts)
{
	(void)fprintf(out,
		"%" PRIu64 " packets, %" PRIu64 " of them TCP, %" PRIu64 " not IP\n",
		counts->packets, counts->segments, counts->layers.not_ip);
	flow_view_losses(out, counts);
}
