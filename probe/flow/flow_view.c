#include "flow_view.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NAME_WIDTH_MIN 16
#define NAME_WIDTH_MAX 44
#define TIMES 32
#define NUMBER 24
#define PACKETS_WIDTH 104 /* of a row without its name */
#define KERNEL_WIDTH 68
#define RED "\x1b[31m"
#define DIM "\x1b[2m"
#define PLAIN "\x1b[0m"

struct loss {
	uint64_t count;
	const char *what;
};

static bool is_of_kernel(struct traffic_sum *sum)
{
	return traffic_sum_count(sum) > 0 && traffic_sum_at(sum, 0)->method == OBS_KERNEL;
}

static int name_width(struct traffic_sum *sum, const struct flow_view_style *style)
{
	unsigned rest = is_of_kernel(sum) ? KERNEL_WIDTH : PACKETS_WIDTH;
	size_t width = NAME_WIDTH_MIN;

	for (size_t i = 0; i < traffic_sum_count(sum); i++) {
		size_t len = strlen(traffic_sum_at(sum, i)->service);

		if (len > width)
			width = len;
	}
	if (width > NAME_WIDTH_MAX)
		width = NAME_WIDTH_MAX;
	if (style->columns > 0 && width + rest > style->columns)
		width = style->columns > rest + NAME_WIDTH_MIN ? style->columns - rest
							       : NAME_WIDTH_MIN;
	return (int)width;
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

static const char *number_text(int64_t number, char buf[static NUMBER])
{
	if (number == OBS_ABSENT)
		return "-";
	(void)snprintf(buf, NUMBER, "%" PRId64, number);
	return buf;
}

static const char *bytes_text(int64_t bytes, char buf[static NUMBER])
{
	static const char units[] = " kMGTPE";
	double value = (double)bytes;
	unsigned unit = 0;

	if (bytes < 1000)
		return number_text(bytes, buf);
	for (; value >= 1000 && unit < sizeof(units) - 2; unit++)
		value /= 1000;
	(void)snprintf(buf, NUMBER, "%.*f%c", value < 100 ? 1 : 0, value, units[unit]);
	return buf;
}

static int64_t failures_of(const struct obs_traffic *traffic)
{
	int64_t failures = traffic->refused + traffic->timed_out;

	if (traffic->reset != OBS_ABSENT)
		failures += traffic->reset;
	return traffic->tls_failed == OBS_ABSENT ? failures
						 : failures + traffic->tls_failed;
}

/* What told whose most of the connections are, + where not all of them. */
static const char *naming_text(const struct obs_traffic *traffic, char buf[static NUMBER])
{
	static const char *const words[OBS_NAMINGS] = {
		"sni", "host", "cert", "dns", "addr", "other"};
	unsigned most = 0, kinds = 0;

	for (unsigned i = 0; i < OBS_NAMINGS; i++) {
		kinds += traffic->named_by[i] > 0;
		if (traffic->named_by[i] > traffic->named_by[most])
			most = i;
	}
	if (kinds == 0)
		return "-";
	(void)snprintf(buf, NUMBER, "%s%s", words[most], kinds > 1 ? "+" : "");
	return buf;
}

/* A row of which more than one request in twenty is an estimate says so. */
static const char *requests_text(
	const struct obs_traffic *traffic, char buf[static NUMBER])
{
	bool rough = traffic->estimated != OBS_ABSENT &&
		     traffic->estimated * 20 > traffic->requests;

	(void)snprintf(buf, NUMBER, "%s%" PRId64, rough ? "~" : "", traffic->requests);
	return buf;
}

static void print_packets_row(FILE *out, const struct obs_traffic *traffic)
{
	char connect[TIMES], response[TIMES], requests[NUMBER], errors[NUMBER],
		naming[NUMBER];

	(void)fprintf(out,
		" %8" PRId64 " %7" PRId64 " %8s %8" PRId64 " %7s %7" PRId64
		"  %20s  %20s %s",
		traffic->connections, failures_of(traffic),
		requests_text(traffic, requests), traffic->responses,
		number_text(traffic->errors, errors), traffic->retransmits,
		times_text(&traffic->sketches[OBS_CONNECT], connect),
		times_text(&traffic->sketches[OBS_RESPONSE], response),
		naming_text(traffic, naming));
}

static void print_kernel_row(FILE *out, const struct obs_traffic *traffic)
{
	char rtt[TIMES], sent[NUMBER], received[NUMBER];

	(void)fprintf(out, " %8" PRId64 " %7" PRId64 " %7" PRId64 "  %8s  %8s  %20s",
		traffic->connections, failures_of(traffic), traffic->retransmits,
		bytes_text(traffic->sent_bytes, sent),
		bytes_text(traffic->received_bytes, received),
		times_text(&traffic->sketches[OBS_RTT], rtt));
}

static void print_cells(FILE *out, const struct obs_traffic *traffic)
{
	if (traffic->method == OBS_KERNEL)
		print_kernel_row(out, traffic);
	else
		print_packets_row(out, traffic);
}

/* Red where connections failed or answers were errors, dim where nothing happened. */
static const char *colour_of(
	const struct obs_traffic *traffic, const struct flow_view_style *style)
{
	if (!style->colour)
		return "";
	if (failures_of(traffic) > 0 || traffic->errors > 0)
		return RED;
	return traffic->connections == 0 && traffic->requests <= 0 ? DIM : "";
}

static void print_row(FILE *out, int width, const struct obs_traffic *traffic,
	const struct flow_view_style *style)
{
	const char *colour = colour_of(traffic, style);

	(void)fprintf(out, "%s%-*.*s", colour, width, width, traffic->service);
	print_cells(out, traffic);
	(void)fprintf(out, "%s\n", *colour ? PLAIN : "");
}

static void print_head(FILE *out, int width, bool kernel)
{
	if (kernel)
		(void)fprintf(out, "%-*s %8s %7s %7s  %8s  %8s  %20s\n", width, "SERVICE",
			"CONNECTS", "FAILED", "RESENT", "SENT", "RECEIVED",
			"RTT ms 50 90 99");
	else
		(void)fprintf(out, "%-*s %8s %7s %8s %8s %7s %7s  %20s  %20s %s\n", width,
			"SERVICE", "CONNECTS", "FAILED", "REQUESTS", "ANSWERS", "ERRORS",
			"RESENT", "CONNECT ms 50 90 99", "1ST BYTE ms 50 90 99", "BY");
}

void flow_view_table(
	FILE *out, struct traffic_sum *sum, const struct flow_view_style *style)
{
	size_t count = traffic_sum_count(sum), shown = count;
	int width = name_width(sum, style);

	/* The head, and the line of those that have no room. */
	if (style->rows > 2 && count > style->rows - 1)
		shown = style->rows - 2;
	print_head(out, width, is_of_kernel(sum));
	for (size_t i = 0; i < shown; i++)
		print_row(out, width, traffic_sum_at(sum, i), style);
	if (shown < count)
		(void)fprintf(out, "and %zu more\n", count - shown);
}

static bool had_traffic(const struct obs_traffic *traffic)
{
	return traffic->connections > 0 || traffic->requests > 0 ||
	       failures_of(traffic) > 0 || traffic->sent_bytes > 0 ||
	       traffic->received_bytes > 0;
}

void flow_view_window(FILE *out, const struct obs *obs)
{
	time_t second = (time_t)(obs->at.us / MOMENT_SECOND_US);
	struct tm local;
	char text[16];

	if (!had_traffic(&obs->traffic) || !localtime_r(&second, &local) ||
		strftime(text, sizeof(text), "%H:%M:%S", &local) == 0)
		return;
	(void)fprintf(out, "%s %-*s", text, NAME_WIDTH_MIN, obs->traffic.service);
	print_cells(out, &obs->traffic);
	(void)fputc('\n', out);
}

static void print_losses(FILE *out, const struct loss *losses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (losses[i].count > 0)
			(void)fprintf(
				out, "%" PRIu64 " %s\n", losses[i].count, losses[i].what);
}

void flow_view_socket_losses(FILE *out, const struct socket_watch_counts *counts)
{
	const struct loss losses[] = {
		{counts->meter.refused_sockets, "times a connection found no room"},
		{counts->meter.refused_services,
			"connections were of one service too many"},
		{counts->meter.shared,
			"connections were to an address of several services"},
		{counts->lost, "times news of the kernel were lost"},
	};

	print_losses(out, losses, sizeof(losses) / sizeof(losses[0]));
}

void flow_view_losses(FILE *out, const struct meter_counts *counts)
{
	const struct loss losses[] = {
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
		{counts->unread_heads,
			"HTTP/2 connections found no reader for their heads"},
		{counts->refused_services, "connections were of one service too many"},
		{counts->unlisted_peers, "requests went to servers beyond those listed"},
	};

	print_losses(out, losses, sizeof(losses) / sizeof(losses[0]));
}

void flow_view_counts(FILE *out, const struct meter_counts *counts)
{
	(void)fprintf(out,
		"%" PRIu64 " packets, %" PRIu64 " of them TCP, %" PRIu64 " UDP, %" PRIu64
		" not IP\n",
		counts->packets, counts->segments, counts->datagrams,
		counts->layers.not_ip);
	flow_view_losses(out, counts);
}
