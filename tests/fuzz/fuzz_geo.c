/* Any file as a database: it opens or is refused, and look-ups stay within it. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
const char *__lsan_default_suppressions(void);

/* The library (1.7.1) loses a list when it refuses metadata; ours to bound, not to mend.
 */
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

static void look_up(const struct geo *geo, const char *text)
{
	struct address address;
	struct place place;

	if (address_parse(&address, text) || !geo_place(geo, &address, &place))
		return;
	assert(memchr(place.country, '\0', sizeof(place.country)));
	assert(memchr(place.city, '\0', sizeof(place.city)));
	assert(memchr(place.org, '\0', sizeof(place.org)));
	assert(!place.located || (place.latitude >= -90 && place.latitude <= 90));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("geo", MFD_CLOEXEC);
	struct geo *geo;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, bytes, len) == (ssize_t)len &&
		geo_open(&geo, path, NULL, NULL) == 0) {
		look_up(geo, "192.0.2.1");
		look_up(geo, "203.0.113.77");
		look_up(geo, "2001:db8::1");
		look_up(geo, "ff02::1");
		geo_close(geo);
	}
	(void)close(fd);
	return 0;
}
