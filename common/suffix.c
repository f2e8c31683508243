#include "astray/suffix.h"

#include <libpsl.h>
#include <string.h>

#include "astray/status.h"

int suffix_registrable(char out[static OBS_NAME], const char *name)
{
	const char *domain = psl_registrable_domain(psl_builtin(), name);
	size_t len = domain ? strlen(domain) : 0;

	out[0] = '\0';
	if (len == 0 || len >= OBS_NAME)
		return STATUS_MISSING;
	memcpy(out, domain, len + 1);
	return 0;
}
