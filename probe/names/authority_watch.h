/*
 * Asks a zone's name servers round after round, each of them directly, so that one that
 * was replaced among several shows.
 */
#ifndef NAMES_AUTHORITY_WATCH_H
#define NAMES_AUTHORITY_WATCH_H

#include "astray/log.h"
#include "astray/services.h"
#include "delegation.h"
#include "dns_client.h"
#include "finder.h"

struct uv_loop_s;
struct authority_watch;

struct authority_watch_order {
	struct uv_loop_s *loop;
	const struct log *log;
	struct dns_client *client;
	struct finder *finder;
	const struct services *services;
	const char *zone; /* outlives the watch */
	int64_t interval_us;
	void (*heard)(void *arg, const struct dns_reply *reply);
	/* What an alias among the zone's names leads to. */
	void (*followed)(void *arg, const char *name, const struct dns_reply *reply);
	void *arg;
};

int authority_watch_open(
	struct authority_watch **out, const struct authority_watch_order *order);
/* Whom to ask from now on, beginning at once. Copies. */
void authority_watch_follow(
	struct authority_watch *watch, const struct delegation *delegation);
/* Close the client first. `closed` is called from the loop. NULL is fine, not called
 * back. */
void authority_watch_close(
	struct authority_watch *watch, void (*closed)(void *arg), void *arg);

#endif
