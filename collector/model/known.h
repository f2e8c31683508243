/*
 * A bounded set of things seen before: networks on a path, name servers of a zone, keys
 * of a certificate. It remembers when each was first and last seen, how often, and by
 * which of up to 64 witnesses. When it is full the one unseen for longest gives way. No
 * pointers: copy it with =.
 */
#ifndef ASTRAY_KNOWN_H
#define ASTRAY_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"

struct archive;

#define KNOWN_ITEMS 32

struct known_item {
	uint64_t key;
	uint64_t witnesses; /* bit (number of the witness) % 64 */
	struct moment first, last;
	uint32_t times;
};

struct known {
	uint32_t count;
	uint32_t forgotten; /* gave way to newer ones */
	struct known_item items[KNOWN_ITEMS];
};

struct known_item *known_find(struct known *known, uint64_t key);
/* Adds it or counts it once more; never NULL. */
struct known_item *known_see(
	struct known *known, uint64_t key, struct moment at, unsigned witness);
void known_remove(struct known *known, uint64_t key);
/* Drops what was last seen before that moment. */
void known_forget(struct known *known, struct moment before);

/* A key of text, the same on every machine. */
uint64_t known_key(const char *text);
/* Both ways of a snapshot. */
void known_keep(struct archive *archive, struct known *known);

#endif
