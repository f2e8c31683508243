#include "round_table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "printable.h"

static struct round_row *row_for(
	struct round_table *table, int64_t ttl, const struct address *address)
{
	unsigned at = 0;

	/* The row of a silent TTL becomes that of who answers first. */
	for (; at < table->count && table->rows[at].ttl <= ttl; at++) {
		struct round_row *row = &table->rows[at];

		if (row->ttl != ttl)
			continue;
		if (address_equal(&row->address, address))
			return row;
		if (row->address.family == 0 || address->family == 0) {
			if (row->address.family == 0)
				row->address = *address;
			return row;
		}
	}
	if (table->count == ROUND_TABLE_ROWS) {
		table->dropped++;
		return NULL;
	}
	memmove(&table->rows[at + 1], &table->rows[at],
		(table->count - at) * sizeof(table->rows[0]));
	table->count++;
	table->rows[at] = (struct round_row){
		.ttl = ttl, .address = *address, .least_us = INT64_MAX};
	memset(table->rows[at].history_us, -1, sizeof(table->rows[at].history_us));
	return &table->rows[at];
}

static void add_hop(struct round_table *table, const struct obs_hop *hop)
{
	struct round_row *row = row_for(table, hop->ttl, &hop->address);
	double ms = (double)hop->rtt_us / 1000;

	if (!row || !hop->answered)
		return;
	row->answered += hop->answered;
	row->rounds++;
	row->last_us = hop->rtt_us;
	row->sum_us += hop->rtt_us;
	row->square_sum += ms * ms;
	if (hop->rtt_us < INT32_MAX)
		row->history_us[table->rounds % ROUND_TABLE_HISTORY] =
			(int32_t)hop->rtt_us;
	if (hop->rtt_us < row->least_us)
		row->least_us = hop->rtt_us;
	if (hop->rtt_us > row->most_us)
		row->most_us = hop->rtt_us;
	if (hop->name[0])
		(void)snprintf(row->name, sizeof(row->name), "%s", hop->name);
	row->place = hop->place;
}

void round_table_add(struct round_table *table, const struct obs_trace *trace)
{
	int64_t counted = 0;

	table->rounds++;
	table->reached = trace->reached;
	for (unsigned i = 0; i < table->count; i++)
		table->rows[i].history_us[table->rounds % ROUND_TABLE_HISTORY] = -1;
	for (unsigned i = 0; i < trace->hop_count; i++) {
		const struct obs_hop *hop = &trace->hops[i];

		if (hop->ttl != counted && hop->ttl >= 0 && hop->ttl < 256)
			table->sent[hop->ttl] += hop->sent; /* the same on all its rows */
		counted = hop->ttl;
		table->last_ttl = hop->ttl;
		add_hop(table, hop);
	}
}

static int64_t answered_at(const struct round_table *table, int64_t ttl)
{
	int64_t answered = 0;

	for (unsigned i = 0; i < table->count; i++)
		if (table->rows[i].ttl == ttl)
			answered += table->rows[i].answered;
	return answered;
}

static bool misses(const struct round_table *table, int64_t ttl)
{
	return answered_at(table, ttl) < table->sent[ttl];
}

enum round_verdict round_table_judge(
	const struct round_table *table, const struct round_row *row)
{
	if (answered_at(table, row->ttl) == 0)
		return ROUND_SILENT;
	if (!misses(table, row->ttl))
		return ROUND_FINE;
	if (!table->reached)
		return ROUND_LIMITED;
	for (int64_t ttl = row->ttl; ttl <= table->last_ttl; ttl++)
		if (!misses(table, ttl))
			return ROUND_LIMITED;
	return ROUND_LOSS;
}

const char *round_table_verdict_text(const struct round_table *table,
	const struct round_row *row, char buf[static ROUND_TABLE_VERDICT])
{
	int64_t sent = table->sent[row->ttl], answered = answered_at(table, row->ttl);

	switch (round_table_judge(table, row)) {
	case ROUND_SILENT:
		return "silent";
	case ROUND_LIMITED:
		(void)snprintf(buf, ROUND_TABLE_VERDICT, "answers %.0f%%",
			100.0 * (double)answered / (double)sent);
		return buf;
	case ROUND_LOSS:
		(void)snprintf(buf, ROUND_TABLE_VERDICT, "loss %.1f%%",
			100.0 * (double)(sent - answered) / (double)sent);
		return buf;
	case ROUND_FINE:
		break;
	}
	return "";
}

double round_table_spread_ms(const struct round_row *row)
{
	double mean = (double)row->sum_us / 1000 / (double)row->rounds;
	double variance = row->square_sum / (double)row->rounds - mean * mean;

	return row->rounds && variance > 0 ? sqrt(variance) : 0;
}

int32_t round_table_past_us(
	const struct round_table *table, const struct round_row *row, unsigned ago)
{
	if (ago >= ROUND_TABLE_HISTORY || ago >= table->rounds)
		return -1;
	return row->history_us[(table->rounds - ago) % ROUND_TABLE_HISTORY];
}

static void print_row(FILE *out, const struct round_table *table,
	const struct round_row *row, bool colours)
{
	char text[ADDRESS_TEXT], verdict[ROUND_TABLE_VERDICT], name[OBS_NAME],
		city[PLACE_NAME];
	bool loss = round_table_judge(table, row) == ROUND_LOSS;

	printable_copy(name, sizeof(name), row->name);
	printable_copy(city, sizeof(city), row->place.city);
	if (row->answered == 0) {
		(void)fprintf(out, "%3" PRId64 "  *\n", row->ttl);
		return;
	}
	(void)fprintf(out,
		"%3" PRId64 "  %-24s %9.3f %9.3f %9.3f %9.3f  %s%-14s%s%s%s%s %s\n",
		row->ttl, address_text(&row->address, text), (double)row->last_us / 1000,
		(double)row->least_us / 1000,
		(double)row->sum_us / (double)row->rounds / 1000,
		(double)row->most_us / 1000, loss && colours ? "\033[31m" : "",
		round_table_verdict_text(table, row, verdict),
		loss && colours ? "\033[0m" : "", name, name[0] ? "  " : "",
		row->place.country, city);
}

unsigned round_table_print(FILE *out, const struct round_table *table, bool colours)
{
	(void)fprintf(out, "%3s  %-24s %9s %9s %9s %9s\n", "HOP", "ADDRESS", "LAST ms",
		"LEAST", "MEAN", "MOST");
	for (unsigned i = 0; i < table->count; i++)
		print_row(out, table, &table->rows[i], colours);
	(void)fprintf(out, "%" PRId64 " rounds, %s\n", table->rounds,
		table->reached ? "reached" : "not reached");
	return table->count + 2;
}
