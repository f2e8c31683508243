/*
 * Which service an address belongs to: those that are configured, and those that its
 * hosts' names led to lately. An address that several services share on one port says
 * nothing of which is meant. Pure; bounded.
 */
#ifndef FLOW_ADDRESS_BOOK_H
#define FLOW_ADDRESS_BOOK_H

#include "astray/moment.h"
#include "astray/services.h"

struct address_book;

#define ADDRESS_BOOK_NOBODY (-1)
#define ADDRESS_BOOK_SHARED (-2)

/* The services are borrowed for its life, and are known by their places in the list. */
int address_book_new(struct address_book **out, const struct services *services);
void address_book_free(struct address_book *book);

/* A name of the service leads there now. True when that was not known. */
bool address_book_learn(struct address_book *book, unsigned service,
	const struct address *address, struct moment now);
/* Names have not led there for a while: some services spread over many addresses, in
 * turn. True when there were such. */
bool address_book_forget(struct address_book *book, struct moment now);

/* port 0: not known. */
int address_book_find(
	const struct address_book *book, const struct address *address, uint16_t port);

/* The addresses of a service, at most `limit`; returns how many it has. */
unsigned address_book_list(const struct address_book *book, unsigned service,
	struct address *out, unsigned limit);
/* Another number when something may be found that was not before. */
uint32_t address_book_version(const struct address_book *book);
/* Addresses that did not find room. */
uint64_t address_book_refused(const struct address_book *book);

#endif
