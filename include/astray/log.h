/*
 * Logging for people and machines: logfmt or JSON, one line an event, on one stream.
 * Under systemd (JOURNAL_STREAM) lines carry a priority and no time. The logger is a
 * value that main() owns and everybody borrows; nothing here is global.
 *
 *   log_warn(log, "uplink", "%s: %s, next try in %d s", peer, status_text(rc), wait_s);
 *
 * Topic, thing, reason, what happens next. One line an event, none a packet. Bytes
 * outside printable UTF-8 are escaped, so that nothing from outside can forge a line.
 */
#ifndef ASTRAY_LOG_H
#define ASTRAY_LOG_H

#include <stdio.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

struct log {
	FILE *out; /* NULL: silent */
	enum log_level level;
	enum log_format format;
	bool journald; /* priorities, no times */
};

/* A logger on stderr with the environment's habits (JOURNAL_STREAM) applied. */
struct log log_to_stderr(void);

int log_parse_level(enum log_level *out, const char *text);
int log_parse_format(enum log_format *out, const char *text);

void log_error(const struct log *log, const char *topic, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_warn(const struct log *log, const char *topic, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_info(const struct log *log, const char *topic, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_debug(const struct log *log, const char *topic, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
