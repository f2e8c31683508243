/*
 * Up to where a spool has been delivered: a segment and an offset in it, kept in a small
 * file that is overwritten in place. It is not synced: when a power cut brings back an
 * older position, what it stands before is sent once more under its old name, and counts
 * once.
 */
#ifndef ASTRAY_SPOOL_POSITION_H
#define ASTRAY_SPOOL_POSITION_H

#include <stdint.h>

struct spool_position {
	uint64_t segment; /* everything in lower ones is done */
	int64_t offset;
};

/* Opens or makes the file: the descriptor, or -errno. What does not check reads as the
 * beginning. */
int spool_position_open(struct spool_position *position, int dir_fd);
int spool_position_write(int fd, const struct spool_position *position);

#endif
