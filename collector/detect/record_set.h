/*
 * The records that say where a service and its mail live, as what does not change every
 * day: an address as the network that it belongs to, a mail exchanger as its name without
 * the preference. Pure.
 */
#ifndef ASTRAY_RECORD_SET_H
#define ASTRAY_RECORD_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"
#include "astray/services.h"

enum record_set { RECORD_SET_NETWORKS, RECORD_SET_MAIL, RECORD_SETS };

/* What one answer says to its set. */
struct record_set_item {
	uint64_t key; /* 0: nothing that counts, an address of no known network */
	char words[OBS_NAME + 32];
};

/* False for a type that belongs to no set. */
bool record_set_of(const char *type, enum record_set *set);
struct record_set_item record_set_read(
	enum record_set set, const struct obs_answer *answer);
bool record_set_is_answered(const struct obs_dns *dns, enum record_set set, uint64_t key);

/* Whether the operator has said what is right, and whether this is. */
bool record_set_has_policy(const struct service *service, enum record_set set);
bool record_set_expects(const struct service *service, enum record_set set,
	const struct record_set_item *item);
/* "AS64501, AS64502 and 2 more" */
void record_set_write_policy(
	const struct service *service, enum record_set set, char *buf, size_t cap);

#endif
