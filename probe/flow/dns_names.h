/*
 * What the answers of DNS servers say of addresses: which name this client last asked
 * for and was given that address, for as long as the answer holds (its TTL). It names
 * connections in which no name is to be seen. Of several names with one address the
 * client's latest counts. Fixed memory: a newer pair of client and address takes an older
 * one's row. Pure.
 *
 * With configured services only names of theirs are kept; any other name only makes
 * forget what it has made uncertain.
 */
#ifndef FLOW_DNS_NAMES_H
#define FLOW_DNS_NAMES_H

#include "astray/moment.h"
#include "astray/services.h"

#define DNS_NAMES_LEAST_US \
	(5 * MOMENT_SECOND_US) /* an answer that may not be kept is used at once */
#define DNS_NAMES_MOST_US MOMENT_DAY_US

struct dns_names;

/* The services are borrowed for its life. */
int dns_names_new(struct dns_names **out, const struct services *services, uint64_t seed);
void dns_names_free(struct dns_names *names);

/* The client asked for the name (lower case) and was told the address. */
void dns_names_learn(struct dns_names *names, const struct address *client,
	const struct address *address, const char *name, uint32_t ttl_s,
	struct moment at);
/* The name that the address goes by for this client now, or NULL. */
const char *dns_names_of(const struct dns_names *names, const struct address *client,
	const struct address *address, struct moment now);
/* Whether the client has asked for no other name lately that leads to the same address.
 */
bool dns_names_is_certain(const struct dns_names *names, const struct address *client,
	const struct address *address, struct moment now);
/* How often a row was taken whose answer still held. */
uint64_t dns_names_displaced(const struct dns_names *names);

#endif
