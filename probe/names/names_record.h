/*
 * Answers as observations. Pure but for the look into the databases of places.
 */
#ifndef NAMES_NAMES_RECORD_H
#define NAMES_NAMES_RECORD_H

#include "delegation.h"
#include "dns_client.h"

struct geo;

/* What one server says to one question; also that nobody answered (rcode TIMEOUT), or
 * nothing that can be read (MALFORMED). A name that is an alias is followed inside the
 * answer. */
void names_record_reply(struct obs *obs, const struct dns_reply *reply,
	const char *service, enum obs_dns_role role, const struct geo *geo);
/* What the servers of the name that an alias stands for say, as the answer to the alias.
 */
void names_record_followed(struct obs *obs, const struct dns_reply *reply,
	const char *service, const char *alias, const struct geo *geo);
/* False when the name is no alias; else *obs is the answer's CNAME, an observation of its
 * own. */
bool names_record_alias(struct obs *obs, const struct dns_reply *reply,
	const char *service, enum obs_dns_role role);

/* The observations that a word on a delegation makes: NS first, then DS when it was told,
 * then the glue of each host. Fills number `index` from 0; false beyond the last. A
 * server that does not know the zone has rcode LAME: its empty answer is no delegation
 * that is gone. */
bool names_record_word(struct obs *obs, const struct delegation_word *word,
	const char *zone, const char *service, unsigned index, const struct geo *geo);

#endif
