/*
 * One question to one of the parent's servers: what do you say of this zone? NS without
 * recursion, with the DO bit, so that DS or the proof of its absence comes along.
 */
#ifndef NAMES_PARENT_ASK_H
#define NAMES_PARENT_ASK_H

#include "delegation.h"
#include "dns_client.h"

struct parent_ask_order {
	struct dns_client *client;
	char zone[OBS_NAME];
	struct dns_endpoint server;
	bool tcp;
	bool want_ds; /* ask for DS, too, when the first answer does not tell */
};

typedef void (*parent_ask_fn)(void *arg, const struct delegation_word *word);

/* Copies the order; done is called exactly once, from the loop, unless this fails. A word
 * with rc -ECANCELED: the client was closed. */
int parent_ask(const struct parent_ask_order *order, parent_ask_fn done, void *arg);

#endif
