#include "astray/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "astray/status.h"

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct address address_v4(const void *four_bytes)
{
	struct address address = {.family = 4};

	memcpy(address.bytes, four_bytes, 4);
	return address;
}

struct address address_v6(const void *sixteen_bytes)
{
	struct address address = {.family = 6};

	if (memcmp(sixteen_bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
		return address_v4((const uint8_t *)sixteen_bytes + sizeof(mapped_prefix));
	memcpy(address.bytes, sixteen_bytes, 16);
	return address;
}

int address_parse(struct address *out, const char *text)
{
	uint8_t bytes[16];

	*out = (struct address){0};
	if (inet_pton(AF_INET, text, bytes) == 1)
		*out = address_v4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*out = address_v6(bytes);
	else
		return STATUS_SYNTAX;
	return 0;
}

const char *address_text(const struct address *address, char buf[static ADDRESS_TEXT])
{
	/* glibc's IPv6 is RFC 5952's: lower case, the longest run of zeros once. */
	if (address->family == 4)
		(void)inet_ntop(AF_INET, address->bytes, buf, ADDRESS_TEXT);
	else if (address->family == 6)
		(void)inet_ntop(AF_INET6, address->bytes, buf, ADDRESS_TEXT);
	else
		(void)snprintf(buf, ADDRESS_TEXT, "-");
	return buf;
}

int address_from_sockaddr(struct address *out, uint16_t *port, const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	*out = (struct address){0};
	switch (sa->sa_family) {
	case AF_INET:
		memcpy(&in, sa, sizeof(in));
		*out = address_v4(&in.sin_addr);
		if (port)
			*port = ntohs(in.sin_port);
		return 0;
	case AF_INET6:
		memcpy(&in6, sa, sizeof(in6));
		*out = address_v6(&in6.sin6_addr);
		if (port)
			*port = ntohs(in6.sin6_port);
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

unsigned address_to_sockaddr(const struct address *address, uint16_t port, void *storage)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memset(storage, 0, sizeof(struct sockaddr_storage));
	if (address->family == 4) {
		memcpy(&in.sin_addr, address->bytes, 4);
		memcpy(storage, &in, sizeof(in));
		return sizeof(in);
	}
	if (address->family == 6) {
		memcpy(&in6.sin6_addr, address->bytes, 16);
		memcpy(storage, &in6, sizeof(in6));
		return sizeof(in6);
	}
	return 0;
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool address_equal(const struct address *a, const struct address *b)
{
	return address_compare(a, b) == 0;
}

uint64_t address_hash(const struct address *address, uint64_t seed)
{
	uint64_t words[2];
	uint64_t hash = seed ^ address->family * UINT64_C(0x9e3779b97f4a7c15);

	memcpy(words, address->bytes, sizeof(words));
	for (int i = 0; i < 2; i++) { /* the finaliser of MurmurHash3, once a word */
		hash ^= words[i];
		hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
		hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
		hash ^= hash >> 33;
	}
	return hash;
}

bool address_is_private(const struct address *address)
{
	const uint8_t *b = address->bytes;

	if (address->family == 4)
		return b[0] == 10 || b[0] == 127 || b[0] == 0 ||
		       (b[0] == 172 && (b[1] & 0xf0) == 16) ||
		       (b[0] == 192 && b[1] == 168) || (b[0] == 169 && b[1] == 254) ||
		       (b[0] == 100 && (b[1] & 0xc0) == 64);
	if (address->family == 6) {
		static const uint8_t none[15];

		return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) ||
		       (memcmp(b, none, sizeof(none)) == 0 && b[15] <= 1);
	}
	return false;
}
