/*
 * A bounded queue of batches on disk. A batch gets its name (boot, seq) when it is pushed
 * and keeps it for ever: across restarts, however often it is sent. It counts as spooled
 * once its bytes and its file's name are synced. A kill or a power cut at any moment
 * loses nothing that was spooled and invents nothing.
 *
 * Over the limit the oldest go first, and the spool itself queues a health observation
 * that says exactly how many observations went, and from when to when. When the disk
 * fails (full, read only, broken), batches wait in memory, bounded too, and go to disk
 * once it takes them again.
 *
 * Calls block for the disk; one thread at a time. The directory is locked against a
 * second process.
 */
#ifndef ASTRAY_SPOOL_H
#define ASTRAY_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"
#include "astray/moment.h"
#include "spool_record.h"

#define SPOOL_LIMIT_MIN (4 * 1024 * 1024)
#define SPOOL_MEMORY_BYTES (1024 * 1024) /* packed batches that wait for the disk */

struct spool;

/* Observation lines, each with its newline. */
struct spool_lines {
	const char *text;
	size_t len;
	int64_t observations;
	struct moment from, until; /* least and greatest of their times */
};

struct spool_counts {
	int64_t batches, bytes; /* waiting, on disk and in memory */
	int64_t held_batches;   /* of these, in memory because the disk failed */
	int64_t dropped_observations;
	int64_t damaged_segments; /* files that ended in something that is no record */
	int64_t set_aside, set_aside_dropped;
	int disk_rc; /* 0, or why the disk took no batch the last time */
};

/* Makes the directory (not its parents) where it is not there. */
int spool_open(struct spool **out, const char *directory, int64_t limit_bytes,
	struct fault *fault);
void spool_close(struct spool *spool); /* NULL is fine; what waits in memory is lost */

/* The part of every name that this process gives. */
const char *spool_boot(const struct spool *spool);

/* 0: on disk. Otherwise the batch waits in memory, and the status says why. */
int spool_push(struct spool *spool, const struct spool_lines *lines, struct moment now);
/* For the end: what waits in memory goes to disk, also the one that was being sent. 0, or
 * why the disk would not take it. */
int spool_settle(struct spool *spool, struct moment now);

/* The oldest batch: 1 and *out (valid until it is done), or 0 when there is none. */
int spool_oldest(struct spool *spool, const struct spool_record **out, struct moment now);
/* The oldest was acknowledged; STATUS_UNKNOWN when it is not the one of that seq. */
int spool_done(struct spool *spool, int64_t seq);
/* The oldest was refused for good: kept in the folder "aside", and done. */
int spool_set_aside(struct spool *spool, int64_t seq, const char *why);

struct spool_counts spool_count(const struct spool *spool);

#endif
