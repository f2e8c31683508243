/*
 * Any bytes as what a raw socket hands over: a first byte chooses how it came (4: IPv4,
 * 6: ICMPv6, 7: TCP, 8: UDP over IPv6), the rest is the packet. IPv4's ICMP checksum is
 * made right first, since nearly all would end there.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "internet_checksum.h"
#include "reply_packet.h"

#define PACKET_MAX 1536

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void seal(uint8_t *packet, size_t len)
{
	size_t header_len = len ? (packet[0] & 0xfu) * 4 : 0;
	uint16_t sum;

	if (header_len + 8 > len || packet[9] != IPPROTO_ICMP)
		return;
	packet[header_len + 2] = packet[header_len + 3] = 0;
	sum = (uint16_t)~internet_checksum_fold(
		internet_checksum_add(0, packet + header_len, len - header_len));
	packet[header_len + 2] = (uint8_t)(sum >> 8);
	packet[header_len + 3] = (uint8_t)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct address from = {.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8}};
	struct reply_packet reply;
	uint8_t packet[PACKET_MAX];
	uint8_t protocol;
	int rc;

	if (len < 1 || len > PACKET_MAX)
		return 0;
	memcpy(packet, bytes + 1, len - 1);
	protocol = bytes[0] == 7   ? IPPROTO_TCP
		   : bytes[0] == 8 ? IPPROTO_UDP
				   : IPPROTO_ICMPV6;
	if (bytes[0] == 4) {
		seal(packet, len - 1);
		rc = reply_packet_read_v4(&reply, packet, len - 1);
	} else {
		rc = reply_packet_read_v6(&reply, &from, protocol, packet, len - 1);
	}
	if (rc)
		return 0;
	assert(reply.from.family == 4 || reply.from.family == 6);
	assert(reply.mpls_count <= OBS_MPLS);
	assert(!reply.is_data || reply.kind == REPLY_ARRIVED);
	assert(reply.kind != REPLY_UNREACHABLE || !address_equal(&reply.from, &reply.to));
	return 0;
}
