#include "secret.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "astray/status.h"

#define TOKEN_MIN 16
#define TOKEN_BYTES 32

int secret_of(struct secret *out, const char *text)
{
	return EVP_Digest(text, strlen(text), out->sha256, NULL, EVP_sha256(), NULL) == 1
		       ? 0
		       : STATUS_LIBRARY;
}

int secret_read_file(struct secret *out, const char *file, struct fault *fault)
{
	char line[SECRET_TEXT + 2], *token = line;
	FILE *in = fopen(file, "re");
	size_t len;

	if (!in)
		return fault_at(
			fault, -errno, "token_file", "%s: %s", file, strerror(errno));
	if (!fgets(line, sizeof(line), in))
		line[0] = '\0';
	(void)fclose(in);
	token += strspn(token, " \t");
	len = strlen(token);
	while (len && isspace((unsigned char)token[len - 1]))
		token[--len] = '\0';
	if (len < TOKEN_MIN || len >= SECRET_TEXT)
		return fault_at(fault, STATUS_RANGE, "token_file",
			"%s: a token has %d to %d characters", file, TOKEN_MIN,
			SECRET_TEXT - 1);
	return secret_of(out, token);
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
	return CRYPTO_memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

bool secret_matches(const struct secret *secret, const char *text)
{
	struct secret other;

	return secret_of(&other, text) == 0 && secret_equal(secret, &other);
}

const char *secret_bearer(const char *header)
{
	static const char scheme[] = "Bearer ";

	if (!header || strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	header += sizeof(scheme) - 1;
	return header + strspn(header, " ");
}

int secret_make(char text[static SECRET_TEXT])
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t bytes[TOKEN_BYTES];
	unsigned held = 0, bits = 0, used = 0;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (unsigned i = 0; i < TOKEN_BYTES; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 6; bits -= 6)
			text[used++] = letters[held >> (bits - 6) & 63];
	}
	text[used++] = letters[held << (6 - bits) & 63];
	text[used] = '\0';
	return 0;
}
