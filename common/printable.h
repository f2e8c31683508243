/*
 * Text from outside made safe to show: valid UTF-8 stays, control characters and broken
 * bytes become \xNN, so that nothing can forge a line or steer a terminal.
 */
#ifndef ASTRAY_PRINTABLE_H
#define ASTRAY_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Copies as much as fits (always NUL-terminated, never half a character). */
void printable_copy(char *out, size_t cap, const char *text);

/* The length in bytes of the UTF-8 character at text (1..4), or 0 when it is none. */
size_t printable_utf8_length(const unsigned char *text, size_t len);

#endif
