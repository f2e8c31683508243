/*
 * Whether bytes are strict JSON (RFC 8259), found in one bounded pass without recursion:
 * valid UTF-8, no raw control characters, at most JSON_DEPTH containers deep, nothing
 * behind the value.
 */
#ifndef ASTRAY_JSON_SCAN_H
#define ASTRAY_JSON_SCAN_H

#include <stddef.h>

struct json_scan {
	const char *why; /* what is wrong; NULL when nothing is */
	size_t at;       /* where: a byte offset */
	size_t values;   /* how many were begun before that */
};

/* 0 or STATUS_*, with *scan filled. When wanted is not 0, *scan.at becomes the offset of
 * that value in document order (1 is the root) and the scan stops there. */
int json_scan(struct json_scan *scan, const char *text, size_t len, size_t wanted);

/* Blanks // comments outside strings, so that offsets stay what they were. */
void json_scan_blank_comments(char *text, size_t len);

#endif
