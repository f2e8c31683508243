/*
 * The dashboard's files, gzip-packed, held by the program. Made by embed.py at build
 * time.
 */
#ifndef ASTRAY_WEB_H
#define ASTRAY_WEB_H

#include <stddef.h>

struct web_file {
	const char *path; /* "/assets/app.js" */
	const char *content_type;
	const char *etag; /* quoted, as the header has it */
	const unsigned char *bytes;
	size_t len;
};

extern const struct web_file web_table[]; /* ends with a row without path */

/* The file of that path ("/" is the page itself), or NULL. */
const struct web_file *web_find(const char *path);

#endif
