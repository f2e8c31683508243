#include "walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "astray/status.h"
#include "dns_name.h"

static void stand_at(struct walk *walk, const struct zone_cut *cut, unsigned seed)
{
	walk->cut = *cut;
	walk->tried = 0;
	walk->next = seed;
	memset(walk->asked_for, 0, sizeof(walk->asked_for));
}

void walk_begin(struct walk *walk, enum walk_goal goal, const char *name, uint16_t type,
	const struct zone_cut *from, unsigned seed)
{
	*walk = (struct walk){.goal = goal, .type = type, .rc = STATUS_REFUSED};
	(void)snprintf(walk->name, sizeof(walk->name), "%s", name);
	stand_at(walk, from, seed);
}

static const char *host_to_find(struct walk *walk)
{
	for (unsigned i = 0; i < walk->cut.host_count; i++)
		if (!walk->asked_for[i] && !zone_cut_host_is_known(&walk->cut, i))
			return walk->cut.hosts[i];
	return NULL;
}

static enum walk_want end(struct walk *walk, int rc)
{
	if (!walk->ended)
		walk->rc = rc;
	walk->ended = true;
	return WALK_ENDS;
}

enum walk_want walk_next(struct walk *walk, struct address *address, const char **host)
{
	if (walk->ended) {
		/* A parent is found with all its servers, so that one can turn to each.
		 */
		if (walk->found && walk->goal == WALK_PARENT)
			*host = host_to_find(walk);
		else
			*host = NULL;
		return *host ? WALK_FIND : WALK_ENDS;
	}
	if (walk->questions == WALK_QUESTIONS)
		return end(walk, STATUS_LIMIT);
	if (walk->tried < walk->cut.address_count) {
		*address = walk->cut
				   .addresses[(walk->next + walk->tried) %
					      walk->cut.address_count]
				   .address;
		return WALK_ASK;
	}
	*host = host_to_find(walk);
	return *host ? WALK_FIND : end(walk, walk->rc);
}

static void found(struct walk *walk)
{
	walk->found = true;
	(void)end(walk, 0);
}

bool walk_answered(struct walk *walk, int rc, const struct dns_message *message)
{
	struct zone_cut below;

	walk->questions++;
	walk->tried++;
	if (rc) {
		walk->rc = rc;
		return false;
	}
	switch (referral_read(&below, message, walk->cut.zone, walk->name, walk->type)) {
	case REFERRAL_ANSWER:
	case REFERRAL_NO_DATA:
	case REFERRAL_NO_NAME:
		found(walk);
		return false;
	case REFERRAL_DOWN:
		if (walk->goal == WALK_PARENT && strcmp(below.zone, walk->name) == 0) {
			found(walk);
			return false;
		}
		stand_at(walk, &below, walk->next);
		return true;
	case REFERRAL_FAILED:
	case REFERRAL_LAME:
		break;
	}
	walk->rc = STATUS_REFUSED;
	return false;
}

void walk_host_found(struct walk *walk, const char *host, const struct address *addresses,
	unsigned count)
{
	for (unsigned i = 0; i < walk->cut.host_count; i++)
		if (strcmp(walk->cut.hosts[i], host) == 0)
			walk->asked_for[i] = true;
	for (unsigned i = 0; i < count; i++)
		zone_cut_add_address(&walk->cut, host, &addresses[i]);
}
