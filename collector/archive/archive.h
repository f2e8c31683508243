/*
 * State as bytes, and back. A struct of state has one function that names its fields in
 * order, X_keep(archive, x); writing takes them from it, reading puts them there, so that
 * the two cannot drift apart. Bytes read are believed in nothing: what is cut off, beyond
 * its bounds or refused by its owner breaks the archive, and from then on all reads give
 * zero. Small numbers take few bytes, zeros one.
 */
#ifndef ASTRAY_ARCHIVE_H
#define ASTRAY_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/moment.h"

struct archive;

/* Signed numbers and moments lie within ± this. */
#define ARCHIVE_MOST (INT64_C(1) << 53)

int archive_new(struct archive **out); /* to write */
/* To read; the bytes are borrowed. */
int archive_open(struct archive **out, const void *bytes, size_t len);
void archive_free(struct archive *archive); /* NULL is fine */

bool archive_is_reading(const struct archive *archive);
/* 0; negative once it is broken: STATUS_SHORT, STATUS_RANGE, -ENOMEM. */
int archive_rc(const struct archive *archive);
/* What was read makes no sense to its owner. */
void archive_refuse(struct archive *archive);
/* What has been written; valid until the next write. */
const void *archive_bytes(const struct archive *archive, size_t *len);
/* Whether a reader is through to the last byte. */
bool archive_is_through(const struct archive *archive);

void archive_bool(struct archive *archive, bool *value);
void archive_u16(struct archive *archive, uint16_t *value);
void archive_u32(struct archive *archive, uint32_t *value);
void archive_u64(struct archive *archive, uint64_t *value);
void archive_i32(struct archive *archive, int32_t *value);
void archive_i64(struct archive *archive, int64_t *value);
/* Not negative: what a ring is indexed by, for instance. */
void archive_index(struct archive *archive, int64_t *value);
/* At most `most`: what counts the used part of an array. */
void archive_count(struct archive *archive, uint32_t *value, uint32_t most);
/* One of the first `choices` of an enumeration: x->role = archive_choice(…, x->role, 3).
 */
unsigned archive_choice(struct archive *archive, unsigned value, unsigned choices);
void archive_float(struct archive *archive, float *value);   /* finite, below 1e18 */
void archive_double(struct archive *archive, double *value); /* the same */
void archive_moment(struct archive *archive, struct moment *value);
/* A text that ends within its `cap` bytes. */
void archive_text(struct archive *archive, char *text, size_t cap);
/* Arrays in which long runs are zero. */
void archive_u16_row(struct archive *archive, uint16_t *row, size_t count);
void archive_u32_row(struct archive *archive, uint32_t *row, size_t count);

#endif
