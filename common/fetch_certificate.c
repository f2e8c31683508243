#include "fetch_certificate.h"

#include <stdio.h>
#include <time.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* RFC 2253, but letters beyond ASCII as UTF-8 and not as escapes. */
#define NAME_FLAGS (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

static void read_name(char *out, size_t cap, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len;

	*out = '\0';
	if (!bio)
		return;
	if (name && X509_NAME_print_ex(bio, name, 0, NAME_FLAGS) >= 0) {
		len = BIO_read(bio, out, (int)cap - 1);
		out[len > 0 ? len : 0] = '\0';
	}
	BIO_free(bio);
}

static struct moment read_time(const ASN1_TIME *time)
{
	struct moment at = {0};
	struct tm tm;

	if (time && ASN1_TIME_to_tm(time, &tm))
		at.us = (int64_t)timegm(&tm) * MOMENT_SECOND_US;
	if (at.us < 0 || at.us > MOMENT_MAX_US)
		at.us = 0;
	return at;
}

static void read_key(char out[static 65], const X509 *x509)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned digest_len = 0;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);

	*out = '\0';
	if (len > 0 &&
		EVP_Digest(der, (size_t)len, digest, &digest_len, EVP_sha256(), NULL))
		for (unsigned i = 0; i < digest_len; i++)
			(void)snprintf(out + (size_t)2 * i, 3, "%02x", digest[i]);
	OPENSSL_free(der);
}

void fetch_certificate_read(struct obs_certificate *out, const struct x509_st *x509)
{
	out->present = true;
	read_name(out->issuer, sizeof(out->issuer), X509_get_issuer_name(x509));
	read_name(out->subject, sizeof(out->subject), X509_get_subject_name(x509));
	read_key(out->spki_sha256, x509);
	out->not_before = read_time(X509_get0_notBefore(x509));
	out->not_after = read_time(X509_get0_notAfter(x509));
}
