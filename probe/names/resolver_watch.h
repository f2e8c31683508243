/*
 * What this machine's resolver makes of the services' names: A and AAAA of their hosts,
 * MX of their zones, once a round. Never NS: that question alone can keep a stolen
 * delegation alive in a resolver's cache.
 */
#ifndef NAMES_RESOLVER_WATCH_H
#define NAMES_RESOLVER_WATCH_H

#include "astray/log.h"
#include "astray/services.h"
#include "dns_client.h"

struct uv_loop_s;
struct resolver_watch;

struct resolver_watch_order {
	struct uv_loop_s *loop;
	const struct log *log;
	struct dns_client *client;
	const struct services *services;
	int64_t interval_us;
	unsigned resolver_count; /* 0: those of resolv.conf, read anew each round */
	struct dns_endpoint resolvers[DNS_CLIENT_RESOLVERS];
	void (*heard)(
		void *arg, const struct service *service, const struct dns_reply *reply);
	void *arg;
};

int resolver_watch_open(
	struct resolver_watch **out, const struct resolver_watch_order *order);
/* Close the client first. `closed` is called from the loop. NULL is fine, not called
 * back. */
void resolver_watch_close(
	struct resolver_watch *watch, void (*closed)(void *arg), void *arg);

#endif
