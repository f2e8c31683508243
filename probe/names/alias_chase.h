/*
 * Where an alias leads: asks the servers of the name that it stands for, found from the
 * root, and those of the next name where that is an alias, too. So what a resolver makes
 * of an alias can be compared with what its owner says.
 */
#ifndef NAMES_ALIAS_CHASE_H
#define NAMES_ALIAS_CHASE_H

#include "dns_client.h"
#include "finder.h"

struct alias_chase_order {
	struct finder *finder;
	char name[OBS_NAME];   /* the alias */
	char target[OBS_NAME]; /* what it stands for */
	uint16_t type;
	/* The last answer, of one server that speaks for the end of the chain. Its
	 * question is of another name than the alias; it may have no records. */
	void (*heard)(void *arg, const char *name, const struct dns_reply *reply);
	/* Once, perhaps during the call, and perhaps without anything heard; `cancelled`:
	 * the client was closed. */
	void (*done)(void *arg, bool cancelled);
	void *arg;
};

/* Copies the order. done is called exactly once, unless this fails. */
int alias_chase(const struct alias_chase_order *order);

#endif
