/*
 * Bytes as packets. The first byte chooses the link type and the snap length; then come
 * packets: two bytes of length, one of time passed, the frame. Whatever they hold, what
 * is emitted must make sense.
 */
#include <stdint.h>
#include <stdlib.h>

#include "astray/cursor.h"
#include "link_layer.h"
#include "meter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool sense)
{
	if (!sense)
		abort();
}

static void emitted(void *arg, const struct obs *obs)
{
	const struct obs_traffic *traffic = &obs->traffic;

	(void)arg;
	must(traffic->service[0] && traffic->window_us > 0);
	must(traffic->requests >= 0 && traffic->responses >= 0 && traffic->untimed >= 0);
	must(traffic->peer_count <= OBS_PEERS);
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		must(traffic->sketches[i].min >= 0);
}

static void feed(struct meter *meter, struct cursor *cur, int link_type, bool cut)
{
	struct moment now = {INT64_C(1590854700000000)};

	while (cursor_left(cur) > 3) {
		size_t len = cursor_take_u16(cur);
		struct cursor frame;

		now = moment_plus_us(now, (int64_t)cursor_take_u8(cur) * 1000);
		frame = cursor_take_sub(cur, len);
		len = cursor_left(&frame);
		meter_packet(meter, link_type, now, frame.at,
			(uint32_t)(cut && len > 100 ? 100 : len), (uint32_t)len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int link_types[] = {LINK_LAYER_ETHERNET, LINK_LAYER_RAW,
		LINK_LAYER_COOKED, LINK_LAYER_COOKED_2, LINK_LAYER_NULL};
	struct cursor cur = cursor_over(data, size);
	uint8_t choice = cursor_take_u8(&cur);
	struct services services = {0};
	struct meter_config config = {.window_us = MOMENT_SECOND_US,
		.pause_us = 10 * MOMENT_SECOND_US,
		.flows = 16,
		.service_limit = 4,
		.emit = emitted};
	struct meter *meter;

	must(meter_new(&meter, &config, &services) == 0);
	feed(meter, &cur, link_types[choice % 5], choice & 0x80);
	meter_finish(meter);
	meter_free(meter);
	return 0;
}
