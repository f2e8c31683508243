#include "service_naming.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/wire.h"

#define LEARNED 1024 /* a power of two; a newer server takes an older one's row */
#define LEARNED_MIXED INT16_MIN

struct learned {
	struct address server; /* family 0: empty */
	uint16_t port;
	int16_t service; /* LEARNED_MIXED: connections there do not agree */
};

struct service_naming {
	const struct services *services;
	struct windows *windows;
	const struct dns_names *names;
	struct learned learned[LEARNED];
};

int service_naming_new(struct service_naming **out, const struct services *services,
	struct windows *windows, const struct dns_names *names)
{
	struct service_naming *naming = calloc(1, sizeof(*naming));

	*out = naming;
	if (!naming)
		return -ENOMEM;
	naming->services = services;
	naming->windows = windows;
	naming->names = names;
	return 0;
}

void service_naming_free(struct service_naming *naming)
{
	free(naming);
}

static struct learned *learned_row(
	struct service_naming *naming, const struct address *server, uint16_t port)
{
	return &naming->learned[address_hash(server, port) % LEARNED];
}

static bool is_about(
	const struct learned *row, const struct address *server, uint16_t port)
{
	return row->port == port && address_equal(&row->server, server);
}

static void learn(struct service_naming *naming, const struct address *server,
	uint16_t port, int service)
{
	struct learned *row = learned_row(naming, server, port);

	if (!is_about(row, server, port))
		*row = (struct learned){*server, port, (int16_t)service};
	else if (row->service != service)
		row->service = LEARNED_MIXED;
}

/* Without the trailing dot and in lower case; false when no service can be called that.
 */
static bool clean_host(char clean[static OBS_NAME], const char *host, size_t len)
{
	while (len > 0 && host[len - 1] == '.')
		len--;
	if (len == 0 || len >= OBS_NAME)
		return false;
	for (size_t i = 0; i < len; i++)
		clean[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] | 0x20
								   : host[i]);
	clean[len] = 0;
	return strlen(clean) == len && wire_service_is_valid(clean);
}

static int number_of(const struct service_naming *naming, const struct service *service)
{
	return (int)(service - naming->services->list);
}

static const struct service *configured_host(
	const struct service_naming *naming, const char *host, uint16_t port)
{
	const struct service *service =
		host ? services_by_host(naming->services, host) : NULL;

	return service && services_has_port(service, port) ? service : NULL;
}

static uint16_t asked_port(const struct service_naming_ends *ends)
{
	return ends->asked_port ? ends->asked_port : ends->port;
}

static int own_service(struct service_naming *naming, const char *host,
	const struct service_naming_ends *ends)
{
	char address[ADDRESS_TEXT], name[ADDRESS_TEXT + 8];
	int number;

	(void)address_text(ends->server, address);
	(void)snprintf(name, sizeof(name),
		ends->server->family == 6 ? "[%s]:%u" : "%s:%u", address,
		(unsigned)ends->port);
	number = windows_service(naming->windows, host ? host : name);
	return number < 0 ? SERVICE_NAMING_OTHER : number;
}

/* Where the host tells no service, it may still be known by its address. */
static int by_address(const struct service_naming *naming, bool named,
	const struct service_naming_ends *ends, enum obs_naming *by)
{
	const struct service *service =
		services_by_address(naming->services, ends->server, ends->port);
	const struct learned *row =
		&naming->learned[address_hash(ends->server, ends->port) % LEARNED];

	*by = OBS_BY_ADDRESS;
	if (service)
		return number_of(naming, service);
	if (named || !is_about(row, ends->server, ends->port) ||
		row->service == LEARNED_MIXED)
		return SERVICE_NAMING_OTHER;
	*by = OBS_BY_OTHERS;
	return row->service;
}

static bool is_trusted(const struct service_naming *naming,
	const struct exchange_host *host, const char *clean,
	const struct service_naming_ends *ends)
{
	struct address address;

	/* An address in letters is a name only where it was configured as one. */
	if (address_parse(&address, clean) == 0)
		return configured_host(naming, clean, asked_port(ends));
	/* A server of many names shows the certificate of one: only one that is watched
	 * says something. */
	if (host->by == OBS_BY_CERTIFICATE && naming->services->count > 0)
		return configured_host(naming, clean, asked_port(ends));
	/* Browsers send what looks like a secret name also where there is none. */
	if (host->outer && !configured_host(naming, clean, asked_port(ends)))
		return !dns_names_is_certain(
			naming->names, ends->client, ends->server, ends->at);
	return true;
}

int service_naming_find(struct service_naming *naming,
	const struct service_naming_ends *ends, const struct exchange_host *host,
	enum obs_naming *by)
{
	const struct service *service;
	char clean[OBS_NAME];
	bool named = host->name && clean_host(clean, host->name, host->len) &&
		     is_trusted(naming, host, clean, ends);
	const char *name = clean;
	int number;

	*by = host->by;
	if (!named) {
		name = dns_names_of(naming->names, ends->client, ends->server, ends->at);
		*by = name ? OBS_BY_DNS : OBS_BY_ADDRESS;
	}
	if (naming->services->count == 0)
		return own_service(naming, name, ends);
	service = configured_host(naming, name, asked_port(ends));
	number = service ? number_of(naming, service)
			 : by_address(naming, named, ends, by);
	if (named && !ends->asked_port)
		learn(naming, ends->server, ends->port, number);
	return number;
}

bool service_naming_is_watched_port(const struct service_naming *naming, uint16_t port)
{
	for (size_t i = 0; i < naming->services->count; i++)
		if (services_has_port(&naming->services->list[i], port))
			return true;
	return false;
}
