#include "link_layer.h"

#include "astray/status.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_MPLS_MULTICAST 0x8848
#define ETHERTYPE_PPPOE_SESSION 0x8864
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057
#define TAGS_MAX 8 /* VLAN tags and MPLS labels; networks stack a few of each */

static int enter_tagged(struct cursor *cur, uint16_t ethertype, unsigned tags);

static bool is_vlan_tag(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

static int enter_ppp(struct cursor *cur)
{
	uint16_t protocol = cursor_take_u8(cur);

	/* Odd ends the number: one whose first octet would be 0 may be sent in one. */
	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | cursor_take_u8(cur));
	if (cur->short_read)
		return STATUS_SHORT;
	return protocol == PPP_IPV4 || protocol == PPP_IPV6 ? 0 : STATUS_NOT_OURS;
}

/* Serial lines put address and control in front, which peers may agree to leave out. */
static int enter_ppp_frame(struct cursor *cur)
{
	if (cursor_left(cur) > 0 && cur->at[0] == 0xff)
		cursor_skip(cur, 2);
	return enter_ppp(cur);
}

static int enter_pppoe(struct cursor *cur)
{
	uint16_t version_and_code = cursor_take_u16(cur);

	cursor_skip(cur, 4);
	if (cur->short_read)
		return STATUS_SHORT;
	return version_and_code == 0x1100 ? enter_ppp(cur) : STATUS_NOT_OURS;
}

/* Labels do not say what they carry: the first half octet behind them does. */
static int enter_mpls(struct cursor *cur, unsigned tags)
{
	bool bottom = false;

	while (!bottom && !cur->short_read) {
		if (tags++ == TAGS_MAX)
			return STATUS_LIMIT;
		bottom = cursor_take_u32(cur) >> 8 & 1;
	}
	if (cur->short_read || cursor_left(cur) == 0)
		return STATUS_SHORT;
	switch (cur->at[0] >> 4) {
	case 4:
	case 6:
		return 0;
	case 0: /* a control word, behind which Ethernet is carried */
		cursor_skip(cur, 4 + 12);
		return enter_tagged(cur, cursor_take_u16(cur), tags);
	default:
		return STATUS_NOT_OURS;
	}
}

static int enter_tagged(struct cursor *cur, uint16_t ethertype, unsigned tags)
{
	while (is_vlan_tag(ethertype)) {
		if (tags++ == TAGS_MAX)
			return STATUS_LIMIT;
		cursor_skip(cur, 2);
		ethertype = cursor_take_u16(cur);
	}
	if (cur->short_read)
		return STATUS_SHORT;
	switch (ethertype) {
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
		return 0;
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		return enter_mpls(cur, tags);
	case ETHERTYPE_PPPOE_SESSION:
		return enter_pppoe(cur);
	default:
		return STATUS_NOT_OURS;
	}
}

int link_layer_enter_ethertype(struct cursor *cur, uint16_t ethertype)
{
	return enter_tagged(cur, ethertype, 0);
}

static int enter_ethernet(struct cursor *cur)
{
	cursor_skip(cur, 12);
	return link_layer_enter_ethertype(cur, cursor_take_u16(cur));
}

static int enter_cooked(struct cursor *cur)
{
	cursor_skip(cur, 14);
	return link_layer_enter_ethertype(cur, cursor_take_u16(cur));
}

static int enter_cooked_2(struct cursor *cur)
{
	uint16_t ethertype = cursor_take_u16(cur);

	cursor_skip(cur, 18);
	return link_layer_enter_ethertype(cur, ethertype);
}

static bool is_internet_family(uint32_t family)
{
	/* IPv4 is 2 everywhere; IPv6 is 10 on Linux, 24, 28 or 30 on the BSDs. */
	return family == 2 || family == 10 || family == 24 || family == 28 ||
	       family == 30;
}

static int enter_family(struct cursor *cur)
{
	uint32_t family = cursor_take_u32(cur);

	if (cur->short_read)
		return STATUS_SHORT;
	/* NULL writes it in the capturing host's byte order, LOOP in the network's. */
	if (is_internet_family(family) || is_internet_family(__builtin_bswap32(family)))
		return 0;
	return STATUS_NOT_OURS;
}

int link_layer_enter(struct cursor *cur, int type)
{
	switch (type) {
	case LINK_LAYER_ETHERNET:
		return enter_ethernet(cur);
	case LINK_LAYER_COOKED:
		return enter_cooked(cur);
	case LINK_LAYER_COOKED_2:
		return enter_cooked_2(cur);
	case LINK_LAYER_NULL:
	case LINK_LAYER_LOOP:
		return enter_family(cur);
	case LINK_LAYER_PPP:
	case LINK_LAYER_PPP_SERIAL:
		return enter_ppp_frame(cur);
	case LINK_LAYER_PPP_ETHER:
		return enter_pppoe(cur);
	case LINK_LAYER_RAW:
	case LINK_LAYER_RAW_BSD:
	case LINK_LAYER_RAW_OPENBSD:
	case LINK_LAYER_IPV4:
	case LINK_LAYER_IPV6:
		return 0;
	default:
		return STATUS_UNSUPPORTED;
	}
}

bool link_layer_is_known(int type)
{
	struct cursor nothing = cursor_over(NULL, 0);

	return link_layer_enter(&nothing, type) != STATUS_UNSUPPORTED;
}
