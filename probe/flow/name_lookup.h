/*
 * Keeps an address book of services: their hosts are looked up by the system's resolver,
 * one after another, and all of them again each minute. Hosts by suffix ("*.example") are
 * no names that can be looked up.
 */
#ifndef FLOW_NAME_LOOKUP_H
#define FLOW_NAME_LOOKUP_H

#include "address_book.h"
#include "astray/log.h"

struct uv_loop_s;
struct name_lookup;

/* `changed` (may be NULL) is called from the loop when the book has. The services and the
 * book are borrowed for its life. */
int name_lookup_open(struct name_lookup **out, struct uv_loop_s *loop,
	const struct log *log, const struct services *services, struct address_book *book,
	void (*changed)(void *arg), void *arg);
/* `closed` is called from the loop once nothing is left. */
void name_lookup_close(struct name_lookup *lookup, void (*closed)(void *arg), void *arg);

#endif
