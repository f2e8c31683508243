/*
 * Which service a connection belongs to. The host that the client asks for (TLS server
 * name, HTTP Host) decides; where it asks for none, the name in the server's certificate,
 * if it is a watched one; then the name for which this client was
 * given that address by a DNS server, while it holds; then the configured address and
 * port; where none of these says, what other connections to the same address and port
 * turned out to be, if they agree. A name that may stand for another, which was asked for
 * in secret (ECH), gives way to the name that the client had asked DNS for, unless it is
 * itself watched. Through a proxy the port is the one that the proxy is asked for.
 * Without configured services every host, or
 * "address:port", is a service of its own. Pure.
 */
#ifndef FLOW_SERVICE_NAMING_H
#define FLOW_SERVICE_NAMING_H

#include "astray/services.h"
#include "dns_names.h"
#include "exchange.h"
#include "windows.h"

#define SERVICE_NAMING_UNKNOWN (-1)
#define SERVICE_NAMING_OTHER (-2) /* none of those that are watched */

struct service_naming;

struct service_naming_ends {
	const struct address *client, *server;
	uint16_t port;       /* the server's */
	uint16_t asked_port; /* where a proxy is asked to go; 0: it is no proxy */
	struct moment at;
};

/* All are borrowed for its life. */
int service_naming_new(struct service_naming **out, const struct services *services,
	struct windows *windows, const struct dns_names *names);
void service_naming_free(struct service_naming *naming);

/* The service's number, or SERVICE_NAMING_OTHER. An address in letters is a host
 * only where it was configured as one. *by:
 * what told the service. */
int service_naming_find(struct service_naming *naming,
	const struct service_naming_ends *ends, const struct exchange_host *host,
	enum obs_naming *by);
/* Whether this port is one that a watched service listens on. */
bool service_naming_is_watched_port(const struct service_naming *naming, uint16_t port);

#endif
