/*
 * DNS messages for tests, byte by byte; no compression.
 */
#ifndef ASTRAY_DNS_BUILDER_H
#define ASTRAY_DNS_BUILDER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "astray/address.h"
#include "astray/dns_message.h"

struct dns_builder {
	uint8_t bytes[4096];
	size_t len;
};

static inline void dns_builder_u8(struct dns_builder *b, unsigned value)
{
	b->bytes[b->len++] = (uint8_t)value;
}

static inline void dns_builder_u16(struct dns_builder *b, unsigned value)
{
	dns_builder_u8(b, value >> 8);
	dns_builder_u8(b, value & 0xff);
}

static inline void dns_builder_u32(struct dns_builder *b, uint32_t value)
{
	dns_builder_u16(b, value >> 16);
	dns_builder_u16(b, value & 0xffff);
}

static inline void dns_builder_raw(struct dns_builder *b, const void *bytes, size_t len)
{
	memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

static inline void dns_builder_name(struct dns_builder *b, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		dns_builder_u8(b, (unsigned)len);
		dns_builder_raw(b, name, len);
		name += len + (name[len] == '.');
	}
	dns_builder_u8(b, 0);
}

#define DNS_BUILDER_ANSWER 0x8000u
#define DNS_BUILDER_AA 0x0400u
#define DNS_BUILDER_TC 0x0200u

/* The header, without records yet, and the question. */
static inline void dns_builder_begin(struct dns_builder *b, unsigned id, unsigned flags,
	const char *name, unsigned type)
{
	b->len = 0;
	dns_builder_u16(b, id);
	dns_builder_u16(b, flags);
	dns_builder_u16(b, 1);
	dns_builder_u16(b, 0);
	dns_builder_u32(b, 0);
	dns_builder_name(b, name);
	dns_builder_u16(b, type);
	dns_builder_u16(b, 1);
}

/* Sections must come in their order. The length is set by dns_builder_end. */
static inline size_t dns_builder_record(struct dns_builder *b, enum dns_section section,
	const char *owner, unsigned type, uint32_t ttl)
{
	b->bytes[7 + 2 * section]++;
	dns_builder_name(b, owner);
	dns_builder_u16(b, type);
	dns_builder_u16(b, 1);
	dns_builder_u32(b, ttl);
	dns_builder_u16(b, 0);
	return b->len;
}

static inline void dns_builder_end(struct dns_builder *b, size_t start)
{
	b->bytes[start - 2] = (uint8_t)((b->len - start) >> 8);
	b->bytes[start - 1] = (uint8_t)(b->len - start);
}

static inline void dns_builder_host(struct dns_builder *b, enum dns_section section,
	const char *owner, unsigned type, const char *host)
{
	size_t start = dns_builder_record(b, section, owner, type, 600);

	if (type == DNS_MX)
		dns_builder_u16(b, 10);
	dns_builder_name(b, host);
	dns_builder_end(b, start);
}

static inline void dns_builder_address(struct dns_builder *b, enum dns_section section,
	const char *owner, const char *text)
{
	struct address address;
	size_t start;

	(void)address_parse(&address, text);
	start = dns_builder_record(
		b, section, owner, address.family == 6 ? DNS_AAAA : DNS_A, 600);
	dns_builder_raw(b, address.bytes, address.family == 6 ? 16 : 4);
	dns_builder_end(b, start);
}

static inline void dns_builder_soa(
	struct dns_builder *b, enum dns_section section, const char *owner)
{
	size_t start = dns_builder_record(b, section, owner, DNS_SOA, 60);

	dns_builder_name(b, "ns.example");
	dns_builder_name(b, "hostmaster.example");
	for (uint32_t i = 1; i <= 5; i++)
		dns_builder_u32(b, i);
	dns_builder_end(b, start);
}

static inline void dns_builder_ds(
	struct dns_builder *b, enum dns_section section, const char *owner, unsigned tag)
{
	size_t start = dns_builder_record(b, section, owner, DNS_DS, 600);

	dns_builder_u16(b, tag);
	dns_builder_u8(b, 13);
	dns_builder_u8(b, 2);
	dns_builder_u32(b, 0xdeadbeef);
	dns_builder_end(b, start);
}

#endif
