/*
 * Which service a connection belongs to. The host that the client asks for (TLS server
 * name, HTTP Host) decides; where it asks for none, the configured address and port;
 * where neither says, what other connections to the same address and port turned out to
 * be, if they agree. Without configured services every host, or "address:port", is a
 * service of its own. Pure.
 */
#ifndef FLOW_NAMING_H
#define FLOW_NAMING_H

#include "astray/services.h"
#include "windows.h"

#define NAMING_UNKNOWN (-1)
#define NAMING_OTHER (-2) /* none of those that are watched */

struct naming;

/* Both are borrowed for its life. */
int naming_new(
	struct naming **out, const struct services *services, struct windows *windows);
void naming_free(struct naming *naming);

/* The service's number, or NAMING_OTHER. host NULL or empty: none was asked for. */
int naming_find(struct naming *naming, const char *host, size_t len,
	const struct address *server, uint16_t port);
/* Whether this port is one that a watched service listens on. */
bool naming_is_watched_port(const struct naming *naming, uint16_t port);

#endif
