/*
 * The checksum of IP, ICMP, UDP and TCP (RFC 1071): the one's complement of a one's
 * complement sum of 16-bit words. Sums are added up first and folded once.
 */
#ifndef TRACE_INTERNET_CHECKSUM_H
#define TRACE_INTERNET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"

/* Adds bytes, of which an odd last one counts as the upper half of a word. */
uint32_t internet_checksum_add(uint32_t sum, const void *bytes, size_t len);
/* Adds what TCP, UDP and ICMPv6 count in besides their own bytes (RFC 793, RFC 8200 8.1).
 */
uint32_t internet_checksum_add_pseudo(uint32_t sum, const struct address *from,
	const struct address *to, uint8_t protocol, size_t len);
/* The sum in 16 bits; 0xffff where a checksum is among what was added and is right. */
uint16_t internet_checksum_fold(uint32_t sum);

#endif
