#include "unwrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"
#include "link_layer.h"

#define TUNNELS_DEEP 4
/* More than tunnels are deep: the payload of an outer packet must outlive its inner ones.
 */
#define FRAGMENTED_PACKETS 16

#define PROTOCOL_IPV4 4
#define PROTOCOL_UDP 17
#define PROTOCOL_IPV6 41
#define PROTOCOL_GRE 47

#define PORT_VXLAN 4789
#define PORT_VXLAN_LINUX 8472 /* before there was a standard, and still the default */
#define PORT_GENEVE 6081

#define ETHERTYPE_ETHERNET 0x6558 /* transparent bridging */
#define ETHERTYPE_ERSPAN_2 0x88be
#define ETHERTYPE_ERSPAN_3 0x22eb

#define GRE_SEQUENCE 0x1000
#define GRE_FIELDS 0xb000 /* checksum, key, sequence: four octets each */
#define GRE_VERSION_AND_ROUTING 0x4007

struct unwrap {
	struct unwrap_counts counts;
	unsigned tunnels;
	struct fragment_table *fragments;
};

int unwrap_new(struct unwrap **out, unsigned tunnels)
{
	struct unwrap *unwrap = calloc(1, sizeof(*unwrap));
	int rc;

	*out = NULL;
	if (!unwrap)
		return -ENOMEM;
	unwrap->tunnels = tunnels;
	rc = fragment_table_new(&unwrap->fragments, FRAGMENTED_PACKETS);
	if (rc) {
		unwrap_free(unwrap);
		return rc;
	}
	*out = unwrap;
	return 0;
}

void unwrap_free(struct unwrap *unwrap)
{
	if (!unwrap)
		return;
	fragment_table_free(unwrap->fragments);
	free(unwrap);
}

static int enter_erspan_3(struct cursor *cur)
{
	const uint8_t *header = cursor_take(cur, 12);

	if (header && header[11] & 1)
		cursor_skip(cur, 8); /* the platform's own part */
	return link_layer_enter(cur, LINK_LAYER_ETHERNET);
}

static int enter_gre(struct cursor *cur)
{
	uint16_t flags = cursor_take_u16(cur);
	uint16_t ethertype = cursor_take_u16(cur);

	if (cur->short_read)
		return STATUS_SHORT;
	if (flags & GRE_VERSION_AND_ROUTING)
		return STATUS_UNSUPPORTED;
	cursor_skip(cur, 4u * (unsigned)__builtin_popcount(flags & GRE_FIELDS));
	switch (ethertype) {
	case ETHERTYPE_ERSPAN_2: /* its first type has no header of its own */
		cursor_skip(cur, flags & GRE_SEQUENCE ? 8 : 0);
		return link_layer_enter(cur, LINK_LAYER_ETHERNET);
	case ETHERTYPE_ERSPAN_3:
		return enter_erspan_3(cur);
	case ETHERTYPE_ETHERNET:
		return link_layer_enter(cur, LINK_LAYER_ETHERNET);
	default:
		return link_layer_enter_ethertype(cur, ethertype);
	}
}

/* Anybody may send from such a port: what does not begin as the tunnel's header must is
 * an ordinary packet, STATUS_UNKNOWN. */
static int enter_vxlan(struct cursor *cur)
{
	uint32_t flags = cursor_take_u32(cur);
	uint32_t network = cursor_take_u32(cur);

	if (cur->short_read || flags != 0x08000000 || network & 0xff)
		return STATUS_UNKNOWN;
	return link_layer_enter(cur, LINK_LAYER_ETHERNET);
}

static int enter_geneve(struct cursor *cur)
{
	uint8_t version_and_len = cursor_take_u8(cur);
	uint8_t flags = cursor_take_u8(cur);
	uint16_t ethertype = cursor_take_u16(cur);
	uint32_t network = cursor_take_u32(cur);

	if (cur->short_read || version_and_len >> 6 || flags & 0x3f || network & 0xff)
		return STATUS_UNKNOWN;
	cursor_skip(cur, version_and_len * 4u);
	if (ethertype == ETHERTYPE_ETHERNET)
		return link_layer_enter(cur, LINK_LAYER_ETHERNET);
	return link_layer_enter_ethertype(cur, ethertype);
}

static int enter_udp(unsigned tunnels, struct cursor *cur)
{
	uint16_t port;

	cursor_skip(cur, 2);
	port = cursor_take_u16(cur);
	cursor_skip(cur, 4);
	if (tunnels & UNWRAP_VXLAN && (port == PORT_VXLAN || port == PORT_VXLAN_LINUX))
		return enter_vxlan(cur);
	if (tunnels & UNWRAP_GENEVE && port == PORT_GENEVE)
		return enter_geneve(cur);
	return STATUS_UNKNOWN;
}

/* Moves the cursor to the packet inside; STATUS_UNKNOWN when there is none. */
static int enter_tunnel(unsigned tunnels, uint8_t protocol, struct cursor *cur)
{
	switch (protocol) {
	case PROTOCOL_UDP:
		return tunnels & (UNWRAP_VXLAN | UNWRAP_GENEVE) ? enter_udp(tunnels, cur)
								: STATUS_UNKNOWN;
	case PROTOCOL_IPV4:
	case PROTOCOL_IPV6:
		return tunnels & UNWRAP_IP_IN_IP ? 0 : STATUS_UNKNOWN;
	case PROTOCOL_GRE:
		return tunnels & UNWRAP_GRE ? enter_gre(cur) : STATUS_UNKNOWN;
	default:
		return STATUS_UNKNOWN;
	}
}

static int read_whole(struct unwrap *unwrap, struct ip_packet *out, struct cursor cur,
	uint32_t wire_len, struct moment at)
{
	int rc = ip_layer_read(out, cur, wire_len);

	if (rc || !out->is_fragment)
		return rc;
	rc = fragment_table_join(unwrap->fragments, out, at);
	if (rc == 0 && out->source.family == 6)
		rc = ip_layer_step_over_extensions(out);
	/* Parts within what was put together: no sender makes any. */
	return rc == 0 && out->is_fragment ? STATUS_SYNTAX : rc;
}

static uint32_t behind(const struct cursor *start, const struct cursor *cur, uint32_t len)
{
	uint32_t passed = (uint32_t)(cur->at - start->at);

	return passed < len ? len - passed : 0;
}

static int take_off_tunnels(
	struct unwrap *unwrap, struct ip_packet *out, struct moment at)
{
	for (unsigned depth = 0;; depth++) {
		struct cursor cur = out->payload;
		int rc = enter_tunnel(unwrap->tunnels, out->protocol, &cur);

		if (rc == STATUS_UNKNOWN)
			return 0;
		if (rc == STATUS_NOT_OURS || rc == STATUS_UNSUPPORTED) {
			unwrap->counts.unread++;
			return STATUS_UNSUPPORTED;
		}
		if (rc == 0 && depth == TUNNELS_DEEP)
			rc = STATUS_LIMIT;
		if (rc == 0)
			rc = read_whole(unwrap, out, cur,
				behind(&out->payload, &cur, out->payload_len), at);
		if (rc)
			return rc;
		unwrap->counts.tunnelled += depth == 0;
	}
}

int unwrap_packet(struct unwrap *unwrap, struct ip_packet *out, int link_type,
	struct moment at, const uint8_t *bytes, uint32_t captured, uint32_t wire_len)
{
	struct cursor frame = cursor_over(bytes, captured), cur = frame;
	int rc = link_layer_enter(&cur, link_type);

	unwrap->counts.not_ip += rc == STATUS_NOT_OURS;
	if (rc == 0)
		rc = read_whole(unwrap, out, cur, behind(&frame, &cur, wire_len), at);
	if (rc == 0 && unwrap->tunnels)
		rc = take_off_tunnels(unwrap, out, at);
	unwrap->counts.too_deep += rc == STATUS_LIMIT;
	return rc;
}

void unwrap_count(const struct unwrap *unwrap, struct unwrap_counts *counts)
{
	*counts = unwrap->counts;
	counts->fragments = *fragment_table_counts(unwrap->fragments);
}

static unsigned tunnel_by_name(const char *name, size_t len)
{
	static const char names[UNWRAP_TUNNELS][8] = {"gre", "ipip", "vxlan", "geneve"};

	for (unsigned i = 0; i < UNWRAP_TUNNELS; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return 1u << i;
	return 0;
}

int unwrap_parse_tunnels(unsigned *out, const char *list)
{
	unsigned tunnels = 0;

	while (*list) {
		size_t len = strcspn(list, ",");
		unsigned tunnel = tunnel_by_name(list, len);

		if (!tunnel)
			return STATUS_UNKNOWN;
		tunnels |= tunnel;
		list += len + (list[len] == ',');
	}
	*out = tunnels;
	return 0;
}
