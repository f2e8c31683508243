/*
 * One row of sums: what was counted and timed for one series in one step of time.
 */
#ifndef ASTRAY_ROLLUP_ROW_H
#define ASTRAY_ROLLUP_ROW_H

#include <stdint.h>

#include "astray/sketch.h"

enum rollup_step { ROLLUP_TEN_SECONDS, ROLLUP_MINUTE, ROLLUP_HOUR, ROLLUP_STEPS };

enum rollup_count {
	ROLLUP_CONNECTIONS,
	ROLLUP_REFUSED,
	ROLLUP_TIMED_OUT,
	ROLLUP_RESET,
	ROLLUP_REQUESTS,
	ROLLUP_RESPONSES,
	ROLLUP_ERRORS,
	ROLLUP_SENT_BYTES,
	ROLLUP_RECEIVED_BYTES,
	ROLLUP_RETRANSMITS,
	ROLLUP_LOST_PACKETS,
	ROLLUP_WINDOWS, /* traffic observations */
	ROLLUP_CHECKS,
	ROLLUP_CHECK_FAILURES,
	ROLLUP_COUNTS
};

enum rollup_sketch {
	ROLLUP_RESPONSE,
	ROLLUP_THINK,
	ROLLUP_CONNECT,
	ROLLUP_RTT,
	ROLLUP_CHECK_DNS,
	ROLLUP_CHECK_CONNECT,
	ROLLUP_CHECK_TLS,
	ROLLUP_CHECK_FIRST_BYTE,
	ROLLUP_CHECK_TOTAL,
	ROLLUP_SKETCHES
};

struct rollup_row {
	int64_t at_us, series;
	int64_t counts[ROLLUP_COUNTS];
	int64_t window_us; /* the longest window that was counted here */
	struct sketch *sketches[ROLLUP_SKETCHES]; /* owned; NULL: empty */
};

int64_t rollup_row_step_us(enum rollup_step step);
void rollup_row_clear(struct rollup_row *row);
/* Adds all of `row`; -ENOMEM when there is no room for its times. */
int rollup_row_add(struct rollup_row *into, const struct rollup_row *row);
/* Absent or negative adds nothing; a total stops where JSON numbers stop being exact. */
void rollup_row_count(struct rollup_row *row, enum rollup_count which, int64_t more);
int rollup_row_time(struct rollup_row *row, enum rollup_sketch which, int64_t value_us);
int rollup_row_merge(
	struct rollup_row *row, enum rollup_sketch which, const struct sketch *from);

#endif
