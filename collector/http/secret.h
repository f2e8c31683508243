/*
 * Secrets that are told from wrong guesses without saying how wrong they are: only
 * digests are kept and compared, in time that does not depend on them.
 */
#ifndef ASTRAY_SECRET_H
#define ASTRAY_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"

#define SECRET_TEXT 257

struct secret {
	uint8_t sha256[32];
};

int secret_of(struct secret *out, const char *text);
/* The first line of a file, without the spaces around it; at least 16 characters. */
int secret_read_file(struct secret *out, const char *file, struct fault *fault);
bool secret_equal(const struct secret *a, const struct secret *b);
bool secret_matches(const struct secret *secret, const char *text);
/* The token of "Bearer TOKEN", or NULL; header may be NULL. */
const char *secret_bearer(const char *header);
/* A new random token of 43 characters. */
int secret_make(char text[static SECRET_TEXT]);

#endif
