/*
 * Any text as a registry's answer, and as the file that says which registry to ask.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rdap.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	struct obs_registry registry;
	struct fault fault = {0};
	char base[OBS_TEXT];

	if (rdap_read(&registry, "exchange.example", text, len, &fault) == 0) {
		assert(strcmp(registry.domain, "exchange.example") == 0);
		assert(registry.server_count <= OBS_SERVERS);
		assert(registry.status_count <= OBS_STATUSES);
	} else {
		assert(fault.why[0]);
	}
	if (rdap_find_base(base, "exchange.example", text, len, &fault) == 0)
		assert(strncmp(base, "http", 4) == 0);
	return 0;
}
