#include "astray/moment.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "astray/status.h"

const char *moment_text(struct moment at, bool millis, char buf[static MOMENT_TEXT])
{
	int64_t fraction_us = at.us % MOMENT_SECOND_US;
	time_t seconds = (time_t)(at.us / MOMENT_SECOND_US);
	struct tm tm;
	size_t len;

	if (fraction_us < 0) {
		fraction_us += MOMENT_SECOND_US;
		seconds--;
	}
	if (!gmtime_r(&seconds, &tm)) {
		(void)snprintf(buf, MOMENT_TEXT, "%" PRId64 " us", at.us);
		return buf;
	}
	len = strftime(buf, MOMENT_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	if (millis)
		(void)snprintf(buf + len, MOMENT_TEXT - len, ".%03dZ",
			(int)(fraction_us / 1000));
	else
		(void)snprintf(buf + len, MOMENT_TEXT - len, "Z");
	return buf;
}

/* ".25" as microseconds; moves *text past it. */
static int64_t take_fraction(const char **text)
{
	int64_t us = 0, unit = MOMENT_SECOND_US / 10;

	if (**text != '.' || !isdigit((unsigned char)(*text)[1]))
		return 0;
	for ((*text)++; isdigit((unsigned char)**text); (*text)++) {
		us += (**text - '0') * unit;
		unit /= 10;
	}
	return us;
}

/* "Z" or "+09:00" in seconds east of UTC. False when it is neither. */
static bool take_zone(const char **text, int *east_s)
{
	int hours, minutes, used = 0;
	char sign = **text;

	*east_s = 0;
	if (sign == 'Z' || sign == 'z') {
		(*text)++;
		return true;
	}
	if ((sign != '+' && sign != '-') || !isdigit((unsigned char)(*text)[1]) ||
		sscanf(*text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
		used != 5 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*east_s = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
	*text += 1 + used;
	return true;
}

static bool is_in_month(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = tm->tm_year + 1900;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_mday < 1)
		return false;
	return tm->tm_mday <= days[tm->tm_mon] + (tm->tm_mon == 1 && leap);
}

/* RFC 3339, section 5.6. A leap second reads as the second after. */
static int parse_rfc3339(struct moment *out, const char *text)
{
	struct tm tm = {0};
	int used = 0, east_s;
	int64_t fraction_us;
	char join;

	if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
		    &tm.tm_mday, &join, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
		    &used) != 7 ||
		used != 19 || !strchr("Tt ", join))
		return STATUS_SYNTAX;
	for (int i = 0; i < used; i++)
		if (!isdigit((unsigned char)text[i]) && !strchr("-:Tt ", text[i]))
			return STATUS_SYNTAX;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	text += used;
	fraction_us = take_fraction(&text);
	if (!take_zone(&text, &east_s) || *text)
		return STATUS_SYNTAX;
	if (!is_in_month(&tm) || tm.tm_hour > 23 || tm.tm_hour < 0 || tm.tm_min > 59 ||
		tm.tm_min < 0 || tm.tm_sec > 60 || tm.tm_sec < 0)
		return STATUS_RANGE;
	out->us = ((int64_t)timegm(&tm) - east_s) * MOMENT_SECOND_US + fraction_us;
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
