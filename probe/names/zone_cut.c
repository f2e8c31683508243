#include "zone_cut.h"

#include <stdio.h>
#include <string.h>

void zone_cut_add_host(struct zone_cut *cut, const char *host)
{
	for (unsigned i = 0; i < cut->host_count; i++)
		if (strcmp(cut->hosts[i], host) == 0)
			return;
	if (cut->host_count < ZONE_CUT_HOSTS)
		(void)snprintf(cut->hosts[cut->host_count++], OBS_NAME, "%s", host);
}

static bool find_host(const struct zone_cut *cut, const char *host, unsigned *number)
{
	for (*number = 0; *number < cut->host_count; ++*number)
		if (strcmp(cut->hosts[*number], host) == 0)
			return true;
	return false;
}

void zone_cut_add_address(
	struct zone_cut *cut, const char *host, const struct address *address)
{
	unsigned number;

	if (!find_host(cut, host, &number) || cut->address_count == ZONE_CUT_ADDRESSES)
		return;
	for (unsigned i = 0; i < cut->address_count; i++)
		if (address_equal(&cut->addresses[i].address, address))
			return;
	cut->addresses[cut->address_count].host = number;
	cut->addresses[cut->address_count++].address = *address;
}

bool zone_cut_host_is_known(const struct zone_cut *cut, unsigned host)
{
	for (unsigned i = 0; i < cut->address_count; i++)
		if (cut->addresses[i].host == host)
			return true;
	return false;
}
