/*
 * Any name as what the DNS says of a router: it is somebody else's text.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "geo_tables.h"
#include "router_names.h"

#define NAME_MAX_LEN 300

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct router_names *names;
	struct place place = {0};
	char name[NAME_MAX_LEN + 1];

	if (len > NAME_MAX_LEN || (!names && router_names_new(&names, geo_tables_places,
						     geo_tables_rules, NULL)))
		return 0;
	memcpy(name, bytes, len);
	name[len] = '\0';
	if (router_names_place(names, name, 0, &place))
		assert(place.located && place.country[0] && place.city[0]);
	return 0;
}
