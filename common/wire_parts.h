/*
 * The parts that observations of several kinds have in common, read from their fields:
 * names, counts, lists of rows, places, sketches. Each refuses what is out of its bounds,
 * and leaves *out as it was when the field is absent.
 */
#ifndef ASTRAY_WIRE_PARTS_H
#define ASTRAY_WIRE_PARTS_H

#include "astray/obs.h"
#include "wire_fields.h"

/* The largest integer on the wire. */
#define WIRE_PARTS_INT_MAX MOMENT_MAX_US
#define WIRE_PARTS_WORD_WHY "should be 1 to 63 of letters, digits and . _ -"

/* Required; "*" only where `all` is allowed. */
void wire_parts_service(struct wire_fields *fields, bool all, char out[static OBS_NAME]);
/* A required name of the DNS: lower case, no dot at the end. */
void wire_parts_name(
	struct wire_fields *fields, const char *key, char out[static OBS_NAME]);
bool wire_parts_name_is_valid(const char *text);
/* An optional whole number from 0 up. */
void wire_parts_count(struct wire_fields *fields, const char *key, int64_t *out);
void wire_parts_country(struct wire_fields *fields, char out[static 3]);
void wire_parts_asn(struct wire_fields *fields, uint32_t *out);
/* The words of the wire; a place without a source has "". */
const char *wire_parts_source_word(int source);
const char *wire_parts_verdict_word(int verdict);
void wire_parts_place(struct wire_fields *fields, struct place *place);
void wire_parts_sketch(
	struct wire_fields *fields, const char *key, struct sketch *sketch);
/* An optional list of texts into rows of `cap` bytes each; `valid` may be NULL. */
void wire_parts_texts(struct wire_fields *fields, const char *key, char *rows, size_t cap,
	unsigned max, bool (*valid)(const char *), unsigned *count);

/* Reads one object of a list into row `number` of *arg. */
typedef void (*wire_parts_row_fn)(struct wire_fields *row, void *arg, unsigned number);
/* A list of at most max objects. */
void wire_parts_rows(struct wire_fields *fields, const char *key, enum wire_need need,
	unsigned max, unsigned *count, wire_parts_row_fn read, void *arg);

#endif
