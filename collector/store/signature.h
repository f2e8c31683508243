/*
 * What makes one look at something the same as the last one: a short text that leaves out
 * what varies by itself (order, TTL, which of a pool's addresses). Pure.
 */
#ifndef ASTRAY_SIGNATURE_H
#define ASTRAY_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

#include "astray/obs.h"

#define SIGNATURE_MAX 1024
struct signature {
	char text[SIGNATURE_MAX];
	/* Hops that did not answer, and whether the end was not reached: how much of a
	 * path this look could not see. 0 for everything else. */
	int hidden;
};

/* Elements in alphabetical order, each once: "JP/64496 NL/16509". */
void signature_of_trace(struct signature *out, const struct obs_trace *trace);
/* False where the answer says nothing about the name (a server's failure, silence, no
 * records). */
bool signature_of_dns(struct signature *out, const struct obs_dns *dns);
void signature_of_registry(struct signature *out, const struct obs_registry *registry);
void signature_of_certificate(
	struct signature *out, const struct obs_certificate *certificate);
void signature_of_check(struct signature *out, const struct obs_check *check);

/* Every element of `part` stands in `whole`. */
bool signature_within(const char *part, const char *whole);

#endif
