/*
 * The names of addresses by the system's resolver, many asked at once, each address once
 * a day. Who asks is answered from what is known, and told when more is. An address that
 * finds no room has no name, and is counted.
 */
#ifndef TRACE_HOST_NAMES_H
#define TRACE_HOST_NAMES_H

#include <stdbool.h>

#include "astray/address.h"
#include "astray/moment.h"

#define HOST_NAMES_MAX 2048

struct dns_endpoint;
struct uv_loop_s;
struct host_names;

/* resolver NULL: the system's first, whichever it is at the time. more, which may be
 * NULL, is called from the loop whenever an answer has come, or failed to. */
int host_names_open(struct host_names **out, struct uv_loop_s *loop,
	const struct dns_endpoint *resolver, void (*more)(void *arg), void *arg);
/* NULL is fine, and is not called back. */
void host_names_close(struct host_names *names, void (*closed)(void *arg), void *arg);

/* The name, or "" when there is none or none is known yet; *settled says which. Asks when
 * nobody did. The text is valid until the next call. */
const char *host_names_of(struct host_names *names, const struct address *address,
	struct tick now, bool *settled);

/* Addresses that found no room. */
uint64_t host_names_dropped(const struct host_names *names);

#endif
