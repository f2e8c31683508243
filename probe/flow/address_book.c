#include "address_book.h"

#include <errno.h>
#include <stdlib.h>

#define ENTRIES 2048
#define MEMORY_US MOMENT_HOUR_US

struct entry {
	unsigned service;
	bool configured; /* for ever */
	struct address address;
	struct moment seen;
};

struct address_book {
	const struct services *services;
	unsigned count;
	uint32_t version;
	uint64_t refused;
	struct entry entries[ENTRIES];
};

static struct entry *find_entry(
	struct address_book *book, unsigned service, const struct address *address)
{
	for (unsigned i = 0; i < book->count; i++)
		if (book->entries[i].service == service &&
			address_equal(&book->entries[i].address, address))
			return &book->entries[i];
	return NULL;
}

static struct entry *add_entry(
	struct address_book *book, unsigned service, const struct address *address)
{
	struct entry *entry;

	if (book->count == ENTRIES) {
		book->refused++;
		return NULL;
	}
	entry = &book->entries[book->count++];
	book->version++;
	*entry = (struct entry){.service = service, .address = *address};
	return entry;
}

static void add_configured(struct address_book *book)
{
	for (unsigned i = 0; i < book->services->count; i++) {
		const struct service *service = &book->services->list[i];

		for (unsigned k = 0; k < service->address_count; k++) {
			struct entry *entry = add_entry(book, i, &service->addresses[k]);

			if (entry)
				entry->configured = true;
		}
	}
}

int address_book_new(struct address_book **out, const struct services *services)
{
	struct address_book *book = calloc(1, sizeof(*book));

	*out = book;
	if (!book)
		return -ENOMEM;
	book->services = services;
	add_configured(book);
	return 0;
}

void address_book_free(struct address_book *book)
{
	free(book);
}

bool address_book_learn(struct address_book *book, unsigned service,
	const struct address *address, struct moment now)
{
	struct entry *entry = find_entry(book, service, address);
	bool is_new = !entry;

	if (!entry)
		entry = add_entry(book, service, address);
	if (entry)
		entry->seen = now;
	return is_new && entry;
}

bool address_book_forget(struct address_book *book, struct moment now)
{
	unsigned kept = 0, count = book->count;

	for (unsigned i = 0; i < count; i++)
		if (book->entries[i].configured ||
			moment_since_us(now, book->entries[i].seen) <= MEMORY_US)
			book->entries[kept++] = book->entries[i];
	book->version += kept < count;
	book->count = kept;
	return kept < count;
}

int address_book_find(
	const struct address_book *book, const struct address *address, uint16_t port)
{
	int found = ADDRESS_BOOK_NOBODY;

	for (unsigned i = 0; i < book->count; i++) {
		const struct entry *entry = &book->entries[i];
		const struct service *service = &book->services->list[entry->service];

		if (!address_equal(&entry->address, address) ||
			(port && !services_has_port(service, port)))
			continue;
		if (found != ADDRESS_BOOK_NOBODY)
			return ADDRESS_BOOK_SHARED;
		found = (int)entry->service;
	}
	return found;
}

unsigned address_book_list(const struct address_book *book, unsigned service,
	struct address *out, unsigned limit)
{
	unsigned count = 0;

	for (unsigned i = 0; i < book->count; i++) {
		if (book->entries[i].service != service)
			continue;
		if (count < limit)
			out[count] = book->entries[i].address;
		count++;
	}
	return count;
}

uint32_t address_book_version(const struct address_book *book)
{
	return book->version;
}

uint64_t address_book_refused(const struct address_book *book)
{
	return book->refused;
}
