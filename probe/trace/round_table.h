/*
 * Many rounds of one trace summed up: who answered at each TTL, how often and how soon.
 * Pure; at most ROUND_TABLE_ROWS rows, further ones are counted as dropped.
 */
#ifndef TRACE_ROUND_TABLE_H
#define TRACE_ROUND_TABLE_H

#include <stdio.h>

#include "astray/obs.h"

#define ROUND_TABLE_ROWS 160
#define ROUND_TABLE_HISTORY 128 /* the last rounds of each row */

#define ROUND_TABLE_VERDICT 32

struct round_row {
	int64_t ttl;
	struct address address; /* family 0: nobody has answered at this TTL */
	int64_t answered;
	int64_t last_us, least_us, most_us, sum_us; /* of each round's least */
	double square_sum;                          /* of the same, in ms² */
	int32_t history_us[ROUND_TABLE_HISTORY];    /* by round; -1: no answer */
	int64_t rounds;
	char name[OBS_NAME];
	struct place place;
};

struct round_table {
	unsigned count, dropped;
	int64_t rounds, last_ttl; /* of the newest path */
	bool reached;
	int64_t sent[256]; /* by TTL */
	struct round_row rows[ROUND_TABLE_ROWS];
};

void round_table_add(struct round_table *table, const struct obs_trace *trace);

enum round_verdict {
	ROUND_FINE,
	ROUND_SILENT,  /* never answers */
	ROUND_LIMITED, /* misses some that farther hops do not: it answers as it likes */
	ROUND_LOSS,    /* and so does everything behind it, the destination too */
};
/* What the answers that are missing at a row mean. */
enum round_verdict round_table_judge(
	const struct round_table *table, const struct round_row *row);

/* In words, "" where all is fine. */
const char *round_table_verdict_text(const struct round_table *table,
	const struct round_row *row, char buf[static ROUND_TABLE_VERDICT]);
/* The standard deviation of a row's round trips, in milliseconds. */
double round_table_spread_ms(const struct round_row *row);
/* What a row answered `ago` rounds before the last, -1: nothing, or longer ago than is
 * known. */
int32_t round_table_past_us(
	const struct round_table *table, const struct round_row *row, unsigned ago);

/* As lines of text: how many. colours: for a terminal that shows them. */
unsigned round_table_print(FILE *out, const struct round_table *table, bool colours);

#endif
