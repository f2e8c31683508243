/*
 * Any bytes as the message that carries a server's certificate.
 */
#include <assert.h>
#include <string.h>

#include "tls_certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[OBS_NAME];

	if (tls_certificate_read(name, data, size) == 0)
		assert(size >= tls_certificate_wanted(data, size) && name[0] &&
			strlen(name) < OBS_NAME);
	return 0;
}
