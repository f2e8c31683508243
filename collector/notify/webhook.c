#include "webhook.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "astray/status.h"

#define PREFIX "whsec_"
#define KEY_MIN 16
#define KEY_MAX (NOTIFIER_SECRET * 3 / 4)
#define DIGEST_LEN 32

static int compose(char *body, size_t cap, const struct notifier_target *target,
	const struct incident *incident, const char *dashboard)
{
	(void)target, (void)dashboard;
	return incident_encode(body, cap, incident);
}

static void add_header(struct notifier_headers *out, const char *name, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static void add_header(
	struct notifier_headers *out, const char *name, const char *format, ...)
{
	struct notifier_header *header = &out->rows[out->count++];
	va_list args;

	(void)snprintf(header->name, sizeof(header->name), "%s", name);
	va_start(args, format);
	(void)vsnprintf(header->value, sizeof(header->value), format, args);
	va_end(args);
}

/* The key's length, or STATUS_SYNTAX. */
static int read_key(unsigned char key[static KEY_MAX + 3], const char *secret)
{
	const char *text = secret + sizeof(PREFIX) - 1;
	size_t len = strlen(secret);
	int key_len;

	if (strncmp(secret, PREFIX, sizeof(PREFIX) - 1) != 0)
		return STATUS_SYNTAX;
	len -= sizeof(PREFIX) - 1;
	if (len == 0 || len % 4)
		return STATUS_SYNTAX;
	key_len = EVP_DecodeBlock(key, (const unsigned char *)text, (int)len);
	/* It counts the padding as zeros. */
	key_len -= (text[len - 1] == '=') + (text[len - 2] == '=');
	return key_len < KEY_MIN ? STATUS_SYNTAX : key_len;
}

static int make_signature(
	char out[static 64], const char *secret, const char *signed_text, size_t len)
{
	unsigned char key[KEY_MAX + 3], digest[DIGEST_LEN];
	int key_len = read_key(key, secret);

	if (key_len < 0)
		return key_len;
	if (!HMAC(EVP_sha256(), key, key_len, (const unsigned char *)signed_text, len,
		    digest, NULL))
		return STATUS_LIBRARY;
	(void)EVP_EncodeBlock((unsigned char *)out, digest, DIGEST_LEN);
	return 0;
}

static int add_signature(struct notifier_headers *out, const char *secret, const char *id,
	int64_t now_s, const char *body, size_t len)
{
	size_t cap = len + NOTIFIER_ID + 32;
	char *signed_text = malloc(cap), signature[64];
	int head_len, rc;

	if (!signed_text)
		return -ENOMEM;
	head_len = snprintf(signed_text, cap, "%s.%" PRId64 ".", id, now_s);
	memcpy(signed_text + head_len, body, len);
	rc = make_signature(signature, secret, signed_text, (size_t)head_len + len);
	if (rc == 0)
		add_header(out, "webhook-signature", "v1,%s", signature);
	free(signed_text);
	return rc;
}

static int sign(struct notifier_headers *out, const struct notifier_target *target,
	const char *id, const char *body, size_t len, struct moment now)
{
	int64_t now_s = now.us / MOMENT_SECOND_US;

	add_header(out, "webhook-id", "%s", id);
	add_header(out, "webhook-timestamp", "%" PRId64, now_s);
	return *target->secret ? add_signature(out, target->secret, id, now_s, body, len)
			       : 0;
}

const struct notifier_kind webhook_notifier = {
	.name = "webhook",
	.help = "the incident as one line of JSON, by POST",
	.secret = "the signing secret, whsec_ and base64 (Standard Webhooks)",
	.compose = compose,
	.sign = sign,
};
