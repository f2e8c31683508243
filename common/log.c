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

/* The message between quotes; what is not printable is escaped already. */
static void put_quoted(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void put_line(
	const struct log *log, enum log_level level, const char *topic, const char *text)
{
	char at[MOMENT_TEXT];

	(void)moment_text(now_moment(), true, at);
	if (log->format == LOG_FORMAT_JSON) {
		(void)fprintf(log->out,
			"{\"ts\":\"%s\",\"level\":\"%s\",\"topic\":\"%s\",\"msg\":", at,
			levels[level].name, topic);
		put_quoted(log->out, text);
		(void)fputs("}\n", log->out);
		return;
	}
	if (log->journald)
		(void)fprintf(log->out, "<%d>", levels[level].priority);
	else
		(void)fprintf(log->out, "ts=%s ", at);
	(void)fprintf(log->out, "level=%s topic=%s msg=", levels[level].name, topic);
	put_quoted(log->out, text);
	(void)fputc('\n', log->out);
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
	(void)fflush(log->out);
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
