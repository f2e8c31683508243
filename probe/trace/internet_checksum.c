#include "internet_checksum.h"

uint32_t internet_checksum_add(uint32_t sum, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (; len > 1; at += 2, len -= 2)
		sum += (uint32_t)(at[0] << 8 | at[1]);
	return len ? sum + (uint32_t)(at[0] << 8) : sum;
}

uint32_t internet_checksum_add_pseudo(uint32_t sum, const struct address *from,
	const struct address *to, uint8_t protocol, size_t len)
{
	size_t address_len = from->family == 6 ? 16 : 4;

	sum = internet_checksum_add(sum, from->bytes, address_len);
	sum = internet_checksum_add(sum, to->bytes, address_len);
	return sum + protocol + (uint32_t)len;
}

uint16_t internet_checksum_fold(uint32_t sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)((sum >> 16) + sum);
}
