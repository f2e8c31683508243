#include "tls_certificate.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "astray/cursor.h"
#include "astray/status.h"

#define CERTIFICATE 11
#define FRONT_LEN 10 /* type and three lengths: of message, list, certificate */

size_t tls_certificate_wanted(const uint8_t *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);

	if (len > 0 && cursor_take_u8(&cur) != CERTIFICATE)
		return 0;
	cursor_skip(&cur, 6);
	return FRONT_LEN + cursor_take_u24(&cur);
}

static int take_name(char out[static OBS_NAME], const ASN1_STRING *name)
{
	int len = name ? ASN1_STRING_length(name) : 0;

	if (len <= 0 || len >= OBS_NAME)
		return STATUS_SYNTAX;
	memcpy(out, ASN1_STRING_get0_data(name), (size_t)len);
	out[len] = '\0';
	return strlen(out) == (size_t)len ? 0 : STATUS_SYNTAX;
}

static int alternative_name(char out[static OBS_NAME], const X509 *certificate)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int rc = STATUS_SYNTAX;

	for (int i = 0; rc && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			rc = take_name(out, name->d.dNSName);
	}
	GENERAL_NAMES_free(names);
	return rc;
}

static int common_name(char out[static OBS_NAME], const X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (place < 0)
		return STATUS_SYNTAX;
	return take_name(
		out, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
}

int tls_certificate_read(char out[static OBS_NAME], const uint8_t *bytes, size_t len)
{
	size_t wanted = tls_certificate_wanted(bytes, len);
	const uint8_t *at = bytes + FRONT_LEN;
	X509 *certificate;
	int rc;

	if (wanted <= FRONT_LEN || len < wanted)
		return STATUS_SYNTAX;
	certificate = d2i_X509(NULL, &at, (long)(wanted - FRONT_LEN));
	if (!certificate)
		return STATUS_SYNTAX;
	rc = alternative_name(out, certificate);
	if (rc)
		rc = common_name(out, certificate);
	X509_free(certificate);
	return rc;
}
