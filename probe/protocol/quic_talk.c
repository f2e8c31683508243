#include "quic_talk.h"

#include "astray/status.h"
#include "tls_hello.h"

/* What a datagram has besides its id when it only acknowledges: its first byte and
 * number, the frame with a range or two, the seal. The head of a request is longer, even
 * of one that was asked before. */
#define ACKNOWLEDGEMENT 33u

/* Larger datagrams than those before, up to what Ethernet carries, ask whether the path
 * lets them through, and hold nothing (RFC 8899). */
#define PROBE_MOST 1500

#define COPY_US \
	5000 /* a mirror shows a packet twice within this; no client is so impatient */
#define OPENED_MAX 4 /* of the server's: what refuses comes first */

void quic_talk_init(struct quic_talk *talk)
{
	*talk = (struct quic_talk){0};
	quic_hello_init(&talk->hello);
	turns_init(&talk->turns, false);
	talk->largest[EXCHANGE_CLIENT] = talk->largest[EXCHANGE_SERVER] =
		QUIC_PACKET_INITIAL_DATAGRAM;
}

void quic_talk_drop(struct quic_talk *talk, const struct exchange_sink *sink)
{
	quic_hello_drop(&talk->hello, sink->buffers);
}

bool quic_talk_may_begin(
	struct quic_crypt *crypt, uint8_t *plain, struct cursor datagram, uint32_t len)
{
	struct quic_packet packet;

	if (len < QUIC_PACKET_INITIAL_DATAGRAM || cursor_left(&datagram) < 7 ||
		datagram.at[0] < 0xc0 || quic_packet_next(&packet, &datagram))
		return false;
	if (packet.type == QUIC_PACKET_FOREIGN)
		return packet.destination.len >= 8;
	if (packet.type != QUIC_PACKET_INITIAL || packet.destination.len < 8)
		return false;
	return !packet.whole ||
	       quic_crypt_open(crypt, plain, &packet, &packet.destination, false) >= 0;
}

bool quic_talk_is_another(const struct quic_talk *talk, struct quic_crypt *crypt,
	uint8_t *plain, struct cursor datagram, uint32_t len)
{
	struct cursor copy = datagram;
	struct quic_packet packet;

	if (!talk->established || cursor_left(&copy) < 7 || copy.at[0] < 0xc0 ||
		quic_packet_next(&packet, &copy) ||
		quic_packet_same_id(&packet.destination, &talk->id))
		return false;
	return quic_talk_may_begin(crypt, plain, datagram, len);
}

bool quic_talk_sent(const struct quic_talk *talk, struct cursor quoted)
{
	struct quic_packet packet;

	return talk->id.len > 0 && quic_packet_next(&packet, &quoted) == 0 &&
	       packet.type == QUIC_PACKET_INITIAL &&
	       quic_packet_same_id(&packet.destination, &talk->id);
}

static void tell_host(struct quic_talk *talk, const struct exchange_sink *sink)
{
	struct cursor bytes = quic_hello_bytes(&talk->hello, sink->buffers);
	struct tls_hello hello = {0};
	struct exchange_host host = {.by = OBS_BY_SERVER_NAME};

	if (talk->named)
		return;
	talk->named = true;
	(void)tls_hello_read_client(&hello, bytes.at, cursor_left(&bytes));
	host.name = hello.server_name;
	host.len = hello.server_name_len;
	host.outer = hello.offers_secret_name;
	sink->host(sink->arg, &host);
	quic_hello_drop(&talk->hello, sink->buffers);
}

/* The keys are made of the id in the first packet that we see; a client that was told to
 * try again, or another version, begins with other ones. */
static int open_client(struct quic_talk *talk, const struct quic_talk_scene *scene,
	const struct quic_packet *packet)
{
	int len = STATUS_SYNTAX;

	if (talk->id.len > 0 && packet->version == talk->version)
		len = quic_crypt_open(
			scene->crypt, scene->plain, packet, &talk->id, false);
	if (len >= 0 || talk->answered)
		return len;
	len = quic_crypt_open(
		scene->crypt, scene->plain, packet, &packet->destination, false);
	if (len < 0)
		return len;
	talk->version = packet->version;
	talk->id = packet->destination;
	quic_hello_drop(&talk->hello, scene->sink->buffers);
	return len;
}

static void client_initial(struct quic_talk *talk, const struct quic_talk_scene *scene,
	struct quic_talk_news *news, const struct quic_packet *packet, struct moment at)
{
	struct quic_hello_frames frames;
	int len;

	if (talk->named && talk->answered)
		return;
	len = open_client(talk, scene, packet);
	if (len < 0)
		return;
	(void)quic_hello_read(talk->named ? NULL : &talk->hello, scene->sink->buffers,
		&frames, cursor_over(scene->plain, (size_t)len));
	if (frames.crypto && !frames.news && !talk->answered &&
		moment_since_us(at, talk->began) > COPY_US)
		news->repeated = true;
	if (!talk->named && quic_hello_is_whole(&talk->hello, scene->sink->buffers))
		tell_host(talk, scene->sink);
}

static bool asks_for_room(struct quic_talk *talk, enum exchange_side side, size_t len)
{
	if (len <= talk->largest[side] || len > PROBE_MOST)
		return false;
	talk->largest[side] = (uint16_t)len;
	return true;
}

/* Whether application data of that length says more than that something has come. */
static bool says_something(struct quic_talk *talk, enum exchange_side side, size_t len)
{
	enum exchange_side peer =
		side == EXCHANGE_CLIENT ? EXCHANGE_SERVER : EXCHANGE_CLIENT;

	return !asks_for_room(talk, side, len) &&
	       len > ACKNOWLEDGEMENT + talk->id_len[peer];
}

static void client_data(struct quic_talk *talk, const struct quic_talk_scene *scene,
	size_t len, struct moment at)
{
	tell_host(talk, scene->sink);
	if (says_something(talk, EXCHANGE_CLIENT, len))
		turns_client(&talk->turns, scene->sink, at);
}

static void client_packet(struct quic_talk *talk, const struct quic_talk_scene *scene,
	struct quic_talk_news *news, const struct quic_packet *packet, size_t len,
	struct moment at)
{
	if (!talk->began.us)
		talk->began = at;
	if (talk->answered && !talk->confirmed)
		talk->confirmed = news->confirmed = true;
	switch (packet->type) {
	case QUIC_PACKET_INITIAL:
		client_initial(talk, scene, news, packet, at);
		break;
	case QUIC_PACKET_EARLY:
		client_data(talk, scene, len, at);
		break;
	case QUIC_PACKET_SHORT:
		if (!talk->established)
			talk->established = news->established = true;
		spin_bit_client(&talk->spin, packet->spin, at);
		client_data(talk, scene, len, at);
		break;
	case QUIC_PACKET_HANDSHAKE:
	case QUIC_PACKET_RETRY:
	case QUIC_PACKET_NEGOTIATION:
	case QUIC_PACKET_FOREIGN:
		break;
	}
}

static void server_initial(struct quic_talk *talk, const struct quic_talk_scene *scene,
	struct quic_talk_news *news, const struct quic_packet *packet)
{
	struct quic_hello_frames frames;
	int len;

	if (talk->established || talk->opened == OPENED_MAX)
		return;
	talk->opened++;
	len = quic_crypt_open(scene->crypt, scene->plain, packet, &talk->id, true);
	if (len < 0)
		return;
	(void)quic_hello_read(NULL, scene->sink->buffers, &frames,
		cursor_over(scene->plain, (size_t)len));
	news->refused = frames.close;
}

/* The client has to begin again, with the id that it was given. */
static void retry(struct quic_talk *talk, const struct exchange_sink *sink,
	const struct quic_packet *packet)
{
	if (talk->established)
		return;
	talk->id = packet->source;
	quic_hello_drop(&talk->hello, sink->buffers);
}

static void server_packet(struct quic_talk *talk, const struct quic_talk_scene *scene,
	struct quic_talk_news *news, const struct quic_packet *packet, size_t len,
	struct moment at)
{
	if (packet->type == QUIC_PACKET_NEGOTIATION) {
		talk->foreign = !talk->answered;
		return;
	}
	if (!talk->answered)
		talk->answered = news->answered = true;
	talk->foreign = false;
	switch (packet->type) {
	case QUIC_PACKET_INITIAL:
		server_initial(talk, scene, news, packet);
		break;
	case QUIC_PACKET_HANDSHAKE:
		tell_host(talk, scene->sink); /* the hello was understood */
		break;
	case QUIC_PACKET_RETRY:
		retry(talk, scene->sink, packet);
		break;
	case QUIC_PACKET_SHORT:
		news->rtt_us = spin_bit_server(
			&talk->spin, packet->spin, scene->least_rtt_us, at);
		if (says_something(talk, EXCHANGE_SERVER, len))
			turns_server(&talk->turns, scene->sink, at, 0);
		break;
	case QUIC_PACKET_EARLY:
	case QUIC_PACKET_NEGOTIATION:
	case QUIC_PACKET_FOREIGN:
		break;
	}
}

/* Who sends says how the other is to call it; and its first datagrams are as large as it
 * thinks right without asking. */
static void note_long(struct quic_talk *talk, enum exchange_side side,
	const struct quic_packet *packet, uint32_t len)
{
	talk->id_len[side] = packet->source.len;
	if (len > talk->largest[side] && len <= PROBE_MOST)
		talk->largest[side] = (uint16_t)len;
}

void quic_talk_datagram(struct quic_talk *talk, const struct quic_talk_scene *scene,
	struct quic_talk_news *news, enum exchange_side side, struct cursor datagram,
	uint32_t len, struct moment at)
{
	size_t cut = len - cursor_left(&datagram);
	const uint8_t *start = datagram.at;
	struct quic_packet packet;

	*news = (struct quic_talk_news){.rtt_us = -1};
	/* Behind a packet zeroes may fill a datagram up. */
	while (cursor_left(&datagram) > 0 &&
		(datagram.at == start || datagram.at[0] != 0) &&
		quic_packet_next(&packet, &datagram) == 0) {
		if (packet.version != 0)
			note_long(talk, side, &packet, len);
		if (side == EXCHANGE_CLIENT)
			client_packet(talk, scene, news, &packet, packet.len + cut, at);
		else
			server_packet(talk, scene, news, &packet, packet.len + cut, at);
	}
}

void quic_talk_end(struct quic_talk *talk, const struct exchange_sink *sink)
{
	turns_end(&talk->turns, sink);
}
