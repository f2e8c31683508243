#include "ask_view.h"

#include <inttypes.h>
#include <string.h>

#include "astray/moment.h"
#include "printable.h"

#define CELL 256
#define US_PER_MS 1000.0

static const char *text_of(
	const struct json *object, const char *key, char buf[static CELL])
{
	const char *text = json_as_text(json_member(object, key));

	printable_copy(buf, CELL, text && *text ? text : "-");
	return buf;
}

static const char *time_of(
	const struct json *object, const char *key, char buf[static CELL])
{
	int64_t us;

	if (json_as_int(json_member(object, key), &us))
		return moment_text((struct moment){us}, false, buf);
	return "-";
}

static const char *number_of(const struct json *object, const char *key, double per,
	const char *unit, char buf[static CELL])
{
	double value;

	if (!json_as_double(json_member(object, key), &value))
		return "-";
	(void)snprintf(buf, CELL, "%.1f%s", value / per, unit);
	return buf;
}

/* "all", or what is not learnt yet and when the last of it will be: "4 of 7, until …" */
static const char *learnt_of(const struct json *row, char buf[static CELL])
{
	const struct json *list = json_member(row, "learning");
	unsigned measured = 0, learnt = 0;
	int64_t ready_us = 0, last_us = 0;
	char until[MOMENT_TEXT];

	for (const struct json *one = list ? json_first(list) : NULL; one;
		one = json_next(one)) {
		const char *state = json_as_text(json_member(one, "state"));

		if (!state || !json_as_int(json_member(one, "ready_us"), &ready_us))
			continue;
		measured++;
		if (strcmp(state, "learning") != 0)
			learnt++;
		else if (ready_us > last_us)
			last_us = ready_us;
	}
	if (measured == 0)
		return "-";
	if (learnt == measured)
		return "all";
	(void)snprintf(buf, CELL, "%u of %u, rest by %s", learnt, measured,
		moment_text((struct moment){last_us}, false, until));
	return buf;
}

void ask_view_services(FILE *out, const struct json *answer)
{
	const struct json *list = json_member(answer, "services");
	char name[CELL], state[CELL], rate[CELL], half[CELL], check[CELL], seen[CELL],
		learnt[CELL];

	(void)fprintf(out, "%-24s %-8s %10s %12s %12s  %-20s  %s\n", "SERVICE", "STATE",
		"REQUESTS/S", "RESPONSE p50", "CHECK", "LAST SEEN", "LEARNT");
	for (const struct json *row = list ? json_first(list) : NULL; row;
		row = json_next(row))
		(void)fprintf(out, "%-24s %-8s %10s %12s %12s  %-20s  %s\n",
			text_of(row, "name", name), text_of(row, "state", state),
			number_of(row, "requests_per_second", 1, "", rate),
			number_of(row, "response_p50_us", US_PER_MS, " ms", half),
			number_of(row, "check_total_us", US_PER_MS, " ms", check),
			time_of(row, "last_seen_us", seen), learnt_of(row, learnt));
}

void ask_view_incidents(FILE *out, const struct json *answer)
{
	const struct json *list = json_member(answer, "incidents");
	const struct json *first = list ? json_first(list) : NULL;
	char opened[CELL], state[CELL], severity[CELL], title[CELL], id[CELL];

	if (!first) {
		(void)fprintf(out, "no incidents\n");
		return;
	}
	(void)fprintf(out, "%-20s  %-12s %-8s %-24s  %s\n", "OPENED", "STATE", "SEVERITY",
		"ID", "WHAT");
	for (const struct json *row = first; row; row = json_next(row))
		(void)fprintf(out, "%-20s  %-12s %-8s %-24s  %s\n",
			time_of(row, "opened_us", opened), text_of(row, "state", state),
			text_of(row, "severity", severity), text_of(row, "id", id),
			text_of(row, "title", title));
}

static void show_hop(FILE *out, const struct json *hop)
{
	const struct json *place = json_member(hop, "place");
	char address[CELL], name[CELL], country[CELL], rtt[CELL];
	int64_t ttl = 0;

	(void)json_as_int(json_member(hop, "ttl"), &ttl);
	if (!json_member(hop, "address")) {
		(void)fprintf(out, "    %2" PRId64 "  *\n", ttl);
		return;
	}
	(void)fprintf(out, "    %2" PRId64 "  %-28s %-4s %10s  %s\n", ttl,
		text_of(hop, "address", address),
		place ? text_of(place, "country", country) : "-",
		number_of(hop, "rtt_us", US_PER_MS, " ms", rtt),
		text_of(hop, "name", name));
}

static void show_form(
	FILE *out, const struct json *path, const char *key, const char *title)
{
	const struct json *form = json_member(path, key);
	const struct json *hops =
		form && json_type(form) == JSON_OBJECT
			? json_member(json_member(form, "observation"), "hops")
			: NULL;
	char from[CELL], until[CELL];

	if (!hops)
		return;
	(void)fprintf(out, "  %s (%s to %s)\n", title, time_of(form, "first_us", from),
		time_of(form, "last_us", until));
	for (const struct json *hop = json_first(hops); hop; hop = json_next(hop))
		show_hop(out, hop);
}

void ask_view_paths(FILE *out, const struct json *answer)
{
	const struct json *list = json_member(answer, "paths");
	char site[CELL], probe[CELL], name[CELL];

	if (!list || !json_first(list))
		(void)fprintf(out, "no paths\n");
	for (const struct json *row = list ? json_first(list) : NULL; row;
		row = json_next(row)) {
		(void)fprintf(out, "%s, probe %s, %s\n", text_of(row, "site", site),
			text_of(row, "probe", probe), text_of(row, "name", name));
		show_form(out, row, "now", "now");
		show_form(out, row, "before", "before");
	}
}
