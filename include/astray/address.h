/*
 * An IP address of either family as a plain value. Text is RFC 5952 for IPv6. An
 * IPv4-mapped IPv6 address reads as the IPv4 address it stands for.
 */
#ifndef ASTRAY_ADDRESS_H
#define ASTRAY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

struct address {
	uint8_t family;    /* 4, 6, or 0: none */
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest are zero
			    */
};

#define ADDRESS_TEXT 46

int address_parse(struct address *out, const char *text);
const char *address_text(const struct address *address, char buf[static ADDRESS_TEXT]);

struct address address_v4(const void *four_bytes);
struct address address_v6(const void *sixteen_bytes);

/* From and to the kernel's form; from_sockaddr sets *port (host order) when it is not
 * NULL. `storage` must be a struct sockaddr_storage; the result is the length to pass on.
 */
int address_from_sockaddr(struct address *out, uint16_t *port, const struct sockaddr *sa);
unsigned address_to_sockaddr(const struct address *address, uint16_t port, void *storage);

bool address_equal(const struct address *a, const struct address *b);
int address_compare(const struct address *a, const struct address *b);
uint64_t address_hash(const struct address *address, uint64_t seed);

/* Private, loopback, link-local, shared (RFC 6598) or unique local: not a place on the
 * map. */
bool address_is_private(const struct address *address);

#endif
