/*
 * The addresses of hosts by the system's own resolver, on a libuv loop. It blocks for as
 * long as it likes, so that it is asked by threads; nobody waits for these when they are
 * no longer wanted. An address given as text stands for itself.
 */
#ifndef TRACE_HOST_ADDRESSES_H
#define TRACE_HOST_ADDRESSES_H

#include <stdint.h>

#include "astray/address.h"

#define HOST_ADDRESSES_MAX 16

struct uv_loop_s;
struct host_addresses;

/* rc 0 and at least one address, in the system's order of preference; or negative. */
typedef void (*host_addresses_fn)(
	void *arg, int rc, const struct address *addresses, unsigned count);

int host_addresses_open(struct host_addresses **out, struct uv_loop_s *loop);
/* What was asked is not answered any more. closed (may be NULL) is called from the loop.
 */
void host_addresses_close(
	struct host_addresses *hosts, void (*closed)(void *arg), void *arg);

/* family: 4, 6, or 0 for both. Calls done once, from the loop, unless it fails. */
int host_addresses_find(struct host_addresses *hosts, const char *host, uint8_t family,
	host_addresses_fn done, void *arg);

#endif
