#include "udp_datagram.h"

#include "astray/status.h"

#define HEADER_LEN 8

int udp_datagram_read(struct udp_datagram *out, const struct ip_packet *ip)
{
	struct cursor cur = ip->payload;
	uint32_t len;

	out->source_port = cursor_take_u16(&cur);
	out->destination_port = cursor_take_u16(&cur);
	len = cursor_take_u16(&cur);
	cursor_skip(&cur, 2);
	if (cur.short_read)
		return STATUS_SHORT;
	if (len == 0) /* longer than the field can say: offload, or a jumbogram */
		len = ip->payload_len;
	if (len < HEADER_LEN || len > ip->payload_len)
		return STATUS_SYNTAX;
	out->source = ip->source;
	out->destination = ip->destination;
	out->ttl = ip->ttl;
	out->len = len - HEADER_LEN;
	out->data = cursor_over(
		cur.at, cursor_left(&cur) < out->len ? cursor_left(&cur) : out->len);
	return 0;
}
