/*
 * The services that are watched, and what is expected of them: the services file of the
 * wire contract. Read by the collector (configuration), by probes (assignment) and by
 * one-shot commands. The list is a value without owners; a collector of 1,000 services
 * holds a few MB.
 */
#ifndef ASTRAY_SERVICES_H
#define ASTRAY_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/json.h"
#include "astray/obs.h"

#define SERVICES_MAX 1024
#define SERVICE_HOSTS 32
#define SERVICE_PORTS 16
#define SERVICE_EXPECT 32
#define SERVICE_ADDRESSES 32

/* Policy: what is named is right, anything else a violation at once. A count of 0 with
 * the matching `…_given` false means no policy. */
struct service_expect {
	bool countries_given, asns_given, name_servers_given, mail_given, issuers_given;
	unsigned country_count, asn_count, name_server_count, mail_count, issuer_count;
	char countries[SERVICE_EXPECT][3];
	uint32_t asns[SERVICE_EXPECT];
	char name_servers[SERVICE_EXPECT][OBS_NAME]; /* lower case, no trailing dot */
	char mail[SERVICE_EXPECT][OBS_NAME];
	char issuers[SERVICE_EXPECT][OBS_NAME];
};

struct service {
	char name[OBS_NAME];
	unsigned host_count, port_count, address_count;
	char hosts[SERVICE_HOSTS][OBS_NAME];         /* exact, or "*." and a suffix */
	uint16_t ports[SERVICE_PORTS];               /* none given: 443 */
	struct address addresses[SERVICE_ADDRESSES]; /* optional "addresses": named by
							address and port */
	char url[OBS_TEXT];                          /* "" : not checked */
	char zone[OBS_NAME];                         /* "" : names not watched */
	struct service_expect expect;
	double false_pages; /* in a hundred weeks; 0: as the collector's judgement says */
};

struct services {
	size_t count;
	struct service *list;
};

/* Reads the value of "services" (an array) out of a document; strict, with faults by file
 * and line. The caller frees with services_free. */
int services_read(struct services *out, const struct json_doc *doc,
	const struct json *array, struct fault *fault);
/* A whole file {"services":[…]} with // comments. */
int services_read_file(struct services *out, const char *path, struct fault *fault);
void services_free(struct services *services);

/* Adds {"services":[…]} to a JSON object, in the same form that is read. */
void services_write(const struct services *services, struct json *into);

const struct service *services_find(const struct services *services, const char *name);
/* The service that a host name belongs to: exact names win over "*." suffixes, longer
 * suffixes over shorter; "*.example" does not match "example" itself. Case does not
 * matter. */
const struct service *services_by_host(const struct services *services, const char *host);
/* The service configured for this address and port, or NULL. */
const struct service *services_by_address(
	const struct services *services, const struct address *address, uint16_t port);
bool services_has_port(const struct service *service, uint16_t port);
/* Whether its addresses can be known by asking: it has some, or a host that is no suffix. */
bool services_can_be_found(const struct service *service);

#endif
