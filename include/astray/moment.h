/*
 * Two kinds of time that cannot be mixed: a moment is an instant of the wall clock
 * (microseconds since 1970, what observations carry), a tick is a reading of the
 * monotonic clock (what durations are measured with). Pure arithmetic; the clocks
 * themselves are read in now.h only.
 */
#ifndef ASTRAY_MOMENT_H
#define ASTRAY_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOMENT_SECOND_US INT64_C(1000000)
#define MOMENT_MINUTE_US (60 * MOMENT_SECOND_US)
#define MOMENT_HOUR_US (60 * MOMENT_MINUTE_US)
#define MOMENT_DAY_US (24 * MOMENT_HOUR_US)
#define MOMENT_MAX_US \
	((INT64_C(1) << 53) - 1) /* the largest that JSON numbers carry exactly */

struct moment {
	int64_t us;
};

struct tick {
	int64_t us;
};

static inline int64_t moment_since_us(struct moment later, struct moment earlier)
{
	return later.us - earlier.us;
}

static inline struct moment moment_plus_us(struct moment at, int64_t us)
{
	return (struct moment){at.us + us};
}

static inline bool moment_before(struct moment a, struct moment b)
{
	return a.us < b.us;
}

static inline int64_t tick_since_us(struct tick later, struct tick earlier)
{
	return later.us - earlier.us;
}

#define MOMENT_TEXT 40
/* "2020-05-31T00:05:00Z" (RFC 3339, UTC); with milliseconds where `millis`. */
const char *moment_text(struct moment at, bool millis, char buf[static MOMENT_TEXT]);
/* Reads RFC 3339 or a bare number of microseconds since 1970. */
int moment_parse(struct moment *out, const char *text);
/* "350 ms", "12 s", "4 min 10 s", "2 h 5 min", "3 days" */
const char *moment_span_text(int64_t us, char buf[static MOMENT_TEXT]);

#endif
