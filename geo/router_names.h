/*
 * Where a router stands by what its name says: carriers write a code of the site into it.
 * Data decides, not code: rules (whose names, where the token stands, in which table it
 * is found) and places, read from text. The owner of a name can write what he likes, so a
 * name counts only for addresses of the networks that its rule lists.
 */
#ifndef ASTRAY_ROUTER_NAMES_H
#define ASTRAY_ROUTER_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/fault.h"
#include "astray/place.h"

struct router_names;

/* Every rule's own example must lead to the place that it names. */
int router_names_new(struct router_names **out, const char *places, const char *rules,
	struct fault *fault);
void router_names_free(struct router_names *names); /* NULL is fine */

/* Sets country, city, coordinates and source of *out, and leaves the rest; false (and
 * *out as it was) when the name says nothing, or is not to be believed of this network.
 * asn 0: nobody knows the network. */
bool router_names_place(const struct router_names *names, const char *name, uint32_t asn,
	struct place *out);

#endif
