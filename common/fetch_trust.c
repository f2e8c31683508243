#include "fetch_trust.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "astray/status.h"

static int read_store(X509_STORE **out, const char *file)
{
	*out = X509_STORE_new();
	if (!*out)
		return -ENOMEM;
	if (X509_STORE_load_file(*out, file))
		return 0;
	X509_STORE_free(*out);
	*out = NULL;
	ERR_clear_error();
	return STATUS_LIBRARY;
}

int fetch_trust_renew(struct fetch_trust *trust, const char *file, struct tick now)
{
	bool same = trust->store && strcmp(trust->file, file) == 0;
	X509_STORE *store;
	int rc;

	if (same && tick_since_us(now, trust->read) < FETCH_TRUST_KEPT_US)
		return 0;
	if (strlen(file) >= sizeof(trust->file))
		return -ENAMETOOLONG;
	rc = read_store(&store, file);
	if (rc && !same)
		return rc;
	trust->read = now;
	if (rc)
		return 0;
	X509_STORE_free(trust->store);
	trust->store = store;
	(void)snprintf(trust->file, sizeof(trust->file), "%s", file);
	return 0;
}

void fetch_trust_drop(struct fetch_trust *trust)
{
	X509_STORE_free(trust->store);
	trust->store = NULL;
}
