#include "fetch_certificate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

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

static bool copy_text(char out[static OBS_NAME], const ASN1_STRING *name)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(name);
	int len = ASN1_STRING_length(name);

	if (len <= 0 || len >= OBS_NAME)
		return false;
	for (int i = 0; i < len; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return false;
	memcpy(out, bytes, (size_t)len);
	out[len] = '\0';
	return true;
}

static bool copy_address(char out[static OBS_NAME], const ASN1_OCTET_STRING *octets)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(octets);
	struct address address;

	switch (ASN1_STRING_length(octets)) {
	case 4:
		address = address_v4(bytes);
		break;
	case 16:
		address = address_v6(bytes);
		break;
	default:
		return false;
	}
	return address_text(&address, out)[0];
}

static bool copy_alternative(char out[static OBS_NAME], const GENERAL_NAME *name)
{
	if (name->type == GEN_DNS)
		return copy_text(out, name->d.dNSName);
	return name->type == GEN_IPADD && copy_address(out, name->d.iPAddress);
}

static void read_alternatives(struct obs_certificate *out, const X509 *x509)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	int count = names ? sk_GENERAL_NAME_num(names) : 0;

	out->names_in_all = count;
	out->name_count = 0;
	for (int i = 0; i < count && out->name_count < OBS_NAMES; i++)
		if (copy_alternative(
			    out->names[out->name_count], sk_GENERAL_NAME_value(names, i)))
			out->name_count++;
	GENERAL_NAMES_free(names);
}

void fetch_certificate_read(struct obs_certificate *out, const struct x509_st *x509)
{
	out->present = true;
	read_name(out->issuer, sizeof(out->issuer), X509_get_issuer_name(x509));
	read_name(out->subject, sizeof(out->subject), X509_get_subject_name(x509));
	read_key(out->spki_sha256, x509);
	out->not_before = read_time(X509_get0_notBefore(x509));
	out->not_after = read_time(X509_get0_notAfter(x509));
	read_alternatives(out, x509);
	out->chain_count = 0;
}

void fetch_certificate_read_chain(
	struct obs_certificate *out, const struct stack_st_X509 *chain)
{
	int count = chain ? sk_X509_num(chain) : 0;

	out->chain_count = 0;
	for (int i = 1; i < count && out->chain_count < OBS_CHAIN; i++) {
		struct obs_voucher *voucher = &out->chain[out->chain_count++];
		const X509 *x509 = sk_X509_value(chain, i);

		read_name(voucher->subject, sizeof(voucher->subject),
			X509_get_subject_name(x509));
		read_key(voucher->spki_sha256, x509);
	}
}
