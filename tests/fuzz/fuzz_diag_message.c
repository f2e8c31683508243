/* Any bytes as datagrams of the kernel, each with two bytes of length: reading ends,
 * inside what was given, and what is counted makes sense. */
#include <stdint.h>
#include <stdlib.h>

#include "astray/cursor.h"
#include "socket_meter.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void emitted(void *arg, const struct obs *obs)
{
	const struct obs_traffic *traffic = &obs->traffic;

	(void)arg;
	if (traffic->requests != OBS_ABSENT || traffic->connections < 0 ||
		traffic->sent_bytes < 0 || traffic->retransmits < 0)
		abort();
}

static void hear(void *arg, const struct diag_message *message)
{
	socket_meter_hear(arg, message);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct services services = {0};
	struct socket_meter_config config = {.window_us = MOMENT_SECOND_US,
		.pause_us = 10 * MOMENT_SECOND_US,
		.sockets = 8,
		.service_limit = 4,
		.emit = emitted};
	struct moment now = {INT64_C(1590854700000000)};
	struct cursor cur = cursor_over(bytes, len);
	struct address_book *book;
	struct socket_meter *meter;

	if (address_book_new(&book, &services) ||
		socket_meter_new(&meter, &config, &services, book))
		abort();
	while (cursor_left(&cur) > 2) {
		struct cursor datagram = cursor_take_sub(&cur, cursor_take_u16(&cur));

		socket_meter_advance(meter, now);
		now = moment_plus_us(now, MOMENT_SECOND_US / 4);
		if (diag_message_read(datagram.at, cursor_left(&datagram), hear, meter))
			socket_meter_list_ended(meter);
	}
	socket_meter_finish(meter);
	socket_meter_free(meter);
	address_book_free(book);
	return 0;
}
