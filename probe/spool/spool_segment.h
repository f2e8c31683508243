/*
 * One file of a spool: records one behind the other, named by a number that is never used
 * again. A record counts once it and the file's name are on disk. What a crash left half
 * written is found by reading and lies beyond size_bytes.
 */
#ifndef ASTRAY_SPOOL_SEGMENT_H
#define ASTRAY_SPOOL_SEGMENT_H

#include <stdint.h>

#include "astray/obs.h"
#include "spool_record.h"

#define SPOOL_SEGMENT_NAME 32

struct spool_segment {
	uint64_t id;
	int64_t size_bytes;     /* of whole records */
	int64_t batches;        /* not done yet */
	struct obs_gap content; /* what is lost when the file is dropped now */
};

const char *spool_segment_name(uint64_t id, char buf[static SPOOL_SEGMENT_NAME]);
/* The number in a file's name; 0 when it is not a segment's name. */
uint64_t spool_segment_parse(const char *name);

/* An empty file, its name on disk; sets *fd. */
int spool_segment_create(struct spool_segment *segment, int *fd, int dir_fd, uint64_t id);
/* Opens for reading and appending: the descriptor, or -errno. */
int spool_segment_reopen(int dir_fd, uint64_t id);

/* Reads all records from an offset on and counts them. Returns 0, or STATUS_CORRUPT when
 * something else stands behind the last whole record (size_bytes ends before it), or
 * -errno. */
int spool_segment_scan(
	struct spool_segment *segment, int fd, uint64_t id, int64_t offset);

/* Writes and syncs. After a failure the record does not count, and the file must not be
 * appended to again: what a failed sync left behind is not known. */
int spool_segment_append(
	struct spool_segment *segment, int fd, const struct spool_record *record);

/* The record at an offset: its length, 0 at the end of the file, or negative. *bytes is
 * new memory that record->packed points into. */
int spool_segment_read(
	int fd, int64_t offset, struct spool_record *record, uint8_t **bytes);

/* A record of it was acknowledged or set aside. */
void spool_segment_forget(
	struct spool_segment *segment, const struct spool_record *record);

#endif
