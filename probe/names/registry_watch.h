/*
 * Asks the registries of the zones and of their name servers' own domains: the former
 * each quarter of an hour, the latter a few times a day, and at once when a delegation
 * changed. One question at a time.
 */
#ifndef NAMES_REGISTRY_WATCH_H
#define NAMES_REGISTRY_WATCH_H

#include "astray/log.h"
#include "astray/obs.h"

#define REGISTRY_WATCH_DOMAINS 256

struct uv_loop_s;
struct registry_watch;

struct registry_watch_order {
	struct uv_loop_s *loop;
	const struct log *log;
	const char *base, *bootstrap; /* as of registry_client_open */
	int64_t interval_us; /* of zones; servers' domains are asked for much more rarely
			      */
	void (*heard)(void *arg, const struct obs *obs);
	void *arg;
};

int registry_watch_open(
	struct registry_watch **out, const struct registry_watch_order *order);
/* Watches the domain that the name stands in from now on. `zone`: it is one that services
 * stand in. What finds no room is left out, and that is logged. */
void registry_watch_follow(struct registry_watch *watch, const char *name, bool zone);
/* Asks for it at once, or twenty seconds after the last time. */
void registry_watch_hurry(struct registry_watch *watch, const char *name);
/* `closed` is called from the loop. NULL is fine, not called back. */
void registry_watch_close(
	struct registry_watch *watch, void (*closed)(void *arg), void *arg);

#endif
