/*
 * Tells when this machine joined another network: the address that it speaks from is
 * another, or its default route went and came back. Addresses are compared here and go
 * nowhere. Of an IPv6 address only the network's half counts, because the other half
 * changes daily by itself.
 */
#ifndef ASTRAY_NETWORK_WATCH_H
#define ASTRAY_NETWORK_WATCH_H

#include "astray/fault.h"
#include "astray/log.h"

struct uv_loop_s;
struct network_watch;

int network_watch_open(struct network_watch **out, struct uv_loop_s *loop,
	void (*joined)(void *arg), void *arg, struct fault *fault);
/* `closed` is called from the loop once nothing is left. */
void network_watch_close(
	struct network_watch *watch, void (*closed)(void *arg), void *arg);

#endif
