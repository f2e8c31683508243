/*
 * Networks that are announced from many places at once, so that an address of theirs is
 * in no country. Read from a text of lines "PREFIX/BITS OWNER".
 */
#ifndef ASTRAY_ANYCAST_H
#define ASTRAY_ANYCAST_H

#include "astray/address.h"
#include "astray/fault.h"

#define ANYCAST_PREFIXES 1024
#define ANYCAST_OWNER 32

struct anycast;

int anycast_new(struct anycast **out, const char *text, struct fault *fault);
void anycast_free(struct anycast *anycast); /* NULL is fine */
/* The owner of the narrowest that holds it, or NULL. */
const char *anycast_owner(const struct anycast *anycast, const struct address *address);

#endif
