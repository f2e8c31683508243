/*
 * Certificates for tests, made on the spot.
 */
#ifndef TESTS_CERTIFICATE_MAKER_H
#define TESTS_CERTIFICATE_MAKER_H

#include <stdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct certificate_wish {
	const char *organisation, *common_name; /* UTF-8; NULL: none */
	const char *alternative;                /* "DNS:exchange.example,IP:127.0.0.1" */
	long from_s, until_s;                   /* seconds from now */
};

static inline EVP_PKEY *certificate_maker_key(void)
{
	return EVP_EC_gen("P-256");
}

static inline void certificate_maker_name(
	X509_NAME *name, const char *field, const char *value)
{
	if (value)
		assert_true(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
			(const unsigned char *)value, -1, -1, 0));
}

/* Self-signed. */
static inline X509 *certificate_maker_make(
	EVP_PKEY *key, const struct certificate_wish *wish)
{
	X509 *x509 = X509_new();
	X509_NAME *name;

	assert_non_null(x509);
	name = X509_get_subject_name(x509);
	certificate_maker_name(name, "O", wish->organisation);
	certificate_maker_name(name, "CN", wish->common_name);
	assert_true(X509_set_version(x509, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1));
	assert_true(X509_set_issuer_name(x509, name));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), wish->from_s));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), wish->until_s));
	assert_true(X509_set_pubkey(x509, key));
	if (wish->alternative) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(
			NULL, NULL, NID_subject_alt_name, wish->alternative);

		assert_non_null(extension);
		assert_true(X509_add_ext(x509, extension, -1));
		X509_EXTENSION_free(extension);
	}
	assert_true(X509_sign(x509, key, EVP_sha256()));
	return x509;
}

static inline void certificate_maker_write(const char *certificate_file, const X509 *x509,
	const char *key_file, EVP_PKEY *key)
{
	FILE *file = fopen(certificate_file, "w");

	assert_non_null(file);
	assert_true(PEM_write_X509(file, x509));
	assert_int_equal(fclose(file), 0);
	file = fopen(key_file, "w");
	assert_non_null(file);
	assert_true(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	assert_int_equal(fclose(file), 0);
}

#endif
