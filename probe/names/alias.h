/*
 * Aliases (CNAME) inside one answer. Pure.
 */
#ifndef NAMES_ALIAS_H
#define NAMES_ALIAS_H

#include <stdint.h>

#include "astray/dns_message.h"

#define ALIAS_LINKS 8 /* followed in a row; longer chains are somebody's game */

/* The alias record of that name, or NULL. */
const struct dns_record *alias_find(const struct dns_message *message, const char *name);
/* Where the answer leads to: the name itself when it is no alias. */
const char *alias_end(const struct dns_message *message, const char *name);
/* Where it leads to when the records of that type are not in it, too: another zone's
 * servers have them. NULL when they are, or when there is no alias. */
const char *alias_open_end(
	const struct dns_message *message, const char *name, uint16_t type);

#endif
