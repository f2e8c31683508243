/*
 * Asks registries of domains (RDAP over HTTPS). Which registry is in charge is told by
 * IANA's list (its bootstrap file), kept for a day, unless one is configured. A registry
 * that says "not now" is left alone for as long as it says.
 */
#ifndef NAMES_REGISTRY_CLIENT_H
#define NAMES_REGISTRY_CLIENT_H

#include "astray/fault.h"
#include "astray/log.h"
#include "astray/obs.h"

struct uv_loop_s;
struct registry_client;

/* rc 0 and the registry observation; or negative with the fault saying why: STATUS_LATER
 * and wait_us when the registry wants to be left alone. -ECANCELED: the client was
 * closed. */
typedef void (*registry_client_fn)(void *arg, int rc, const struct obs *obs,
	int64_t wait_us, const struct fault *fault);

/* `base`: the registry's base URL; NULL or "": the one in the list of registries at
 * `bootstrap`; NULL or "": IANA's. Copied. */
int registry_client_open(struct registry_client **out, struct uv_loop_s *loop,
	const char *base, const char *bootstrap);
/* Calls done exactly once, perhaps during the call, unless this fails. */
int registry_client_ask(struct registry_client *client, const char *domain,
	registry_client_fn done, void *arg);
/* Ends what is under way with -ECANCELED. NULL is fine. */
void registry_client_close(struct registry_client *client);

#endif
