/*
 * An IPv4 or IPv6 header with its options and extension headers, as far as the transport
 * header; of a fragment, as far as the part of the packet that it carries. Lengths are
 * those that IP declares, never the frame's: Ethernet pads short frames. Only where IP
 * declares none (segmentation offload, jumbo option) the frame's length counts. Checksums
 * are not looked at: local captures see packets before the card fills them in. Source:
 * RFC 791, RFC 8200, RFC 2675.
 */
#ifndef PACKET_IP_LAYER_H
#define PACKET_IP_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/cursor.h"

struct ip_packet {
	struct address source, destination;
	uint8_t protocol;      /* of what the payload begins with */
	uint8_t ttl;           /* or hop limit, as captured */
	uint16_t id;           /* IPv4 identification; 0 for IPv6 */
	uint32_t payload_len;  /* as sent */
	struct cursor payload; /* what was captured of it */
	/* Of a part of a larger packet: which one's, and where it belongs. */
	bool is_fragment, more_follow;
	uint16_t part_at;
	uint32_t whole_id;
};

/* wire_len: bytes that the frame had from the IP header on, captured or not. 0,
 * STATUS_SHORT when the header is cut, STATUS_SYNTAX when its lengths contradict each
 * other. */
int ip_layer_read(struct ip_packet *out, struct cursor cur, uint32_t wire_len);
/* Steps over the IPv6 extension headers that the payload begins with, as that of a packet
 * does which was put together again. */
int ip_layer_step_over_extensions(struct ip_packet *ip);

#endif
