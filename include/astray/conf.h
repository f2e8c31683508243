/*
 * Strict configuration: an object is read by a table of options. An unknown key, a value
 * of the wrong type or out of its range is refused with file, line, the key and the
 * nearest valid one. The same table prints the manual's text, so that the two cannot
 * drift apart.
 */
#ifndef ASTRAY_CONF_H
#define ASTRAY_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "astray/json.h"

enum conf_type {
	CONF_INT,    /* target: int64_t */
	CONF_NUMBER, /* target: double */
	CONF_BOOL,   /* target: bool */
	CONF_TEXT,   /* target: char[size] */
	CONF_SPAN, /* target: int64_t, microseconds; text "10 s", "5 min", "2 h", "1 day",
		      "250 ms" or a number of seconds */
	CONF_TEXTS, /* target: struct conf_texts */
	CONF_VALUE, /* target: const struct json *; the caller reads it itself */
};

#define CONF_TEXTS_MAX 64
#define CONF_TEXT_MAX 256
struct conf_texts {
	unsigned count;
	char text[CONF_TEXTS_MAX][CONF_TEXT_MAX];
};

struct conf_option {
	const char *key;
	enum conf_type type;
	size_t offset;   /* of the target inside the struct that is filled */
	size_t size;     /* CONF_TEXT: bytes of the target */
	double min, max; /* CONF_INT, CONF_NUMBER; CONF_SPAN in microseconds; CONF_TEXTS:
			    how many */
	const char *fallback; /* default, as the file would write it; NULL: none, the
				 target keeps its value */
	const char *help;
};

/* Fills `into` by the table (which ends with a row without key): first the defaults, then
 * what the object says. `where` prefixes the key in faults ("services[2]"; "" at the
 * top). */
int conf_read(void *into, const struct conf_option *table, const struct json_doc *doc,
	const struct json *object, const char *where, struct fault *fault);

/* The same for a section that may be absent (NULL): it then reads like an empty one. */
int conf_read_section(void *into, const struct conf_option *table,
	const struct json_doc *doc, const struct json *section, const char *where,
	struct fault *fault);
/* Refuses a value for a reason that no table can hold: fault_at with the value's line. A
 * NULL value has none. Returns rc. */
int conf_refuse(struct fault *fault, const struct json_doc *doc, const struct json *value,
	int rc, const char *field, const char *why);

/* One "key (type, default): help" paragraph a row. */
void conf_describe(FILE *out, const struct conf_option *table);

/* The row whose key is nearest in spelling, or NULL when none is near. */
const struct conf_option *conf_nearest(const struct conf_option *table, const char *key);

#endif
