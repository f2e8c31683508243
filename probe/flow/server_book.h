/*
 * Addresses and ports that have answered connections, to know who is the server of one
 * whose beginning was not seen. Fixed memory: a newer server takes an older one's row.
 * Pure.
 */
#ifndef FLOW_SERVER_BOOK_H
#define FLOW_SERVER_BOOK_H

#include <stdbool.h>

#include "astray/address.h"

struct server_book;

int server_book_new(struct server_book **out, uint64_t seed);
void server_book_free(struct server_book *book);

void server_book_note(
	struct server_book *book, const struct address *address, uint16_t port);
bool server_book_knows(
	const struct server_book *book, const struct address *address, uint16_t port);

#endif
