#include "quic_crypt.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

#define SECRET_LEN 32
#define KEY_LEN 16
#define IV_LEN 12
#define TAG_LEN 16
#define SAMPLE_LEN 16
#define NUMBER_MAX 4
#define PACKET_MAX 65535
#define INFO_MAX 64

struct quic_crypt {
	EVP_CIPHER *gcm, *ecb; /* looked up once: that is slow */
	EVP_CIPHER_CTX *context;
};

struct keys {
	uint8_t key[KEY_LEN], iv[IV_LEN], mask_key[KEY_LEN];
};

/* What the two versions have different, so that nobody takes one for the other. */
struct version {
	uint32_t number;
	uint8_t salt[20];
	const char *key, *iv, *mask_key; /* labels */
};

static const struct version versions[] = {
	{QUIC_PACKET_VERSION_1,
		{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6,
			0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
		"quic key", "quic iv", "quic hp"},
	{QUIC_PACKET_VERSION_2,
		{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe,
			0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
		"quicv2 key", "quicv2 iv", "quicv2 hp"},
};

int quic_crypt_new(struct quic_crypt **out)
{
	struct quic_crypt *crypt = calloc(1, sizeof(*crypt));

	*out = NULL;
	if (!crypt)
		return -ENOMEM;
	crypt->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	crypt->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	crypt->context = EVP_CIPHER_CTX_new();
	if (!crypt->gcm || !crypt->ecb || !crypt->context) {
		quic_crypt_free(crypt);
		return -ENOMEM;
	}
	*out = crypt;
	return 0;
}

void quic_crypt_free(struct quic_crypt *crypt)
{
	if (!crypt)
		return;
	EVP_CIPHER_CTX_free(crypt->context);
	EVP_CIPHER_free(crypt->gcm);
	EVP_CIPHER_free(crypt->ecb);
	free(crypt);
}

static bool hmac(uint8_t out[static SECRET_LEN], const uint8_t *key, size_t key_len,
	const uint8_t *data, size_t len)
{
	unsigned out_len = SECRET_LEN;

	return HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &out_len);
}

/* HKDF-Expand-Label (RFC 8446 §7.1) for what one block of the hash covers. */
static bool expand(uint8_t *out, size_t len, const uint8_t secret[static SECRET_LEN],
	const char *label)
{
	static const char prefix[] = "tls13 ";
	size_t label_len = strlen(label), prefix_len = sizeof(prefix) - 1, at = 3;
	uint8_t info[INFO_MAX] = {0}, block[SECRET_LEN];

	info[1] = (uint8_t)len;
	info[2] = (uint8_t)(prefix_len + label_len);
	memcpy(info + at, prefix, prefix_len);
	memcpy(info + at + prefix_len, label, label_len);
	at += prefix_len + label_len;
	info[at++] = 0; /* no context */
	info[at++] = 1; /* the first block */
	if (!hmac(block, secret, SECRET_LEN, info, at))
		return false;
	memcpy(out, block, len);
	return true;
}

static bool make_keys(struct keys *keys, const struct version *version,
	const struct quic_packet_id *id, bool from_server)
{
	uint8_t initial[SECRET_LEN], secret[SECRET_LEN];

	return hmac(initial, version->salt, sizeof(version->salt), id->bytes, id->len) &&
	       expand(secret, SECRET_LEN, initial,
		       from_server ? "server in" : "client in") &&
	       expand(keys->key, KEY_LEN, secret, version->key) &&
	       expand(keys->iv, IV_LEN, secret, version->iv) &&
	       expand(keys->mask_key, KEY_LEN, secret, version->mask_key);
}

static bool make_mask(struct quic_crypt *crypt, uint8_t mask[static SAMPLE_LEN],
	const struct keys *keys, const uint8_t *sample)
{
	int len = 0;

	return EVP_EncryptInit_ex(
		       crypt->context, crypt->ecb, NULL, keys->mask_key, NULL) &&
	       EVP_CIPHER_CTX_set_padding(crypt->context, 0) &&
	       EVP_EncryptUpdate(crypt->context, mask, &len, sample, SAMPLE_LEN) &&
	       len == SAMPLE_LEN;
}

/* A packet's header with its protection taken off. */
struct header {
	uint8_t first;
	unsigned number_len;
	uint8_t number[NUMBER_MAX];
};

static bool unmask(struct quic_crypt *crypt, struct header *header,
	const struct keys *keys, const struct quic_packet *packet)
{
	const uint8_t *number = packet->bytes + packet->number_at;
	uint8_t mask[SAMPLE_LEN];

	if (!make_mask(crypt, mask, keys, number + NUMBER_MAX))
		return false;
	header->first = packet->bytes[0] ^ (mask[0] & 0x0f);
	header->number_len = (header->first & 3u) + 1;
	for (unsigned i = 0; i < header->number_len; i++)
		header->number[i] = number[i] ^ mask[1 + i];
	return true;
}

/* What goes into the seal besides the frames: the header as it was before protection. */
static bool add_header(struct quic_crypt *crypt, const struct header *header,
	const struct quic_packet *packet)
{
	int len;

	return EVP_DecryptUpdate(crypt->context, NULL, &len, &header->first, 1) &&
	       EVP_DecryptUpdate(crypt->context, NULL, &len, packet->bytes + 1,
		       (int)packet->number_at - 1) &&
	       EVP_DecryptUpdate(crypt->context, NULL, &len, header->number,
		       (int)header->number_len);
}

static int unseal(struct quic_crypt *crypt, uint8_t *plain, const struct keys *keys,
	const struct header *header, const struct quic_packet *packet)
{
	size_t start = packet->number_at + header->number_len;
	size_t len = packet->len - start - TAG_LEN;
	uint8_t nonce[IV_LEN], tag[TAG_LEN];
	int plain_len = 0, more = 0;

	memcpy(nonce, keys->iv, IV_LEN);
	for (unsigned i = 0; i < header->number_len; i++)
		nonce[IV_LEN - header->number_len + i] ^= header->number[i];
	memcpy(tag, packet->bytes + start + len, TAG_LEN);
	if (!EVP_DecryptInit_ex(crypt->context, crypt->gcm, NULL, keys->key, nonce) ||
		!add_header(crypt, header, packet) ||
		!EVP_DecryptUpdate(crypt->context, plain, &plain_len,
			packet->bytes + start, (int)len) ||
		!EVP_CIPHER_CTX_ctrl(
			crypt->context, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) ||
		EVP_DecryptFinal_ex(crypt->context, plain + plain_len, &more) <= 0)
		return STATUS_SYNTAX;
	return plain_len + more;
}

static const struct version *version_of(uint32_t number)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].number == number)
			return &versions[i];
	return NULL;
}

int quic_crypt_open(struct quic_crypt *crypt, uint8_t *plain,
	const struct quic_packet *packet, const struct quic_packet_id *id,
	bool from_server)
{
	const struct version *version = version_of(packet->version);
	struct header header;
	struct keys keys;

	if (!version || packet->type != QUIC_PACKET_INITIAL || !packet->whole ||
		packet->len > PACKET_MAX ||
		packet->len < packet->number_at + NUMBER_MAX + SAMPLE_LEN)
		return STATUS_SYNTAX;
	if (!make_keys(&keys, version, id, from_server) ||
		!unmask(crypt, &header, &keys, packet))
		return STATUS_SYNTAX;
	return unseal(crypt, plain, &keys, &header, packet);
}
