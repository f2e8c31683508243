/*
 * The last assignment, kept beside the spool, so that a probe that starts while the
 * collector is away measures on.
 */
#ifndef ASTRAY_ASSIGNMENT_FILE_H
#define ASTRAY_ASSIGNMENT_FILE_H

#include <stddef.h>

/* New memory with a NUL behind the text; NULL when there is none that can be read. */
char *assignment_file_load(const char *directory);
/* Replaces it, whole or not at all. 0 or -errno. */
int assignment_file_store(const char *directory, const char *text, size_t len);

#endif
