#include "astray/moment.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "astray/status.h"

/* Years that RFC 3339 can write: 0000-01-01 up to the last second of 9999. */
#define FIRST_SECOND INT64_C(-62167219200)
#define LAST_SECOND INT64_C(253402300799)

const char *moment_text(struct moment at, bool millis, char buf[static MOMENT_TEXT])
{
	int64_t fraction_us = at.us % MOMENT_SECOND_US;
	time_t seconds = (time_t)(at.us / MOMENT_SECOND_US);
	char fraction[8] = "";
	struct tm tm;

	if (fraction_us < 0) {
		fraction_us += MOMENT_SECOND_US;
		seconds--;
	}
	if (seconds < FIRST_SECOND || seconds > LAST_SECOND || !gmtime_r(&seconds, &tm)) {
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " us", at.us);
		return buf;
	}
	if (millis)
		(void)snprintf(fraction, sizeof(fraction), ".%03d",
			(int)(fraction_us / 1000 % 1000));
	(void)snprintf(buf, MOMENT_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d%sZ",
		(tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec, fraction);
	return buf;
}

/* Exactly `digits` digits; moves *text past them. */
static bool take_number(const char **text, int digits, int *out)
{
	*out = 0;
	for (int i = 0; i < digits; i++, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		*out = *out * 10 + (**text - '0');
	}
	return true;
}

static bool take_mark(const char **text, const char *marks)
{
	if (!**text || !strchr(marks, **text))
		return false;
	(*text)++;
	return true;
}

/* ".25" as microseconds, 0 without one; finer digits are dropped. */
static bool take_fraction(const char **text, int64_t *us)
{
	int64_t unit = MOMENT_SECOND_US / 10;

	*us = 0;
	if (!take_mark(text, "."))
		return true;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++) {
		*us += (**text - '0') * unit;
		unit /= 10;
	}
	return true;
}

/* "Z" or "+09:00" in seconds east of UTC. */
static bool take_zone(const char **text, int *east_s)
{
	int hours, minutes, sign = **text == '-' ? -1 : 1;

	*east_s = 0;
	if (take_mark(text, "Zz"))
		return true;
	if (!take_mark(text, "+-") || !take_number(text, 2, &hours) ||
		!take_mark(text, ":") || !take_number(text, 2, &minutes))
		return false;
	*east_s = sign * (hours * 60 + minutes) * 60;
	return hours < 24 && minutes < 60;
}

static bool take_date(const char **text, struct tm *tm)
{
	return take_number(text, 4, &tm->tm_year) && take_mark(text, "-") &&
	       take_number(text, 2, &tm->tm_mon) && take_mark(text, "-") &&
	       take_number(text, 2, &tm->tm_mday);
}

static bool take_clock(const char **text, struct tm *tm)
{
	return take_number(text, 2, &tm->tm_hour) && take_mark(text, ":") &&
	       take_number(text, 2, &tm->tm_min) && take_mark(text, ":") &&
	       take_number(text, 2, &tm->tm_sec);
}

/* Of what the digits say; second 60 is a leap second. */
static bool is_in_calendar(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (tm->tm_year % 4 == 0 && tm->tm_year % 100 != 0) ||
		    tm->tm_year % 400 == 0;

	return tm->tm_mon >= 1 && tm->tm_mon <= 12 && tm->tm_mday >= 1 &&
	       tm->tm_mday <= days[tm->tm_mon - 1] + (tm->tm_mon == 2 && leap) &&
	       tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* RFC 3339, section 5.6. A leap second reads as the second after. */
static int parse_rfc3339(struct moment *out, const char *text)
{
	struct tm tm = {0};
	int64_t fraction_us, seconds;
	int east_s;

	if (!take_date(&text, &tm) || !take_mark(&text, "Tt ") ||
		!take_clock(&text, &tm) || !take_fraction(&text, &fraction_us) ||
		!take_zone(&text, &east_s) || *text)
		return STATUS_SYNTAX;
	if (!is_in_calendar(&tm))
		return STATUS_RANGE;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = (int64_t)timegm(&tm) - east_s;
	if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
		return STATUS_RANGE;
	out->us = seconds * MOMENT_SECOND_US + fraction_us;
	return 0;
}

int moment_parse(struct moment *out, const char *text)
{
	char *end;
	long long us;

	if (strchr(text, '-'))
		return parse_rfc3339(out, text);
	errno = 0;
	us = strtoll(text, &end, 10);
	if (end == text || *end || !isdigit((unsigned char)text[0]))
		return STATUS_SYNTAX;
	if (errno || us > MOMENT_MAX_US)
		return STATUS_RANGE;
	out->us = us;
	return 0;
}

const char *moment_span_text(int64_t us, char buf[static MOMENT_TEXT])
{
	int64_t s = us / MOMENT_SECOND_US;

	if (us < 0) /* a clock was set back */
		return moment_span_text(0, buf);
	if (us < 1000)
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " us", us);
	else if (us < 10 * 1000)
		(void)snprintf(buf, MOMENT_TEXT, "%.1f ms", (double)us / 1000);
	else if (us < MOMENT_SECOND_US)
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " ms", us / 1000);
	else if (us < 10 * MOMENT_SECOND_US && us % MOMENT_SECOND_US)
		(void)snprintf(buf, MOMENT_TEXT, "%.1f s", (double)us / MOMENT_SECOND_US);
	else if (s < 60)
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " s", s);
	else if (s < 3600 && s % 60)
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " min %" PRId64 " s", s / 60,
			s % 60);
	else if (s < 3600)
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " min", s / 60);
	else if (s < 48 * 3600 && s % 3600 >= 60)
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " h %" PRId64 " min",
			s / 3600, s % 3600 / 60);
	else if (s < 48 * 3600)
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " h", s / 3600);
	else
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " days", s / 86400);
	return buf;
}
