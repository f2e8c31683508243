/*
 * What is remembered of registries: the list that says which one is in charge (IANA's
 * bootstrap file, fetched again once a day; until that succeeds the old one holds), and
 * who wants to be left alone, and until when. Bounded: of more than sixteen who do, the
 * one that said so first is forgotten. Pure.
 */
#ifndef NAMES_REGISTRY_BOOK_H
#define NAMES_REGISTRY_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/moment.h"
#include "astray/obs.h"

#define REGISTRY_BOOK_BASES 16

struct registry_book {
	char *list; /* NULL: there is none yet */
	size_t list_len;
	struct tick list_due; /* to be fetched again from then on */
	struct {
		char base[OBS_TEXT];
		struct tick until;
	} busy[REGISTRY_BOOK_BASES];
	unsigned oldest; /* of these, to be replaced next */
};

/* Copies. -ENOMEM leaves the old one. */
int registry_book_keep_list(
	struct registry_book *book, const char *list, size_t len, struct tick now);
/* It could not be fetched: not before that. */
void registry_book_put_off_list(
	struct registry_book *book, int64_t wait_us, struct tick now);
bool registry_book_list_is_due(const struct registry_book *book, struct tick now);

/* "Not now", and for how long: at least a minute, at most a day. Returns that. */
int64_t registry_book_leave_alone(
	struct registry_book *book, const char *base, int64_t wait_us, struct tick now);
/* How long it is still to be left alone; 0: ask. */
int64_t registry_book_wait_us(
	const struct registry_book *book, const char *base, struct tick now);

void registry_book_free(struct registry_book *book); /* what it holds */

#endif
