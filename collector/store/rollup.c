#include "rollup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"
#include "sketch_pack.h"

#define ROWS 2048 /* in memory; a worst case of 50 MB, 1 MB as a rule */
#define SLOTS (2 * ROWS)
#define SQL_MAX 2048

struct rollup {
	size_t count;
	struct rollup_row rows[ROWS];
	uint16_t slots[SLOTS]; /* number of a row, from 1 */
};

static const char *const count_columns[ROLLUP_COUNTS] = {
	[ROLLUP_CONNECTIONS] = "connections",
	[ROLLUP_REFUSED] = "refused",
	[ROLLUP_TIMED_OUT] = "timed_out",
	[ROLLUP_RESET] = "reset",
	[ROLLUP_REQUESTS] = "requests",
	[ROLLUP_RESPONSES] = "responses",
	[ROLLUP_ERRORS] = "errors",
	[ROLLUP_SENT_BYTES] = "sent_bytes",
	[ROLLUP_RECEIVED_BYTES] = "received_bytes",
	[ROLLUP_RETRANSMITS] = "retransmits",
	[ROLLUP_LOST_PACKETS] = "lost_packets",
	[ROLLUP_WINDOWS] = "windows",
	[ROLLUP_CHECKS] = "checks",
	[ROLLUP_CHECK_FAILURES] = "check_failures",
};

static const char *const sketch_columns[ROLLUP_SKETCHES] = {
	[ROLLUP_RESPONSE] = "response",
	[ROLLUP_THINK] = "think",
	[ROLLUP_CONNECT] = "connect",
	[ROLLUP_RTT] = "rtt",
	[ROLLUP_CHECK_DNS] = "check_dns",
	[ROLLUP_CHECK_CONNECT] = "check_connect",
	[ROLLUP_CHECK_TLS] = "check_tls",
	[ROLLUP_CHECK_FIRST_BYTE] = "check_first_byte",
	[ROLLUP_CHECK_TOTAL] = "check_total",
};

int rollup_new(struct rollup **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void rollup_clear(struct rollup *rollup)
{
	for (size_t i = 0; i < rollup->count; i++)
		rollup_row_clear(&rollup->rows[i]);
	memset(rollup->slots, 0, sizeof(rollup->slots));
	rollup->count = 0;
}

void rollup_free(struct rollup *rollup)
{
	if (!rollup)
		return;
	rollup_clear(rollup);
	free(rollup);
}

bool rollup_is_full(const struct rollup *rollup)
{
	return rollup->count == ROWS;
}

static struct rollup_row *row_for(struct rollup *rollup, int64_t at_us, int64_t series)
{
	uint64_t hash = ((uint64_t)at_us ^ ((uint64_t)series << 40)) *
			UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = (hash >> 40) % SLOTS;; i = (i + 1) % SLOTS) {
		struct rollup_row *row;

		if (!rollup->slots[i]) {
			if (rollup_is_full(rollup))
				return NULL;
			row = &rollup->rows[rollup->count++];
			row->at_us = at_us;
			row->series = series;
			rollup->slots[i] = (uint16_t)rollup->count;
			return row;
		}
		row = &rollup->rows[rollup->slots[i] - 1];
		if (row->at_us == at_us && row->series == series)
			return row;
	}
}

static int add_traffic(struct rollup_row *row, const struct obs_traffic *traffic)
{
	static const struct {
		enum rollup_sketch into;
		enum obs_sketch from;
	} sketches[] = {{ROLLUP_RESPONSE, OBS_RESPONSE}, {ROLLUP_THINK, OBS_THINK},
		{ROLLUP_CONNECT, OBS_CONNECT}, {ROLLUP_RTT, OBS_RTT}};
	const struct {
		enum rollup_count into;
		int64_t from;
	} counts[] = {{ROLLUP_CONNECTIONS, traffic->connections},
		{ROLLUP_REFUSED, traffic->refused},
		{ROLLUP_TIMED_OUT, traffic->timed_out}, {ROLLUP_RESET, traffic->reset},
		{ROLLUP_REQUESTS, traffic->requests},
		{ROLLUP_RESPONSES, traffic->responses}, {ROLLUP_ERRORS, traffic->errors},
		{ROLLUP_SENT_BYTES, traffic->sent_bytes},
		{ROLLUP_RECEIVED_BYTES, traffic->received_bytes},
		{ROLLUP_RETRANSMITS, traffic->retransmits},
		{ROLLUP_LOST_PACKETS, traffic->lost_packets}, {ROLLUP_WINDOWS, 1}};
	int rc = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		rollup_row_count(row, counts[i].into, counts[i].from);
	if (traffic->window_us > row->window_us)
		row->window_us = traffic->window_us;
	for (size_t i = 0; !rc && i < sizeof(sketches) / sizeof(sketches[0]); i++)
		rc = rollup_row_merge(
			row, sketches[i].into, &traffic->sketches[sketches[i].from]);
	return rc;
}

static int add_check(struct rollup_row *row, const struct obs_check *check)
{
	const struct {
		enum rollup_sketch into;
		int64_t from;
	} phases[] = {{ROLLUP_CHECK_DNS, check->dns_us},
		{ROLLUP_CHECK_CONNECT, check->connect_us},
		{ROLLUP_CHECK_TLS, check->tls_us},
		{ROLLUP_CHECK_FIRST_BYTE, check->first_byte_us},
		{ROLLUP_CHECK_TOTAL, check->total_us}};
	int rc = 0;

	rollup_row_count(row, ROLLUP_CHECKS, 1);
	rollup_row_count(row, ROLLUP_CHECK_FAILURES, check->error != OBS_CHECK_OK);
	for (size_t i = 0; !rc && i < sizeof(phases) / sizeof(phases[0]); i++)
		rc = rollup_row_time(row, phases[i].into, phases[i].from);
	return rc;
}

int rollup_add(
	struct rollup *rollup, int64_t series, struct moment at, const struct obs *obs)
{
	int64_t step_us = rollup_row_step_us(ROLLUP_TEN_SECONDS);
	struct rollup_row *row;

	if (obs->kind != OBS_TRAFFIC && obs->kind != OBS_CHECK)
		return 0;
	row = row_for(rollup, at.us - at.us % step_us, series);
	if (!row)
		return STATUS_LIMIT;
	return obs->kind == OBS_TRAFFIC ? add_traffic(row, &obs->traffic)
					: add_check(row, &obs->check);
}

static void add_columns(char sql[static SQL_MAX], const char *separator)
{
	for (unsigned i = 0; i < ROLLUP_COUNTS; i++) {
		(void)strcat(sql, count_columns[i]);
		(void)strcat(sql, separator);
	}
	for (unsigned i = 0; i < ROLLUP_SKETCHES; i++) {
		(void)strcat(sql, sketch_columns[i]);
		(void)strcat(sql, separator);
	}
	(void)strcat(sql, "window_us");
}

int rollup_prepare_read(struct database_statement **out, struct database *database)
{
	char sql[SQL_MAX] = "SELECT ";

	add_columns(sql, ", ");
	(void)strcat(sql, " FROM rollup WHERE step = ? AND at_us = ? AND series = ?");
	return database_prepare(out, database, sql);
}

static int prepare_write(struct database_statement **out, struct database *database)
{
	char sql[SQL_MAX] = "REPLACE INTO rollup (step, at_us, series, ";

	add_columns(sql, ", ");
	(void)strcat(sql, ") VALUES (?, ?, ?");
	for (unsigned i = 0; i < ROLLUP_COUNTS + ROLLUP_SKETCHES + 1; i++)
		(void)strcat(sql, ", ?");
	(void)strcat(sql, ")");
	return database_prepare(out, database, sql);
}

int rollup_add_stored(struct rollup_row *row, struct database_statement *statement)
{
	int64_t window_us = database_int(statement, ROLLUP_COUNTS + ROLLUP_SKETCHES);

	for (unsigned i = 0; i < ROLLUP_COUNTS; i++)
		rollup_row_count(
			row, (enum rollup_count)i, database_int(statement, (int)i));
	if (window_us > row->window_us)
		row->window_us = window_us;
	for (unsigned i = 0; i < ROLLUP_SKETCHES; i++) {
		struct sketch sketch;
		size_t len;
		const void *bytes =
			database_bytes(statement, (int)(ROLLUP_COUNTS + i), &len);
		int rc = sketch_pack_read(&sketch, bytes, len);

		if (!rc)
			rc = rollup_row_merge(row, (enum rollup_sketch)i, &sketch);
		if (rc)
			return rc;
	}
	return 0;
}

static void bind_key(struct database_statement *statement, enum rollup_step step,
	const struct rollup_row *row)
{
	database_bind_int(statement, 1, rollup_row_step_us(step) / MOMENT_SECOND_US);
	database_bind_int(statement, 2, row->at_us);
	database_bind_int(statement, 3, row->series);
}

static int replace_row(struct database_statement *write, enum rollup_step step,
	const struct rollup_row *row)
{
	uint8_t packed[ROLLUP_SKETCHES][SKETCH_PACK_MAX];
	int at = 4;

	bind_key(write, step, row);
	for (unsigned i = 0; i < ROLLUP_COUNTS; i++)
		database_bind_int(write, at++, row->counts[i]);
	for (unsigned i = 0; i < ROLLUP_SKETCHES; i++, at++) {
		size_t len = row->sketches[i]
				     ? sketch_pack_write(packed[i], row->sketches[i])
				     : 0;

		if (len)
			database_bind_bytes(write, at, packed[i], len);
		else
			database_bind_null(write, at);
	}
	database_bind_int(write, at, row->window_us);
	return database_step(write);
}

/* What stands there and what is new, as one row. A stored row that cannot be read is
 * begun anew: the store can be built again from the journal, and must not stop at one
 * row. */
static int write_row(struct database_statement *read, struct database_statement *write,
	enum rollup_step step, const struct rollup_row *row)
{
	int64_t step_us = rollup_row_step_us(step);
	struct rollup_row whole = {
		.at_us = row->at_us - row->at_us % step_us, .series = row->series};
	int rc;

	bind_key(read, step, &whole);
	rc = database_step(read);
	if (rc > 0) {
		rc = rollup_add_stored(&whole, read);
		if (rc == STATUS_CORRUPT)
			rc = 0;
	}
	database_reset(read);
	if (!rc)
		rc = rollup_row_add(&whole, row);
	if (!rc)
		rc = replace_row(write, step, &whole);
	rollup_row_clear(&whole);
	return rc;
}

int rollup_write(struct rollup *rollup, struct database *database)
{
	struct database_statement *read = NULL, *write = NULL;
	int rc;

	if (rollup->count == 0)
		return 0;
	rc = rollup_prepare_read(&read, database);
	if (!rc)
		rc = prepare_write(&write, database);
	for (size_t i = 0; !rc && i < rollup->count; i++)
		for (int step = 0; !rc && step < ROLLUP_STEPS; step++)
			rc = write_row(
				read, write, (enum rollup_step)step, &rollup->rows[i]);
	database_finalize(read);
	database_finalize(write);
	if (!rc)
		rollup_clear(rollup);
	return rc;
}
