#include "link_layer.h"

#include <string.h>

#include "astray/status.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define TAGS_MAX 4 /* two are QinQ; nobody stacks more than a few */

static bool is_vlan_tag(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

static int enter_ethertype(struct cursor *cur, uint16_t ethertype)
{
	for (unsigned tags = 0; is_vlan_tag(ethertype) && tags < TAGS_MAX; tags++) {
		cursor_skip(cur, 2);
		ethertype = cursor_take_u16(cur);
	}
	if (cur->short_read)
		return STATUS_SHORT;
	if (ethertype != ETHERTYPE_IPV4 && ethertype != ETHERTYPE_IPV6)
		return STATUS_NOT_OURS;
	return 0;
}

static int enter_ethernet(struct cursor *cur)
{
	cursor_skip(cur, 12);
	return enter_ethertype(cur, cursor_take_u16(cur));
}

static int enter_cooked(struct cursor *cur)
{
	cursor_skip(cur, 14);
	return enter_ethertype(cur, cursor_take_u16(cur));
}

static int enter_cooked_2(struct cursor *cur)
{
	uint16_t ethertype = cursor_take_u16(cur);

	cursor_skip(cur, 18);
	return enter_ethertype(cur, ethertype);
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
