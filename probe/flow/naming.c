#include "naming.h"

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

struct naming {
	const struct services *services;
	struct windows *windows;
	struct learned learned[LEARNED];
};

int naming_new(
	struct naming **out, const struct services *services, struct windows *windows)
{
	struct naming *naming = calloc(1, sizeof(*naming));

	*out = naming;
	if (!naming)
		return -ENOMEM;
	naming->services = services;
	naming->windows = windows;
	return 0;
}

void naming_free(struct naming *naming)
{
	free(naming);
}

static struct learned *learned_row(
	struct naming *naming, const struct address *server, uint16_t port)
{
	return &naming->learned[address_hash(server, port) % LEARNED];
}

static bool is_about(
	const struct learned *row, const struct address *server, uint16_t port)
{
	return row->port == port && address_equal(&row->server, server);
}

static void learn(
	struct naming *naming, const struct address *server, uint16_t port, int service)
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

static int number_of(const struct naming *naming, const struct service *service)
{
	return (int)(service - naming->services->list);
}

static const struct service *configured(const struct naming *naming, const char *host,
	const struct address *server, uint16_t port)
{
	const struct service *service = NULL;

	if (host)
		service = services_by_host(naming->services, host);
	if (service && !services_has_port(service, port))
		service = NULL;
	return service ? service : services_by_address(naming->services, server, port);
}

static int own_service(struct naming *naming, const char *host,
	const struct address *server, uint16_t port)
{
	char address[ADDRESS_TEXT], name[ADDRESS_TEXT + 8];
	int number;

	(void)address_text(server, address);
	(void)snprintf(name, sizeof(name), server->family == 6 ? "[%s]:%u" : "%s:%u",
		address, (unsigned)port);
	number = windows_service(naming->windows, host ? host : name);
	return number < 0 ? NAMING_OTHER : number;
}

int naming_find(struct naming *naming, const char *host, size_t len,
	const struct address *server, uint16_t port)
{
	const struct learned *row = learned_row(naming, server, port);
	const struct service *service;
	char clean[OBS_NAME];
	bool named = host && clean_host(clean, host, len);
	int number;

	if (naming->services->count == 0)
		return own_service(naming, named ? clean : NULL, server, port);
	service = configured(naming, named ? clean : NULL, server, port);
	if (!service && !named && is_about(row, server, port) &&
		row->service != LEARNED_MIXED)
		return row->service;
	number = service ? number_of(naming, service) : NAMING_OTHER;
	if (named)
		learn(naming, server, port, number);
	return number;
}

bool naming_is_watched_port(const struct naming *naming, uint16_t port)
{
	for (size_t i = 0; i < naming->services->count; i++)
		if (services_has_port(&naming->services->list[i], port))
			return true;
	return false;
}
