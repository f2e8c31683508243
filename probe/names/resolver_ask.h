/*
 * One question as programs ask it: of the first resolver, and of the next one while
 * nobody answers. Every one's answer or silence is told.
 */
#ifndef NAMES_RESOLVER_ASK_H
#define NAMES_RESOLVER_ASK_H

#include "dns_client.h"

struct resolver_ask_order {
	struct dns_client *client;
	char name[OBS_NAME];
	uint16_t type;
	unsigned resolver_count;
	struct dns_endpoint resolvers[DNS_CLIENT_RESOLVERS];
	dns_client_done_fn heard; /* for each that was asked */
	void (*done)(void *arg);  /* once, after the last; may be NULL */
	void *arg;
};

/* Copies the order. done is called exactly once, from the loop, unless this fails. */
int resolver_ask(const struct resolver_ask_order *order);

#endif
