/*
 * Batches that the collector refuses for good, kept for people to look at: one file each,
 * its first line saying why, then the observations as they are. At most SPOOL_ASIDE_FILES
 * stay; the oldest goes first.
 */
#ifndef ASTRAY_SPOOL_ASIDE_H
#define ASTRAY_SPOOL_ASIDE_H

#include "spool_record.h"

#define SPOOL_ASIDE_FILES 64

/* Makes the folder "aside" in the spool's directory where it is not there: its
 * descriptor, or -errno. */
int spool_aside_open(int dir_fd);
/* Writes the file. Returns how many older files had to go for it, or negative. */
int spool_aside_write(int aside_fd, const struct spool_record *record, const char *why);

#endif
