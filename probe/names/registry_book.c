#include "registry_book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_KEPT_US MOMENT_DAY_US
#define WAIT_MIN_US MOMENT_MINUTE_US
#define WAIT_MAX_US MOMENT_DAY_US

static int64_t bounded(int64_t wait_us)
{
	if (wait_us < WAIT_MIN_US)
		return WAIT_MIN_US;
	return wait_us > WAIT_MAX_US ? WAIT_MAX_US : wait_us;
}

int registry_book_keep_list(
	struct registry_book *book, const char *list, size_t len, struct tick now)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, list, len);
	copy[len] = '\0';
	free(book->list);
	book->list = copy;
	book->list_len = len;
	book->list_due.us = now.us + LIST_KEPT_US;
	return 0;
}

void registry_book_put_off_list(
	struct registry_book *book, int64_t wait_us, struct tick now)
{
	book->list_due.us = now.us + bounded(wait_us);
}

bool registry_book_list_is_due(const struct registry_book *book, struct tick now)
{
	return tick_since_us(now, book->list_due) >= 0;
}

static unsigned place_of(const struct registry_book *book, const char *base)
{
	unsigned place = 0;

	while (place < REGISTRY_BOOK_BASES && strcmp(book->busy[place].base, base) != 0)
		place++;
	return place;
}

int64_t registry_book_leave_alone(
	struct registry_book *book, const char *base, int64_t wait_us, struct tick now)
{
	unsigned place = place_of(book, base);

	if (place == REGISTRY_BOOK_BASES) {
		place = book->oldest;
		book->oldest = (book->oldest + 1) % REGISTRY_BOOK_BASES;
	}
	(void)snprintf(
		book->busy[place].base, sizeof(book->busy[place].base), "%s", base);
	book->busy[place].until.us = now.us + bounded(wait_us);
	return bounded(wait_us);
}

int64_t registry_book_wait_us(
	const struct registry_book *book, const char *base, struct tick now)
{
	unsigned place = place_of(book, base);
	int64_t left_us;

	if (!*base || place == REGISTRY_BOOK_BASES)
		return 0;
	left_us = tick_since_us(book->busy[place].until, now);
	return left_us > 0 ? left_us : 0;
}

void registry_book_free(struct registry_book *book)
{
	free(book->list);
	*book = (struct registry_book){0};
}
