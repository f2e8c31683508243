/*
 * Bytes as frames: a byte chooses the link type, one the tunnels; then frames, each with
 * two bytes of length, one of time passed and one that says how much of it was captured.
 * What comes out must lie where it may.
 */
#include <stdint.h>
#include <stdlib.h>

#include "unwrap.h"
#include "link_layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool sense)
{
	if (!sense)
		abort();
}

static void look(const struct ip_packet *ip)
{
	unsigned sum = 0;

	must(!ip->is_fragment);
	must(ip->source.family == ip->destination.family);
	must(cursor_left(&ip->payload) <= ip->payload_len);
	for (const uint8_t *at = ip->payload.at; at < ip->payload.end; at++)
		sum += *at; /* ASan sees what may not be read */
	must(sum <= 255u * cursor_left(&ip->payload));
}

static void feed(struct unwrap *unwrap, struct cursor *cur, int link_type)
{
	struct moment now = {INT64_C(1590854700000000)};
	struct ip_packet ip;

	while (cursor_left(cur) > 4) {
		size_t len = cursor_take_u16(cur);
		uint8_t passed = cursor_take_u8(cur), cut = cursor_take_u8(cur);
		struct cursor frame = cursor_take_sub(cur, len);
		uint32_t captured;

		now = moment_plus_us(now, (int64_t)passed * MOMENT_SECOND_US);
		len = cursor_left(&frame);
		captured = (uint32_t)(len - len * cut / 256);
		if (unwrap_packet(unwrap, &ip, link_type, now, frame.at, captured,
			    (uint32_t)len) == 0)
			look(&ip);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int link_types[] = {LINK_LAYER_ETHERNET, LINK_LAYER_RAW,
		LINK_LAYER_COOKED, LINK_LAYER_COOKED_2, LINK_LAYER_NULL,
		LINK_LAYER_PPP_SERIAL, LINK_LAYER_PPP_ETHER, LINK_LAYER_LOOP};
	struct cursor cur = cursor_over(data, size);
	int link_type = link_types[cursor_take_u8(&cur) % 8];
	unsigned tunnels = cursor_take_u8(&cur) % (1u << UNWRAP_TUNNELS);
	struct unwrap *unwrap;

	must(unwrap_new(&unwrap, tunnels) == 0);
	feed(unwrap, &cur, link_type);
	unwrap_free(unwrap);
	return 0;
}
