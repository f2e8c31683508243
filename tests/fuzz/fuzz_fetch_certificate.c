/*
 * Certificates are a stranger's bytes: what is read must fit its fields, and the times
 * the wire.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "fetch_certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *at = data;
	X509 *x509 = d2i_X509(NULL, &at, (long)size);
	struct obs_certificate read;

	if (x509) {
		memset(&read, 0xff, sizeof(read));
		fetch_certificate_read(&read, x509);
		must(read.present);
		must(memchr(read.issuer, '\0', sizeof(read.issuer)) != NULL);
		must(memchr(read.subject, '\0', sizeof(read.subject)) != NULL);
		must(strlen(read.spki_sha256) == 64 || !*read.spki_sha256);
		must(read.not_before.us >= 0 && read.not_before.us <= MOMENT_MAX_US);
		must(read.name_count <= OBS_NAMES &&
			read.name_count <= read.names_in_all);
		for (unsigned i = 0; i < read.name_count; i++)
			must(*read.names[i] && memchr(read.names[i], '\0', OBS_NAME));
		must(read.not_after.us >= 0 && read.not_after.us <= MOMENT_MAX_US);
	}
	X509_free(x509);
	ERR_clear_error();
	return 0;
}
