#include "tls_session.h"

#include <string.h>

#include "buffer_pool.h"
#include "tls_certificate.h"
#include "tls_hello.h"

/* Of most TLS 1.3 records: one byte of inner type, sixteen of tag. */
#define OVERHEAD_1_3 17

/* Lengths of what records hold. */
#define ALERT_LEN 2
#define ALERT_FATAL 2
#define FINISHED_SHA256_LEN (4 + 32)
#define FINISHED_SHA384_LEN (4 + 48)
#define END_OF_EARLY_DATA_LEN 4

/* A server that is busy with a request in early data may finish the handshake, and send
 * tickets, only when it reads the next. */
#define TICKET_TURNS_EARLY 2

void tls_session_init(struct tls_session *session, bool mid_stream)
{
	*session = (struct tls_session){
		.gathered = BUFFER_POOL_NONE,
		.finished = mid_stream,
		.hello_done = {mid_stream, mid_stream},
		.records = {{.lost = mid_stream}, {.lost = mid_stream}},
	};
	tls_inside_init(&session->inside);
	session->inside.turns.ticket_turns = !mid_stream;
}

static void drop_gathered(struct tls_session *session, const struct exchange_sink *sink)
{
	buffer_pool_give(sink->buffers, session->gathered);
	session->gathered = BUFFER_POOL_NONE;
	session->gathered_len = 0;
}

void tls_session_drop(struct tls_session *session, const struct exchange_sink *sink)
{
	drop_gathered(session, sink);
	tls_inside_drop(&session->inside, sink);
}

static void tell_host(struct tls_session *session, const struct exchange_sink *sink,
	const struct exchange_host *host)
{
	if (!session->told)
		sink->host(sink->arg, host);
	session->told = true;
	session->nameless = false;
}

static void tell_nameless(struct tls_session *session, const struct exchange_sink *sink)
{
	const struct exchange_host nobody = {.by = OBS_BY_ADDRESS};

	tell_host(session, sink, &nobody);
}

static void client_hello_read(struct tls_session *session,
	const struct exchange_sink *sink, const uint8_t *bytes, size_t len)
{
	struct exchange_host host = {.by = OBS_BY_SERVER_NAME};
	struct tls_hello hello;

	session->hello_done[EXCHANGE_CLIENT] = true;
	(void)tls_hello_read_client(&hello, bytes, len);
	session->early = hello.offers_early_data;
	session->http2 = hello.offers_h2 ? TLS_HTTP2_OFFERED : TLS_HTTP2_NO;
	session->nameless = !hello.server_name;
	host.name = hello.server_name;
	host.len = hello.server_name_len;
	host.outer = hello.offers_secret_name;
	if (host.name)
		tell_host(session, sink, &host);
}

/* What a record adds to its content: TLS 1.3 an inner type and a tag, TLS 1.2 an explicit
 * nonce with AES-GCM, and the tag. HTTP/2 forbids the suites of old (RFC 9113 §9.2.2). */
static uint8_t overhead_of(uint16_t suite)
{
	switch (suite) {
	case 0x1301: /* AES-128-GCM-SHA256 */
	case 0x1302: /* AES-256-GCM-SHA384 */
	case 0x1303: /* CHACHA20-POLY1305-SHA256 */
	case 0x1304: /* AES-128-CCM-SHA256 */
		return 17;
	case 0x1305: /* AES-128-CCM-8-SHA256 */
		return 9;
	case 0xcca8: /* ECDHE-RSA-CHACHA20-POLY1305 */
	case 0xcca9: /* ECDHE-ECDSA-CHACHA20-POLY1305 */
	case 0xccaa: /* DHE-RSA-CHACHA20-POLY1305 */
		return 16;
	default:
		return 24;
	}
}

/* What stands behind the ServerHello, where that is TLS 1.2: the certificate. */
static void certificate_read(struct tls_session *session,
	const struct exchange_sink *sink, const uint8_t *bytes, size_t len)
{
	size_t hello_len = tls_hello_message_len(bytes, len);
	char name[OBS_NAME];
	struct exchange_host host = {.by = OBS_BY_CERTIFICATE, .name = name};

	if (session->version == TLS_VERSION_OLD && hello_len && len > hello_len &&
		tls_certificate_read(name, bytes + hello_len, len - hello_len) == 0) {
		host.len = strlen(name);
		tell_host(session, sink, &host);
	} else {
		tell_nameless(session, sink);
	}
}

static void server_hello_read(struct tls_session *session,
	const struct exchange_sink *sink, const uint8_t *bytes, size_t len)
{
	struct tls_hello hello;

	if (tls_hello_read_server(&hello, bytes, len) == 0) {
		session->version = hello.is_1_3 ? TLS_VERSION_1_3 : TLS_VERSION_OLD;
		if (!hello.is_1_3)
			session->http2 =
				hello.chooses_h2 ? TLS_HTTP2_CHOSEN : TLS_HTTP2_NO;
		session->overhead = overhead_of(hello.suite);
	}
	/* After a retry request the real hello is still to come. */
	session->hello_done[EXCHANGE_SERVER] = !hello.is_retry;
	if (session->nameless)
		certificate_read(session, sink, bytes, len);
}

static void hello_read(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, const uint8_t *bytes, size_t len)
{
	if (side == EXCHANGE_CLIENT)
		client_hello_read(session, sink, bytes, len);
	else
		server_hello_read(session, sink, bytes, len);
}

/* Puts bytes behind those gathered; false when there is no room for any. */
static bool gather(
	struct tls_session *session, const struct exchange_sink *sink, struct cursor body)
{
	size_t len = cursor_left(&body);
	size_t room;
	uint8_t *bytes;

	if (session->gathered == BUFFER_POOL_NONE)
		session->gathered = buffer_pool_take(sink->buffers);
	if (session->gathered == BUFFER_POOL_NONE)
		return false;
	room = BUFFER_POOL_SIZE - session->gathered_len;
	bytes = buffer_pool_bytes(sink->buffers, session->gathered);
	if (len > room)
		len = room;
	memcpy(bytes + session->gathered_len, body.at, len);
	session->gathered_len = (uint16_t)(session->gathered_len + len);
	return true;
}

/* How many bytes are wanted, by what there is of them; 0: not known yet. */
static size_t wanted(const struct tls_session *session, enum exchange_side side,
	const uint8_t *bytes, size_t len)
{
	size_t hello_len = tls_hello_message_len(bytes, len);
	struct tls_hello hello;

	if (side == EXCHANGE_CLIENT || !session->nameless || !hello_len ||
		len < hello_len || tls_hello_read_server(&hello, bytes, hello_len) ||
		hello.is_1_3)
		return hello_len;
	return hello_len + tls_certificate_wanted(bytes + hello_len, len - hello_len);
}

/* Whether these bytes hold all that is wanted, or all of it that we would ever keep. */
static bool is_enough(const struct tls_session *session, enum exchange_side side,
	const uint8_t *bytes, size_t len)
{
	size_t want = wanted(session, side, bytes, len);

	return len >= BUFFER_POOL_SIZE || (want && len >= want);
}

/* Handshake bytes while that side's hello is still awaited. */
static void hello_bytes(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor body)
{
	size_t len = cursor_left(&body);
	const uint8_t *bytes;

	if (session->gathered_len == 0 && is_enough(session, side, body.at, len)) {
		hello_read(session, sink, side, body.at, len);
		return;
	}
	if (!gather(session, sink, body)) {
		hello_read(session, sink, side, body.at, len);
		return;
	}
	bytes = buffer_pool_bytes(sink->buffers, session->gathered);
	if (is_enough(session, side, bytes, session->gathered_len)) {
		hello_read(session, sink, side, bytes, session->gathered_len);
		drop_gathered(session, sink);
	}
}

/* Reads what was gathered of a hello whose rest will not come. */
static void give_up_hello(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side)
{
	if (session->hello_done[side])
		return;
	if (session->gathered_len > 0)
		hello_read(session, sink, side,
			buffer_pool_bytes(sink->buffers, session->gathered),
			session->gathered_len);
	else if (side == EXCHANGE_CLIENT)
		session->nameless = true;
	drop_gathered(session, sink);
	session->hello_done[side] = true;
}

static void handshake_over(
	struct tls_session *session, const struct exchange_sink *sink, struct moment at)
{
	static const enum tls_inside_state states[] = {
		[TLS_HTTP2_NO] = TLS_INSIDE_TURNS,
		[TLS_HTTP2_OFFERED] = TLS_INSIDE_UNDECIDED,
		[TLS_HTTP2_CHOSEN] = TLS_INSIDE_STREAMS,
	};

	give_up_hello(session, sink, EXCHANGE_CLIENT);
	give_up_hello(session, sink, EXCHANGE_SERVER);
	if (session->nameless)
		tell_nameless(session, sink);
	session->finished = true;
	/* An early request may have been answered in what looked like the handshake. */
	if (session->early && !session->proven && session->inside.turns.open)
		tls_inside_lost(&session->inside, sink, EXCHANGE_CLIENT, 0);
	tls_inside_begin(&session->inside, sink, states[session->http2],
		session->overhead, session->version != TLS_VERSION_OLD);
	if (session->early && tls_inside_takes_turns(&session->inside))
		session->inside.turns.ticket_turns = TICKET_TURNS_EARLY;
	if (session->hello.us)
		exchange_tell(
			sink, EXCHANGE_HANDSHAKE, moment_since_us(at, session->hello));
}

/* Neither side can say any more that the other would understand. */
static void handshake_breaks(
	struct tls_session *session, const struct exchange_sink *sink)
{
	if (session->finished || session->broken || !session->hello.us)
		return;
	session->broken = true;
	give_up_hello(session, sink, EXCHANGE_CLIENT);
	give_up_hello(session, sink, EXCHANGE_SERVER);
	if (session->nameless)
		tell_nameless(session, sink);
	exchange_tell(sink, EXCHANGE_BROKEN, 0);
}

static int content_of(const struct tls_session *session, uint16_t len)
{
	return len - (session->overhead ? session->overhead : OVERHEAD_1_3);
}

/* TLS 1.2 shows its alerts as such. */
static bool is_alert(const struct tls_session *session, uint16_t len)
{
	return session->version != TLS_VERSION_OLD &&
	       content_of(session, len) == ALERT_LEN;
}

static bool is_finished(int content)
{
	return content == FINISHED_SHA256_LEN || content == FINISHED_SHA384_LEN;
}

static void early_request(
	struct tls_session *session, const struct exchange_sink *sink, struct moment at)
{
	if (session->nameless) /* no certificate goes in the clear behind it */
		tell_nameless(session, sink);
	tls_inside_record(&session->inside, sink, EXCHANGE_CLIENT, at, 0);
}

/* A client's application record before its Finished is known to have come: whether it is
 * the application's. */
static bool unfinished_client_record(struct tls_session *session,
	const struct exchange_sink *sink, uint16_t len, struct moment at)
{
	if (session->early && !session->hello_done[EXCHANGE_SERVER]) {
		early_request(session, sink, at);
		return false;
	}
	if (session->version == TLS_VERSION_UNKNOWN)
		session->version = TLS_VERSION_1_3; /* 1.2 shows its Finished as such */
	if (session->version == TLS_VERSION_OLD ||
		is_finished(content_of(session, len))) {
		handshake_over(session, sink, at);
		return session->version == TLS_VERSION_OLD;
	}
	if (is_alert(session, len))
		handshake_breaks(session, sink);
	else if (content_of(session, len) != END_OF_EARLY_DATA_LEN)
		session->flight = true; /* a client certificate stands before Finished */
	return false;
}

static void client_application(struct tls_session *session,
	const struct exchange_sink *sink, uint16_t len, struct moment at)
{
	if (!session->finished && !unfinished_client_record(session, sink, len, at))
		return;
	if (is_alert(session, len))
		return;
	session->counting[EXCHANGE_CLIENT] = true;
	tls_inside_record(&session->inside, sink, EXCHANGE_CLIENT, at, len);
}

/* EncryptedExtensions without any, and what stands in them: one name of a protocol, and
 * empty answers to extensions of the client's. */
#define NO_EXTENSIONS_LEN 6
#define ALPN_LEN(name) (4 + 2 + 1 + (int)sizeof(name) - 1)
#define EMPTY_EXTENSION_LEN 4
#define EMPTY_EXTENSIONS_MAX 2 /* server_name, early_data */

/* Extensions and Finished of a server that proves itself by a session it remembers. */
#define RESUMED_FLIGHT_LEN_MAX                      \
	(NO_EXTENSIONS_LEN + ALPN_LEN("http/1.1") + \
		EMPTY_EXTENSIONS_MAX * EMPTY_EXTENSION_LEN + FINISHED_SHA384_LEN)

static bool are_extensions_of(int content, int alpn_len)
{
	int rest = content - NO_EXTENSIONS_LEN - alpn_len;

	return rest >= 0 && rest <= EMPTY_EXTENSIONS_MAX * EMPTY_EXTENSION_LEN &&
	       rest % EMPTY_EXTENSION_LEN == 0;
}

/* The first record after the ServerHello, as far as its length tells what it says. */
static void server_extensions(struct tls_session *session, int content)
{
	if (session->http2 == TLS_HTTP2_NO)
		return;
	if (are_extensions_of(content, ALPN_LEN("h2")))
		session->http2 = TLS_HTTP2_CHOSEN;
	else if (are_extensions_of(content, ALPN_LEN("http/1.1")) ||
		 are_extensions_of(content, 0))
		session->http2 = TLS_HTTP2_NO;
}

/* The server's handshake: extensions, with or without its Finished in the same record,
 * as a resumed session has no more. */
static void server_flight(struct tls_session *session, uint16_t len)
{
	int content = content_of(session, len);
	bool first = !session->extended;

	if (!session->hello_done[EXCHANGE_SERVER])
		return;
	session->extended = true;
	if (first)
		server_extensions(session, content);
	session->proven |= is_finished(content) ||
			   (first && content >= NO_EXTENSIONS_LEN + FINISHED_SHA256_LEN &&
				   content <= RESUMED_FLIGHT_LEN_MAX);
}

/* Before the client's Finished only early requests are answered, behind the server's own
 * (RFC 8446 §2.3). */
static bool answers_early(const struct tls_session *session, uint16_t len)
{
	return session->proven && session->inside.turns.open &&
	       !is_finished(content_of(session, len));
}

static void server_application(struct tls_session *session,
	const struct exchange_sink *sink, uint16_t len, struct moment at)
{
	if (!session->finished && session->flight)
		handshake_over(session, sink, at);
	if (!session->finished && !answers_early(session, len)) {
		server_flight(session, len);
		return;
	}
	if (is_alert(session, len))
		return;
	session->counting[EXCHANGE_SERVER] = true;
	tls_inside_record(&session->inside, sink, EXCHANGE_SERVER, at, len);
}

static void client_handshake(
	struct tls_session *session, const struct exchange_sink *sink, struct moment at)
{
	if (!session->hello.us)
		session->hello = at;
	if (!session->ciphering || session->finished)
		return;
	session->version = TLS_VERSION_OLD;
	handshake_over(session, sink, at);
}

static void client_record(struct tls_session *session, const struct exchange_sink *sink,
	const struct tls_piece *piece, struct moment at)
{
	switch (piece->type) {
	case TLS_RECORDS_HANDSHAKE:
		client_handshake(session, sink, at);
		break;
	case TLS_RECORDS_CHANGE_CIPHER_SPEC:
		/* A 1.3 client sends one for show, perhaps before a second hello. */
		session->ciphering = session->version != TLS_VERSION_1_3;
		break;
	case TLS_RECORDS_APPLICATION:
		client_application(session, sink, piece->len, at);
		break;
	default:
		break;
	}
}

static void record_begins(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, const struct tls_piece *piece, struct moment at)
{
	session->counting[side] = false;
	if (side == EXCHANGE_CLIENT)
		client_record(session, sink, piece, at);
	else if (piece->type == TLS_RECORDS_APPLICATION)
		server_application(session, sink, piece->len, at);
}

static void turn_goes_on(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, struct moment at)
{
	if (session->counting[side])
		tls_inside_more(&session->inside, sink, side, at);
}

/* Before keys are agreed on an alert is two bytes, how bad it is and what it is. */
static void alert_body(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor body)
{
	bool whole_or_first = session->records[side].remaining + cursor_left(&body) == 2;

	if (whole_or_first && cursor_take_u8(&body) == ALERT_FATAL)
		handshake_breaks(session, sink);
}

static void record_body(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, const struct tls_piece *piece, struct moment at)
{
	if (piece->type == TLS_RECORDS_ALERT)
		alert_body(session, sink, side, piece->body);
	if (piece->type != TLS_RECORDS_HANDSHAKE || session->hello_done[side]) {
		turn_goes_on(session, sink, side, at);
		return;
	}
	if (side == EXCHANGE_SERVER)
		give_up_hello(session, sink, EXCHANGE_CLIENT); /* it was answered */
	hello_bytes(session, sink, side, piece->body);
}

void tls_session_bytes(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, bool fresh, struct moment at)
{
	struct tls_records *records = &session->records[side];
	struct tls_piece piece;

	if (records->lost && fresh)
		tls_records_resume(records, bytes.at, cursor_left(&bytes));
	if (records->lost)
		turn_goes_on(session, sink, side, at);
	while (tls_records_next(records, &bytes, &piece)) {
		if (piece.begins)
			record_begins(session, sink, side, &piece, at);
		if (cursor_left(&piece.body) > 0)
			record_body(session, sink, side, &piece, at);
	}
}

/* Bytes of a hello that will not come make it as long as it is. */
static void hello_is_cut(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side)
{
	const struct tls_records *records = &session->records[side];

	if (records->lost ||
		(records->type == TLS_RECORDS_HANDSHAKE && records->remaining > 0))
		give_up_hello(session, sink, side);
}

void tls_session_skip(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len, struct moment at)
{
	hello_is_cut(session, sink, side);
	if (!tls_records_skip(&session->records[side], len))
		tls_inside_cut(&session->inside, sink, side);
	turn_goes_on(session, sink, side, at);
}

void tls_session_hole(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len)
{
	bool was_lost = session->records[side].lost;

	hello_is_cut(session, sink, side);
	if (tls_records_skip(&session->records[side], len))
		return;
	give_up_hello(session, sink, side);
	/* What one side said unseen may have been a turn each time. */
	if (session->finished && (!was_lost || tls_inside_takes_turns(&session->inside)))
		tls_inside_lost(&session->inside, sink, side, len);
}

void tls_session_breaks_off(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side)
{
	handshake_breaks(session, sink);
	if (side == EXCHANGE_CLIENT)
		tls_inside_leave(&session->inside, sink);
}

void tls_session_unseen(struct tls_session *session, const struct exchange_sink *sink,
	uint32_t bytes, uint32_t away_us)
{
	tls_inside_unseen(&session->inside, sink,
		bytes + session->records[EXCHANGE_SERVER].remaining, away_us);
}

uint64_t tls_session_skippable(const struct tls_session *session, enum exchange_side side)
{
	const struct tls_records *records = &session->records[side];

	if (records->lost)
		return UINT64_MAX;
	/* A hello is wanted whole. */
	if (records->type == TLS_RECORDS_HANDSHAKE && !session->hello_done[side])
		return 0;
	return records->remaining;
}
