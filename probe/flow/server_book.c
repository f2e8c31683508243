#include "server_book.h"

#include <errno.h>
#include <stdlib.h>

#define ROWS 4096 /* of four bytes */

struct server_book {
	uint64_t seed;
	uint32_t tags[ROWS]; /* 0: empty */
};

int server_book_new(struct server_book **out, uint64_t seed)
{
	struct server_book *book = calloc(1, sizeof(*book));

	*out = book;
	if (!book)
		return -ENOMEM;
	book->seed = seed;
	return 0;
}

void server_book_free(struct server_book *book)
{
	free(book);
}

static uint64_t hash_of(
	const struct server_book *book, const struct address *address, uint16_t port)
{
	return address_hash(address, book->seed ^ (uint64_t)port << 32);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

void server_book_note(
	struct server_book *book, const struct address *address, uint16_t port)
{
	uint64_t hash = hash_of(book, address, port);

	book->tags[hash % ROWS] = tag_of(hash);
}

bool server_book_knows(
	const struct server_book *book, const struct address *address, uint16_t port)
{
	uint64_t hash = hash_of(book, address, port);

	return book->tags[hash % ROWS] == tag_of(hash);
}
