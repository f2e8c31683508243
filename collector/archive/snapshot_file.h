/*
 * A snapshot on disk: one line that says whose and of when it is, and a checksum over all
 * of it. Written beside and moved into place, so that there is always a whole one. Calls
 * block for the disk.
 */
#ifndef ASTRAY_SNAPSHOT_FILE_H
#define ASTRAY_SNAPSHOT_FILE_H

#include <stddef.h>

#include "astray/moment.h"

#define SNAPSHOT_FILE_VERSION 17 /* 16 characters, none of them a space */
#define SNAPSHOT_FILE_MAX ((size_t)1024 * 1024 * 1024)

struct snapshot_head {
	char version[SNAPSHOT_FILE_VERSION]; /* of what wrote it */
	struct moment position;              /* the rx of the last batch that is in it */
};

/* 0 once it is durable; until then the one before stands. */
int snapshot_file_write(const char *path, const struct snapshot_head *head,
	const void *bytes, size_t len);
/* *bytes is the caller's to free. -ENOENT: there is none; STATUS_UNSUPPORTED: of another
 * version; STATUS_SHORT, STATUS_CORRUPT: damaged. */
int snapshot_file_read(const char *path, const char *version, struct snapshot_head *head,
	void **bytes, size_t *len);
/* The same out of memory: where in the file the state stands. */
int snapshot_file_parse(const char *file, size_t size, const char *version,
	struct snapshot_head *head, size_t *at, size_t *len);
/* Out of the way, but not lost. */
int snapshot_file_set_aside(const char *path);

#endif
