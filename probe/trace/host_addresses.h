/*
 * The addresses of a host by the system's own resolver, on a libuv loop. An address given
 * as text stands for itself.
 */
#ifndef TRACE_HOST_ADDRESSES_H
#define TRACE_HOST_ADDRESSES_H

#include <stdint.h>

#include "astray/address.h"

#define HOST_ADDRESSES_MAX 16

struct uv_loop_s;

/* rc 0 and at least one address, in the system's order of preference; or negative. */
typedef void (*host_addresses_fn)(
	void *arg, int rc, const struct address *addresses, unsigned count);

/* family: 4, 6, or 0 for both. Calls done exactly once, from the loop, unless it fails.
 */
int host_addresses_find(struct uv_loop_s *loop, const char *host, uint8_t family,
	host_addresses_fn done, void *arg);

#endif
