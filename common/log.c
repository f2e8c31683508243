#include "astray/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "astray/moment.h"
#include "astray/now.h"
#include "astray/status.h"
#include "printable.h"

#define MESSAGE_MAX 1024

static const struct {
	const char *name;
	int priority; /* syslog's, as systemd reads it */
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARN] = {"warn", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

struct log log_to_stderr(void)
{
	return (struct log){.out = stderr,
		.level = LOG_LEVEL_INFO,
		.format = LOG_FORMAT_LOGFMT,
		.journald = getenv("JOURNAL_STREAM") != NULL};
}

int log_parse_level(enum log_level *out, const char *text)
{
	for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcasecmp(levels[i].name, text) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return STATUS_UNKNOWN;
}

int log_parse_format(enum log_format *out, const char *text)
{
	if (strcasecmp(text, "logfmt") == 0)
		*out = LOG_FORMAT_LOGFMT;
	else if (strcasecmp(text, "json") == 0)
		*out = LOG_FORMAT_JSON;
	else
		return STATUS_UNKNOWN;
	return 0;
}

/* What stands between quotes; bytes that do not print are escaped already. */
static const char *quoted(char *out, size_t cap, const char *text)
{
	size_t used = 0;

	for (; *text && used + 2 < cap; text++) {
		if (*text == '"' || *text == '\\')
			out[used++] = '\\';
		out[used++] = *text;
	}
	out[used] = '\0';
	return out;
}

/* One call for one line, so that lines of several writers do not mix. */
static void put_line(
	const struct log *log, enum log_level level, const char *topic, const char *text)
{
	char at[MOMENT_TEXT], message[MESSAGE_MAX * 4];

	(void)moment_text(now_moment(), true, at);
	(void)quoted(message, sizeof(message), text);
	if (log->format == LOG_FORMAT_JSON)
		(void)fprintf(log->out,
			"{\"ts\":\"%s\",\"level\":\"%s\",\"topic\":\"%s\",\"msg\":\"%s\"}"
			"\n",
			at, levels[level].name, topic, message);
	else if (log->journald)
		(void)fprintf(log->out, "<%d>level=%s topic=%s msg=\"%s\"\n",
			levels[level].priority, levels[level].name, topic, message);
	else
		(void)fprintf(log->out, "ts=%s level=%s topic=%s msg=\"%s\"\n", at,
			levels[level].name, topic, message);
	(void)fflush(log->out);
}

static void put(const struct log *log, enum log_level level, const char *topic,
	const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void put(const struct log *log, enum log_level level, const char *topic,
	const char *format, va_list args)
{
	char raw[MESSAGE_MAX], text[MESSAGE_MAX * 2];

	if (!log || !log->out || level > log->level)
		return;
	(void)vsnprintf(raw, sizeof(raw), format, args);
	printable_copy(text, sizeof(text), raw);
	put_line(log, level, topic, text);
}

void log_error(const struct log *log, const char *topic, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(log, LOG_LEVEL_ERROR, topic, format, args);
	va_end(args);
}

void log_warn(const struct log *log, const char *topic, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(log, LOG_LEVEL_WARN, topic, format, args);
	va_end(args);
}

void log_info(const struct log *log, const char *topic, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(log, LOG_LEVEL_INFO, topic, format, args);
	va_end(args);
}

void log_debug(const struct log *log, const char *topic, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(log, LOG_LEVEL_DEBUG, topic, format, args);
	va_end(args);
}
