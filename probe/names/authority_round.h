/*
 * Asks every name server of a zone the same questions, on every address that it has: the
 * servers that the zone above names, at the addresses that it gives (glue) and at those
 * they have themselves, and the servers that the zone itself names.
 */
#ifndef NAMES_AUTHORITY_ROUND_H
#define NAMES_AUTHORITY_ROUND_H

#include "delegation.h"
#include "dns_client.h"
#include "finder.h"

#define AUTHORITY_ROUND_QUESTIONS 96
#define AUTHORITY_ROUND_HOSTS 32
#define AUTHORITY_ROUND_ADDRESSES 64

struct authority_question {
	char name[OBS_NAME];
	uint16_t type;
};

struct authority_round_order {
	struct dns_client *client;
	struct finder *finder;
	char zone[OBS_NAME];
	const struct delegation
		*delegation;     /* what the zone above says; used during the call */
	unsigned question_count; /* one of them is NS of the zone, or its servers are not
				    asked */
	struct authority_question questions[AUTHORITY_ROUND_QUESTIONS];
	void (*heard)(void *arg, const struct dns_reply *reply);
	/* What an alias leads to; NULL: aliases are not followed. */
	void (*followed)(void *arg, const char *name, const struct dns_reply *reply);
	/* A name server whose address cannot be found; may be NULL. */
	void (*lost)(void *arg, const char *host);
	void (*done)(void *arg); /* once, also when the client was closed */
	void *arg;
};

void authority_round_ask(
	struct authority_round_order *order, const char *name, enum dns_type type);
/* Copies the order. done is called exactly once, perhaps during the call, unless this
 * fails. */
int authority_round_start(const struct authority_round_order *order);

#endif
