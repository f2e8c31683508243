/*
 * Reading an object's fields one by one with a sticky error: the first refusal fills the
 * fault with the field's whole path, and everything after it does nothing. Shared by the
 * readers of observations, batches and records.
 */
#ifndef ASTRAY_WIRE_FIELDS_H
#define ASTRAY_WIRE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/fault.h"
#include "astray/json.h"
#include "astray/moment.h"

#define WIRE_FIELDS_NO_ROW (-1)

struct wire_fields {
	const struct json *object;
	struct wire_fields *outer; /* NULL at the top */
	const char *key;           /* its name in the outer object */
	int row;                   /* its number in a list of that name */
	struct fault *fault;
	int rc;
};

enum wire_need { WIRE_OPTIONAL, WIRE_REQUIRED };

struct wire_fields wire_fields_over(const struct json *object, struct fault *fault);
/* The fields of the inner object `key`, or of its row `row`; refuses what is no object.
 * The outer one outlives it, and learns of its refusals by wire_fields_leave. */
struct wire_fields wire_fields_enter(
	struct wire_fields *outer, const struct json *object, const char *key, int row);
void wire_fields_leave(struct wire_fields *inner);

void wire_fields_refuse(
	struct wire_fields *fields, int rc, const char *key, const char *why);
/* The same about one row of a list. */
void wire_fields_refuse_row(
	struct wire_fields *fields, int rc, const char *key, int row, const char *why);

/* The member, or NULL when it is absent (which is refused if required). Null is absent.
 */
const struct json *wire_fields_take(struct wire_fields *fields, const char *key,
	enum json_type type, enum wire_need need);

/* Each leaves *out as it was when the field is absent. */
void wire_fields_int(struct wire_fields *fields, const char *key, enum wire_need need,
	int64_t min, int64_t max, int64_t *out);
void wire_fields_double(struct wire_fields *fields, const char *key, enum wire_need need,
	double min, double max, double *out);
void wire_fields_bool(
	struct wire_fields *fields, const char *key, enum wire_need need, bool *out);
void wire_fields_text(struct wire_fields *fields, const char *key, enum wire_need need,
	char *out, size_t cap);
/* Only what `valid` accepts. */
void wire_fields_word(struct wire_fields *fields, const char *key, enum wire_need need,
	char *out, size_t cap, bool (*valid)(const char *), const char *why);
/* One of count words; *out becomes its number. */
void wire_fields_choice(struct wire_fields *fields, const char *key, enum wire_need need,
	const char *(*text_of)(int), int count, int *out);
void wire_fields_moment(struct wire_fields *fields, const char *key, enum wire_need need,
	struct moment *out);
/* RFC 3339 text; a fraction of a second is dropped. */
void wire_fields_date(struct wire_fields *fields, const char *key, enum wire_need need,
	struct moment *out);
void wire_fields_address(struct wire_fields *fields, const char *key, enum wire_need need,
	struct address *out);

#endif
