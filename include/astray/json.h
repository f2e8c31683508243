/*
 * JSON for everybody: the one place that meets the library. Reading is strict beyond it:
 * valid UTF-8, no control characters in strings, no repeated keys, at most 16 deep,
 * nothing behind the value; a value knows the line it stands on, so that a
 * configuration's error can say where.
 */
#ifndef ASTRAY_JSON_H
#define ASTRAY_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"

struct json;     /* a value; lives as long as its document */
struct json_doc; /* a parsed document */

#define JSON_COMMENTS 1u /* allow // comments (configuration files) */
#define JSON_DEPTH 16

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

int json_parse(struct json_doc **out, const char *text, size_t len, unsigned flags,
	struct fault *fault);
/* Reads a whole file of at most limit bytes; fault.input becomes the path. */
int json_parse_file(struct json_doc **out, const char *path, size_t limit, unsigned flags,
	struct fault *fault);
void json_doc_free(struct json_doc *doc);
const struct json *json_root(const struct json_doc *doc);
/* The line on which the value begins, from 1. Slow: for error messages. */
unsigned json_line(const struct json_doc *doc, const struct json *value);

enum json_type json_type(const struct json *value);
const char *json_key(const struct json *value); /* its name inside an object, or NULL */
const struct json *json_member(const struct json *object, const char *key);
const struct json *json_first(const struct json *container); /* NULL when empty */
const struct json *json_next(const struct json *value);
size_t json_count(const struct json *container);

/* False when the value is NULL or another type. json_int wants a whole number within
 * ±2^53. */
bool json_as_int(const struct json *value, int64_t *out);
bool json_as_double(const struct json *value, double *out);
bool json_as_bool(const struct json *value, bool *out);
const char *json_as_text(const struct json *value); /* NULL when it is not text */

/* Writing. The add functions return the new value, or NULL when memory ran out (which the
 * print reports once, at the end). In an array `key` is NULL. Only a root is freed. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_add_object(struct json *into, const char *key);
struct json *json_add_array(struct json *into, const char *key);
void json_add_int(struct json *into, const char *key, int64_t value);
/* The fewest digits that read back as the same number; null when it is not finite. */
void json_add_double(struct json *into, const char *key, double value);
/* What is not UTF-8 becomes "?", byte for byte: names from outside cannot break a line.
 */
void json_add_text(struct json *into, const char *key, const char *value);
void json_add_bool(struct json *into, const char *key, bool value);
void json_add_null(struct json *into, const char *key);
/* Adds a value that is already JSON text, as it is (a raw observation line, for
 * instance). */
void json_add_raw(struct json *into, const char *key, const char *text, size_t len);
/* Compact text into buf: its length, or STATUS_LIMIT, or -ENOMEM. */
int json_print(const struct json *root, char *buf, size_t cap);
/* The same into memory that the caller frees; NULL when there is none. */
char *json_print_new(const struct json *root);
void json_free(struct json *root);

#endif
