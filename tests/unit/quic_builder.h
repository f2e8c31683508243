/*
 * QUIC packets for tests: Initial packets sealed as their senders do, and the plain
 * headers of all others. The keys are made by another way than the code under test takes.
 */
#ifndef ASTRAY_QUIC_BUILDER_H
#define ASTRAY_QUIC_BUILDER_H

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdint.h>
#include <string.h>

#include "exchange_recorder.h"
#include "quic_packet.h"

struct quic_builder {
	uint8_t bytes[4096];
	size_t len;
};

static inline size_t quic_builder_hex(uint8_t *out, const char *hex)
{
	size_t len = 0;

	for (; hex[0]; hex += 2) {
		unsigned value = 0;

		for (int i = 0; i < 2; i++)
			value = value << 4 |
				(unsigned)(hex[i] <= '9' ? hex[i] - '0'
							 : hex[i] - 'a' + 10);
		out[len++] = (uint8_t)value;
	}
	return len;
}

static inline struct quic_packet_id quic_builder_id(const char *hex)
{
	struct quic_packet_id id = {0};

	id.len = (uint8_t)quic_builder_hex(id.bytes, hex);
	return id;
}

static inline void quic_builder_put(struct quic_builder *b, const void *bytes, size_t len)
{
	if (len)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

static inline void quic_builder_number(struct quic_builder *b, uint64_t value)
{
	uint8_t bytes[4] = {(uint8_t)(0x80 | value >> 24), (uint8_t)(value >> 16),
		(uint8_t)(value >> 8), (uint8_t)value};

	if (value < 64)
		quic_builder_put(b, &bytes[3], 1);
	else if (value < 16384)
		quic_builder_put(
			b, (uint8_t[]){(uint8_t)(0x40 | value >> 8), (uint8_t)value}, 2);
	else
		quic_builder_put(b, bytes, 4);
}

static inline void quic_builder_derive(uint8_t *out, size_t len, int mode,
	const uint8_t *key, size_t key_len, const uint8_t *more, size_t more_len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	uint8_t key_copy[64], more_copy[64];
	OSSL_PARAM params[5];

	memcpy(key_copy, key, key_len);
	memcpy(more_copy, more, more_len);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[1] =
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_copy, key_len);
	params[2] = OSSL_PARAM_construct_octet_string(
		mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY ? OSSL_KDF_PARAM_SALT
						       : OSSL_KDF_PARAM_INFO,
		more_copy, more_len);
	params[3] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	params[4] = OSSL_PARAM_construct_end();
	assert(EVP_KDF_derive(context, out, len, params) == 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

static inline void quic_builder_expand(
	uint8_t *out, size_t len, const uint8_t *secret, const char *label)
{
	uint8_t info[64] = {0, (uint8_t)len, (uint8_t)(6 + strlen(label))};

	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, strlen(label));
	quic_builder_derive(out, len, EVP_KDF_HKDF_MODE_EXPAND_ONLY, secret, 32, info,
		10 + strlen(label));
}

static inline void quic_builder_cipher(const EVP_CIPHER *cipher, uint8_t *out,
	const uint8_t *key, const uint8_t *iv, const uint8_t *header, size_t header_len,
	const uint8_t *in, size_t len)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int done;

	assert(EVP_EncryptInit_ex(context, cipher, NULL, key, iv) == 1);
	(void)EVP_CIPHER_CTX_set_padding(context, 0);
	if (header)
		assert(EVP_EncryptUpdate(context, NULL, &done, header, (int)header_len) ==
			1);
	assert(EVP_EncryptUpdate(context, out, &done, in, (int)len) == 1);
	assert(EVP_EncryptFinal_ex(context, out + done, &done) == 1);
	if (header)
		assert(EVP_CIPHER_CTX_ctrl(
			       context, EVP_CTRL_AEAD_GET_TAG, 16, out + len) == 1);
	EVP_CIPHER_CTX_free(context);
}

struct quic_builder_initial {
	uint32_t version;
	struct quic_packet_id id; /* that the keys are made of */
	struct quic_packet_id destination, source;
	bool from_server;
	uint32_t number;
	unsigned number_len;
};

/* Adds an Initial packet with these frames. */
static inline void quic_builder_initial(struct quic_builder *b,
	const struct quic_builder_initial *packet, const void *frames, size_t len)
{
	bool second = packet->version == QUIC_PACKET_VERSION_2;
	uint8_t salt[20], initial[32], secret[32], key[16], iv[12], mask_key[16],
		mask[16];
	uint8_t *start = b->bytes + b->len, *number;
	size_t header_len;

	(void)quic_builder_hex(salt, second ? "0dede3def700a6db819381be6e269dcbf9bd2ed9"
					    : "38762cf7f55934b34d179ae6a4c80cadccbb7f0a");
	quic_builder_derive(initial, 32, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, packet->id.bytes,
		packet->id.len, salt, sizeof(salt));
	quic_builder_expand(
		secret, 32, initial, packet->from_server ? "server in" : "client in");
	quic_builder_expand(key, 16, secret, second ? "quicv2 key" : "quic key");
	quic_builder_expand(iv, 12, secret, second ? "quicv2 iv" : "quic iv");
	quic_builder_expand(mask_key, 16, secret, second ? "quicv2 hp" : "quic hp");
	quic_builder_put(b,
		(uint8_t[]){(uint8_t)((second ? 0xd0 : 0xc0) | (packet->number_len - 1)),
			(uint8_t)(packet->version >> 24),
			(uint8_t)(packet->version >> 16), (uint8_t)(packet->version >> 8),
			(uint8_t)packet->version},
		5);
	quic_builder_put(b, &packet->destination.len, 1);
	quic_builder_put(b, packet->destination.bytes, packet->destination.len);
	quic_builder_put(b, &packet->source.len, 1);
	quic_builder_put(b, packet->source.bytes, packet->source.len);
	quic_builder_put(b, "", 1); /* no token */
	b->bytes[b->len++] = (uint8_t)(0x40 | (packet->number_len + len + 16) >> 8);
	b->bytes[b->len++] = (uint8_t)(packet->number_len + len + 16);
	number = b->bytes + b->len;
	for (unsigned i = packet->number_len; i > 0; i--)
		b->bytes[b->len++] = (uint8_t)(packet->number >> 8 * (i - 1));
	header_len = (size_t)(b->bytes + b->len - start);
	for (unsigned i = 0; i < 4; i++)
		iv[8 + i] ^= (uint8_t)(packet->number >> 8 * (3 - i));
	quic_builder_cipher(EVP_aes_128_gcm(), b->bytes + b->len, key, iv, start,
		header_len, frames, len);
	quic_builder_cipher(
		EVP_aes_128_ecb(), mask, mask_key, NULL, NULL, 0, number + 4, 16);
	start[0] ^= mask[0] & 0x0f;
	for (unsigned i = 0; i < packet->number_len; i++)
		number[i] ^= mask[1 + i];
	b->len += len + 16;
}

static inline void quic_builder_crypto(
	struct quic_builder *frames, const uint8_t *message, size_t from, size_t len)
{
	quic_builder_put(frames, "\x06", 1);
	quic_builder_number(frames, from);
	quic_builder_number(frames, len);
	quic_builder_put(frames, message + from, len);
}

static inline void quic_builder_padding(struct quic_builder *frames, size_t until)
{
	memset(frames->bytes + frames->len, 0, until - frames->len);
	frames->len = until;
}

/* The hello as QUIC carries it, without a record around it. */
static inline size_t quic_builder_hello(uint8_t *out, const char *name, size_t padding)
{
	uint8_t record[8192];
	size_t len = make_client_hello(record, name, padding);

	memcpy(out, record + 5, len - 5);
	return len - 5;
}

/* A short header and len bytes in all. */
static inline void quic_builder_short(struct quic_builder *b, bool spin, size_t len)
{
	memset(b->bytes + b->len, 0xa5, len);
	b->bytes[b->len] = (uint8_t)(0x40 | (spin ? 0x20 : 0));
	b->len += len;
}

/* A long header of a type (its bits) with a body of len bytes. */
static inline void quic_builder_long(struct quic_builder *b, unsigned bits,
	uint32_t version, const struct quic_packet_id *destination,
	const struct quic_packet_id *source, size_t len)
{
	quic_builder_put(b,
		(uint8_t[]){(uint8_t)(0xc0 | bits << 4), (uint8_t)(version >> 24),
			(uint8_t)(version >> 16), (uint8_t)(version >> 8),
			(uint8_t)version},
		5);
	quic_builder_put(b, &destination->len, 1);
	quic_builder_put(b, destination->bytes, destination->len);
	quic_builder_put(b, &source->len, 1);
	quic_builder_put(b, source->bytes, source->len);
	if (version == QUIC_PACKET_VERSION_2)
		bits = (bits + 3u) % 4u; /* its types are turned by one */
	if (version != 0 && bits == 0)
		quic_builder_put(b, "", 1); /* no token */
	if (version != 0 && bits != 3)
		quic_builder_number(b, len);
	memset(b->bytes + b->len, 0xa5, len);
	b->len += len;
}

#endif
