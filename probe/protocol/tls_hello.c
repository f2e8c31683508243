#include "tls_hello.h"

#include <string.h>

#include "astray/cursor.h"
#include "astray/status.h"

#define CLIENT_HELLO 1
#define SERVER_HELLO 2
#define EXTENSION_SERVER_NAME 0
#define EXTENSION_ALPN 16
#define EXTENSION_EARLY_DATA 42
#define EXTENSION_SUPPORTED_VERSIONS 43
#define EXTENSION_ENCRYPTED_HELLO 0xfe0d
#define NAME_TYPE_HOST 0
#define VERSION_1_3 0x0304

/* The ServerHello.random that marks a HelloRetryRequest (RFC 8446 §4.1.3). */
static const uint8_t retry_random[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
	0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a,
	0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

size_t tls_hello_message_len(const uint8_t *bytes, size_t len)
{
	if (len < 4)
		return 0;
	return 4 + ((size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3]);
}

static void read_server_name(struct tls_hello *out, struct cursor extension)
{
	uint16_t name_len;
	const uint8_t *name;

	cursor_skip(&extension, 2);
	if (cursor_take_u8(&extension) != NAME_TYPE_HOST)
		return;
	name_len = cursor_take_u16(&extension);
	name = cursor_take(&extension, name_len);
	if (!name || name_len == 0)
		return;
	out->server_name = (const char *)name;
	out->server_name_len = name_len;
}

/* Source: RFC 7301 §3.1. */
static bool names_h2(struct cursor extension)
{
	struct cursor list = cursor_take_sub(&extension, cursor_take_u16(&extension));

	while (cursor_left(&list) > 0) {
		uint8_t len = cursor_take_u8(&list);
		const uint8_t *name = cursor_take(&list, len);

		if (name && len == 2 && memcmp(name, "h2", 2) == 0)
			return true;
	}
	return false;
}

static void read_extensions(struct tls_hello *out, struct cursor *cur, bool of_server)
{
	struct cursor extensions = cursor_take_sub(cur, cursor_take_u16(cur));

	while (cursor_left(&extensions) > 0) {
		uint16_t type = cursor_take_u16(&extensions);
		uint16_t len = cursor_take_u16(&extensions);
		struct cursor extension = cursor_take_sub(&extensions, len);

		if (extension.short_read)
			break;
		if (type == EXTENSION_SERVER_NAME && !of_server)
			read_server_name(out, extension);
		else if (type == EXTENSION_ALPN && of_server)
			out->chooses_h2 = names_h2(extension);
		else if (type == EXTENSION_ALPN)
			out->offers_h2 = names_h2(extension);
		else if (type == EXTENSION_EARLY_DATA && !of_server)
			out->offers_early_data = true;
		else if (type == EXTENSION_ENCRYPTED_HELLO && !of_server)
			out->offers_secret_name = true;
		else if (type == EXTENSION_SUPPORTED_VERSIONS && of_server)
			out->is_1_3 = cursor_take_u16(&extension) == VERSION_1_3;
	}
	if (extensions.short_read)
		cur->short_read = true;
}

/* Moves to what stands behind the version of old (see supported_versions). A message that
 * is cut is read as far as it goes: what is wanted may stand in the part that came. */
static int enter_message(struct cursor *cur, uint8_t type, bool *cut)
{
	if (cursor_take_u8(cur) != type && !cur->short_read)
		return STATUS_SYNTAX;
	*cur = cursor_take_sub(cur, cursor_take_u24(cur));
	*cut = cur->short_read;
	cur->short_read = false;
	cursor_skip(cur, 2);
	return 0;
}

int tls_hello_read_client(struct tls_hello *out, const uint8_t *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	bool cut;

	*out = (struct tls_hello){0};
	if (enter_message(&cur, CLIENT_HELLO, &cut))
		return STATUS_SYNTAX;
	cursor_skip(&cur, 32);
	cursor_skip(&cur, cursor_take_u8(&cur));
	cursor_skip(&cur, cursor_take_u16(&cur));
	cursor_skip(&cur, cursor_take_u8(&cur));
	if (cursor_left(&cur) > 0)
		read_extensions(out, &cur, false);
	return cut || cur.short_read ? STATUS_SHORT : 0;
}

int tls_hello_read_server(struct tls_hello *out, const uint8_t *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	const uint8_t *random;
	bool cut;

	*out = (struct tls_hello){0};
	if (enter_message(&cur, SERVER_HELLO, &cut))
		return STATUS_SYNTAX;
	random = cursor_take(&cur, sizeof(retry_random));
	out->is_retry = random && memcmp(random, retry_random, sizeof(retry_random)) == 0;
	cursor_skip(&cur, cursor_take_u8(&cur));
	out->suite = cursor_take_u16(&cur);
	cursor_skip(&cur, 1);
	if (cursor_left(&cur) > 0)
		read_extensions(out, &cur, true);
	return cut || cur.short_read ? STATUS_SHORT : 0;
}
