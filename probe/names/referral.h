/*
 * What an authority's answer means to one who looks for a name: a step down, an end, or
 * nothing that can be believed. Records outside what the server speaks for do not count.
 * Pure.
 */
#ifndef NAMES_REFERRAL_H
#define NAMES_REFERRAL_H

#include "astray/dns_message.h"
#include "zone_cut.h"

enum referral {
	REFERRAL_DOWN,    /* ask the servers of *out, a zone nearer to the name */
	REFERRAL_ANSWER,  /* with authority: the records are here */
	REFERRAL_NO_DATA, /* with authority: the name has none of that type */
	REFERRAL_NO_NAME, /* with authority: there is no such name */
	REFERRAL_FAILED,  /* SERVFAIL, REFUSED and the like */
	REFERRAL_LAME, /* the server does not speak for the zone that it was asked for */
};

/* `zone`: what the server that was asked is said to serve; a step down is only one below
 * it. The message must be the answer to (name, type). Glue counts inside the zone that is
 * delegated, and from the root. */
enum referral referral_read(struct zone_cut *out, const struct dns_message *message,
	const char *zone, const char *name, uint16_t type);

#endif
