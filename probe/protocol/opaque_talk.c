#include "opaque_talk.h"

#include "tls_records.h"

#define CLIENT_HELLO 1
#define RECORD_MAX_HIGH 0x48 /* of the two bytes of a record's length */

/* Greeting, features, and the agreement itself take two or three. Their events, and those
 * of the handshake behind them, have room before the name (EXCHANGE_EVENTS_AHEAD). */
#define NAMELESS_TURNS 4

void opaque_talk_init(
	struct opaque_talk *talk, const struct exchange_sink *sink, bool may_agree)
{
	*talk = (struct opaque_talk){.nameless = !may_agree};
	turns_init(&talk->turns, false);
	if (talk->nameless)
		exchange_nameless(sink);
}

static bool may_be_hello_byte(unsigned at, uint8_t byte)
{
	switch (at) {
	case 0:
		return byte == TLS_RECORDS_HANDSHAKE;
	case 1:
		return byte == 3;
	case 2:
		return byte <= 3;
	case 3:
		return byte <= RECORD_MAX_HIGH;
	case 5:
		return byte == CLIENT_HELLO;
	default:
		return true;
	}
}

bool opaque_talk_is_hello(const uint8_t *bytes, size_t len)
{
	for (unsigned i = 0; i < len && i < OPAQUE_TALK_HELLO; i++)
		if (!may_be_hello_byte(i, bytes[i]))
			return false;
	return true;
}

static void client_says(
	struct opaque_talk *talk, const struct exchange_sink *sink, struct moment at)
{
	bool begins = !talk->turns.open || talk->turns.passed;

	talk->hello_len = 0;
	if (begins && !talk->nameless && ++talk->turn_count > NAMELESS_TURNS) {
		exchange_nameless(sink);
		talk->nameless = true;
	}
	talk->client_speaks = true;
	turns_client(&talk->turns, sink, at);
}

/* How a client's turn begins is awaited until it is known to be TLS, or not. */
static bool takes_hello(struct opaque_talk *talk, struct cursor *bytes, struct moment at)
{
	while (talk->hello_len < OPAQUE_TALK_HELLO && cursor_left(bytes) > 0) {
		uint8_t byte = cursor_take_u8(bytes);

		if (!may_be_hello_byte(talk->hello_len, byte))
			return false;
		talk->hello[talk->hello_len++] = byte;
		talk->hello_at = at;
	}
	return true;
}

bool opaque_talk_client(struct opaque_talk *talk, const struct exchange_sink *sink,
	struct cursor *bytes, struct moment at)
{
	if (talk->client_speaks || !takes_hello(talk, bytes, at)) {
		client_says(talk, sink, at);
		return false;
	}
	if (talk->hello_len < OPAQUE_TALK_HELLO)
		return false;
	turns_end(&talk->turns, sink);
	return true;
}

void opaque_talk_server(
	struct opaque_talk *talk, const struct exchange_sink *sink, struct moment at)
{
	if (talk->hello_len > 0)
		client_says(talk, sink, talk->hello_at);
	talk->client_speaks = false;
	turns_server(&talk->turns, sink, at, 0);
}

void opaque_talk_lost(struct opaque_talk *talk)
{
	talk->hello_len = 0;
	talk->client_speaks = true;
}

void opaque_talk_end(struct opaque_talk *talk, const struct exchange_sink *sink)
{
	if (talk->hello_len > 0)
		client_says(talk, sink, talk->hello_at);
	turns_end(&talk->turns, sink);
}
