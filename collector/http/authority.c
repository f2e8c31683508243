#include "authority.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "astray/address.h"
#include "astray/status.h"

#define HOSTS_TEXT 2048
#define SERIAL_BYTES 16

struct authority {
	X509 *certificate;
	EVP_PKEY *key;
};

static int library_failed(struct fault *fault, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	int rc = fault_at(
		fault, STATUS_LIBRARY, "", "%s: %s", what, reason ? reason : "failed");

	ERR_clear_error();
	return rc;
}

/* ---- files */

static int create(FILE **out, const char *file, mode_t mode, struct fault *fault)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int rc;

	*out = fd < 0 ? NULL : fdopen(fd, "w");
	if (*out)
		return 0;
	rc = -errno;
	if (fd >= 0)
		(void)close(fd);
	return fault_at(fault, rc, "", "%s: %s", file, strerror(-rc));
}

static int finish(FILE *out, int written, const char *file, struct fault *fault)
{
	bool failed = !written || fflush(out) || fsync(fileno(out));

	if (fclose(out) || failed)
		return fault_at(fault, -EIO, "", "%s: cannot be written", file);
	return 0;
}

static int save(X509 *certificate, EVP_PKEY *key, const struct authority_files *files,
	struct fault *fault)
{
	FILE *out;
	int rc = create(&out, files->key, 0600, fault);

	if (rc == 0)
		rc = finish(out,
			PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL),
			files->key, fault);
	if (rc == 0)
		rc = create(&out, files->certificate, 0644, fault);
	return rc ? rc
		  : finish(out, PEM_write_X509(out, certificate), files->certificate,
			    fault);
}

/* ---- certificates */

static int set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number;
	int ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return 0;
	bytes[0] &= 0x7f;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return ok;
}

static int set_name(X509 *certificate, const char *name)
{
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
		MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
}

static int set_times(X509 *certificate, const struct authority_order *order)
{
	return ASN1_TIME_set(X509_getm_notBefore(certificate),
		       (time_t)(order->from.us / MOMENT_SECOND_US)) &&
	       ASN1_TIME_set(X509_getm_notAfter(certificate),
		       (time_t)(order->until.us / MOMENT_SECOND_US));
}

static int add(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;
	int ok;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = extension && X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

static int add_hosts(X509 *certificate, X509 *issuer, const char *const *hosts)
{
	char text[HOSTS_TEXT];
	struct address address;
	size_t used = 0;

	for (; *hosts; hosts++) {
		int len = snprintf(text + used, sizeof(text) - used, "%s%s:%s",
			used ? "," : "",
			address_parse(&address, *hosts) == 0 ? "IP" : "DNS", *hosts);

		if (len < 0 || (size_t)len >= sizeof(text) - used ||
			strpbrk(*hosts, ", \n"))
			return 0;
		used += (size_t)len;
	}
	return add(certificate, issuer, NID_subject_alt_name, text);
}

static int add_extensions(
	X509 *certificate, X509 *issuer, const struct authority_order *order)
{
	if (issuer == certificate)
		return add(certificate, issuer, NID_basic_constraints,
			       "critical,CA:TRUE,pathlen:0") &&
		       add(certificate, issuer, NID_key_usage,
			       "critical,keyCertSign,cRLSign") &&
		       add(certificate, issuer, NID_subject_key_identifier, "hash");
	return add(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       add(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
	       add(certificate, issuer, NID_ext_key_usage,
		       order->hosts ? "serverAuth" : "clientAuth") &&
	       add(certificate, issuer, NID_subject_key_identifier, "hash") &&
	       add(certificate, issuer, NID_authority_key_identifier, "keyid") &&
	       (!order->hosts || add_hosts(certificate, issuer, order->hosts));
}

/* Signed by the authority, or by itself when there is none. */
static X509 *sign(const struct authority *authority, EVP_PKEY *key,
	const struct authority_order *order)
{
	X509 *certificate = X509_new();
	X509 *issuer = authority ? authority->certificate : certificate;

	if (certificate && X509_set_version(certificate, X509_VERSION_3) &&
		set_serial(certificate) && set_name(certificate, order->name) &&
		set_times(certificate, order) && X509_set_pubkey(certificate, key) &&
		X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
		add_extensions(certificate, issuer, order) &&
		X509_sign(certificate, authority ? authority->key : key, EVP_sha256()))
		return certificate;
	X509_free(certificate);
	return NULL;
}

static int make(struct authority *out, const struct authority *authority,
	const struct authority_order *order, const struct authority_files *files,
	struct fault *fault)
{
	out->key = EVP_EC_gen("P-256");
	out->certificate = out->key ? sign(authority, out->key, order) : NULL;
	if (!out->certificate)
		return library_failed(fault, order->name);
	return save(out->certificate, out->key, files, fault);
}

int authority_create(struct authority **out, const struct authority_order *order,
	const struct authority_files *files, struct fault *fault)
{
	struct authority *authority = calloc(1, sizeof(*authority));
	int rc;

	*out = NULL;
	if (!authority)
		return fault_at(fault, -ENOMEM, "", "no memory");
	rc = make(authority, NULL, order, files, fault);
	if (rc)
		authority_free(authority);
	else
		*out = authority;
	return rc;
}

static int read_files(struct authority *authority, FILE *certificate, FILE *key,
	const struct authority_files *files, struct fault *fault)
{
	if (!certificate || !key)
		return fault_at(fault, -ENOENT, "", "%s: cannot be read",
			certificate ? files->key : files->certificate);
	authority->certificate = PEM_read_X509(certificate, NULL, NULL, NULL);
	authority->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
	if (!authority->certificate || !authority->key ||
		X509_check_private_key(authority->certificate, authority->key) != 1)
		return library_failed(fault, files->certificate);
	return 0;
}

int authority_load(
	struct authority **out, const struct authority_files *files, struct fault *fault)
{
	struct authority *authority = calloc(1, sizeof(*authority));
	FILE *certificate, *key;
	int rc;

	*out = NULL;
	if (!authority)
		return fault_at(fault, -ENOMEM, "", "no memory");
	certificate = fopen(files->certificate, "re");
	key = fopen(files->key, "re");
	rc = read_files(authority, certificate, key, files, fault);
	if (certificate)
		(void)fclose(certificate);
	if (key)
		(void)fclose(key);
	if (rc)
		authority_free(authority);
	else
		*out = authority;
	return rc;
}

void authority_free(struct authority *authority)
{
	if (!authority)
		return;
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
	free(authority);
}

int authority_issue(struct authority *authority, const struct authority_order *order,
	const struct authority_files *files, struct fault *fault)
{
	struct authority issued = {0};
	int rc = make(&issued, authority, order, files, fault);

	X509_free(issued.certificate);
	EVP_PKEY_free(issued.key);
	return rc;
}
