#include "conversation.h"

#include <string.h>

#include "http_head.h"
#include "slab.h"

#define HELLO_LEN 6 /* a record's header and the message's type */
#define CLIENT_HELLO 1
#define SERVER_HELLO 2

/* A stream joined in its middle shows a head soon, or it has none that we know. */
#define PUZZLED_MAX 16

_Static_assert(sizeof(struct h2_exchange) <= EXCHANGE_CELL, "HTTP/2 fits in a cell");

void conversation_init(struct conversation *talk, bool mid_stream)
{
	*talk = (struct conversation){.mid_stream = mid_stream};
}

/* What was known of the connection is known on. */
static void begin_anew(struct conversation *talk, bool mid_stream)
{
	uint32_t away_us = talk->away_us;

	conversation_init(talk, mid_stream);
	talk->away_us = away_us;
}

void conversation_client_away(struct conversation *talk, int64_t us)
{
	talk->away_us = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static struct h2_exchange *h2_of(
	const struct conversation *talk, const struct exchange_sink *sink)
{
	return slab_cell(sink->cells, talk->h2);
}

static void drop_http_2(struct conversation *talk, const struct exchange_sink *sink)
{
	h2_exchange_drop(h2_of(talk, sink), sink);
	slab_give(sink->cells, talk->h2);
}

void conversation_drop(struct conversation *talk, const struct exchange_sink *sink)
{
	if (talk->protocol == CONVERSATION_HTTP)
		http_exchange_drop(&talk->http, sink);
	else if (talk->protocol == CONVERSATION_HTTP_2)
		drop_http_2(talk, sink);
	else if (talk->protocol == CONVERSATION_TLS)
		tls_session_drop(&talk->tls, sink);
	else if (talk->protocol == CONVERSATION_DNS)
		dns_stream_drop(&talk->dns, sink);
	conversation_init(talk, true);
}

static void become_opaque(
	struct conversation *talk, const struct exchange_sink *sink, bool may_agree)
{
	if (talk->protocol == CONVERSATION_HTTP)
		http_exchange_drop(&talk->http, sink);
	talk->protocol = CONVERSATION_OPAQUE;
	opaque_talk_init(&talk->opaque, sink, may_agree);
}

static void become_http(
	struct conversation *talk, const struct exchange_sink *sink, bool mid_stream)
{
	talk->protocol = CONVERSATION_HTTP;
	http_exchange_init(&talk->http, mid_stream);
	if (talk->missed)
		http_exchange_hole(&talk->http, sink, EXCHANGE_CLIENT, UINT64_MAX);
}

static void become_http_2(
	struct conversation *talk, const struct exchange_sink *sink, bool switched)
{
	uint32_t cell = slab_take(sink->cells);

	if (cell == SLAB_NONE) {
		become_opaque(talk, sink, false);
		return;
	}
	if (talk->protocol == CONVERSATION_HTTP)
		http_exchange_drop(&talk->http, sink);
	talk->protocol = CONVERSATION_HTTP_2;
	talk->h2 = cell;
	h2_exchange_init(h2_of(talk, sink), sink, switched);
}

static void become_tls(
	struct conversation *talk, const struct exchange_sink *sink, bool mid_stream)
{
	talk->protocol = CONVERSATION_TLS;
	tls_session_init(&talk->tls, mid_stream);
	if (mid_stream)
		exchange_nameless(sink);
}

static void become_dns(struct conversation *talk, const struct exchange_sink *sink)
{
	talk->protocol = CONVERSATION_DNS;
	dns_stream_init(&talk->dns);
	exchange_nameless(sink);
}

static bool is_hello(const uint8_t *bytes, size_t len, uint8_t type)
{
	return len >= HELLO_LEN && bytes[0] == TLS_RECORDS_HANDSHAKE &&
	       tls_records_look_right(bytes, len) && bytes[5] == type;
}

bool conversation_guess_side(enum exchange_side *side, const uint8_t *bytes, size_t len)
{
	bool client = is_hello(bytes, len, CLIENT_HELLO) ||
		      (len >= CONVERSATION_HEAD && http_head_may_be_request(bytes, len));
	bool server = is_hello(bytes, len, SERVER_HELLO) ||
		      (len >= CONVERSATION_HEAD && http_head_may_be_answer(bytes, len));

	*side = client ? EXCHANGE_CLIENT : EXCHANGE_SERVER;
	return client != server;
}

/* The client's first bytes where PostgreSQL is asked for TLS. */
static const uint8_t ssl_request[] = {0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f};

/* A stream joined in its middle: what can be recognised at a segment's start. */
static void recognise_mid_stream(struct conversation *talk,
	const struct exchange_sink *sink, enum exchange_side side, struct cursor bytes)
{
	size_t len = cursor_left(&bytes);

	if (side == EXCHANGE_CLIENT && is_hello(bytes.at, len, CLIENT_HELLO))
		become_tls(talk, sink, false);
	else if (tls_records_look_right(bytes.at, len))
		become_tls(talk, sink, true);
	else if (len >= CONVERSATION_HEAD &&
		 (side == EXCHANGE_CLIENT ? http_head_may_be_request(bytes.at, len)
					  : http_head_may_be_answer(bytes.at, len)))
		become_http(talk, sink, true);
	else if (++talk->puzzled > PUZZLED_MAX)
		become_opaque(talk, sink, false);
}

static bool asks_for_tls(const uint8_t *bytes, size_t len)
{
	return memcmp(bytes, ssl_request, len < sizeof(ssl_request) ? len : 8) == 0;
}

/* What the client's first byte may be where TLS is agreed on later: LDAP's messages,
 * XMPP's document, the frame of a remote desktop, SOCKS. */
static bool client_may_agree(const uint8_t *head, size_t len)
{
	return memchr("\x30<\3\5", head[0], 4) ||
	       (len == sizeof(ssl_request) && asks_for_tls(head, len));
}

/* How servers greet where TLS is agreed on later: SMTP, FTP and NNTP by a number, IMAP,
 * POP3, ManageSieve. */
static bool server_may_agree(uint8_t first)
{
	return first == '2' || first == '*' || first == '+' || first == '"';
}

/* The client's first bytes: false while they do not suffice. */
static bool recognise_head(
	struct conversation *talk, const struct exchange_sink *sink, const uint8_t *head)
{
	bool tls =
		head[0] == TLS_RECORDS_HANDSHAKE && (talk->head_len < 2 || head[1] == 3);
	bool http = http_head_may_be_request(head, talk->head_len);
	bool http_2 = h2_exchange_may_begin(head, talk->head_len);
	bool dns = dns_stream_may_begin(head, talk->head_len);
	bool preamble = !talk->introduced && preamble_may_begin(head, talk->head_len);

	if (talk->head_len < CONVERSATION_HEAD &&
		(tls || http || http_2 || dns || preamble ||
			asks_for_tls(head, talk->head_len)))
		return false;
	if (preamble) {
		talk->protocol = CONVERSATION_PREAMBLE;
		preamble_init(&talk->preamble, head[0]);
	} else if (tls && is_hello(head, talk->head_len, CLIENT_HELLO))
		become_tls(talk, sink, false);
	else if (http_2)
		become_http_2(talk, sink, false);
	else if (http)
		become_http(talk, sink, false);
	else if (dns)
		become_dns(talk, sink);
	else
		become_opaque(talk, sink, client_may_agree(head, talk->head_len));
	return true;
}

/* What an HTTP/1 client goes on with, where the server agreed to change to HTTP/2. */
static bool switches_to_http_2(
	const struct conversation *talk, enum exchange_side side, struct cursor bytes)
{
	return talk->protocol == CONVERSATION_HTTP && side == EXCHANGE_CLIENT &&
	       http_exchange_is_tunnel(&talk->http) &&
	       cursor_left(&bytes) >= CONVERSATION_HEAD &&
	       h2_exchange_may_begin(bytes.at, cursor_left(&bytes));
}

/* What begins a conversation, or goes on to. */
static void begin(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, struct moment at);

static void read_preamble(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, struct moment at)
{
	if (side == EXCHANGE_SERVER)
		return;
	switch (preamble_take(&talk->preamble, &bytes)) {
	case PREAMBLE_GOES_ON:
		break;
	case PREAMBLE_OVER:
		begin_anew(talk, false);
		talk->introduced = true;
		begin(talk, sink, side, bytes, at);
		break;
	case PREAMBLE_IS_NONE:
		become_opaque(talk, sink, false);
		(void)opaque_talk_client(&talk->opaque, sink, &bytes, at);
		break;
	}
}

static void read_http(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, bool fresh, struct moment at)
{
	http_exchange_bytes(&talk->http, sink, side, &bytes, fresh, at);
	if (http_exchange_is_connected(&talk->http)) {
		http_exchange_drop(&talk->http, sink);
		begin_anew(talk, false);
		begin(talk, sink, side, bytes, at);
	} else if (http_exchange_is_foreign(&talk->http) && !talk->mid_stream) {
		become_opaque(talk, sink, false);
		(void)opaque_talk_client(&talk->opaque, sink, &bytes, at);
	}
}

static void read_opaque(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, struct moment at)
{
	uint8_t hello[OPAQUE_TALK_HELLO];

	if (side == EXCHANGE_SERVER) {
		opaque_talk_server(&talk->opaque, sink, at);
	} else if (opaque_talk_client(&talk->opaque, sink, &bytes, at)) {
		memcpy(hello, talk->opaque.hello, sizeof(hello));
		become_tls(talk, sink, false);
		tls_session_bytes(&talk->tls, sink, side,
			cursor_over(hello, sizeof(hello)), true, at);
		tls_session_bytes(&talk->tls, sink, side, bytes, false, at);
	}
}

static void read_bytes(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, bool fresh, struct moment at)
{
	if (cursor_left(&bytes) == 0)
		return;
	if (switches_to_http_2(talk, side, bytes))
		become_http_2(talk, sink, true);
	switch ((enum conversation_protocol)talk->protocol) {
	case CONVERSATION_HTTP:
		read_http(talk, sink, side, bytes, fresh, at);
		break;
	case CONVERSATION_HTTP_2:
		h2_exchange_bytes(h2_of(talk, sink), sink, side, bytes, at);
		break;
	case CONVERSATION_TLS:
		tls_session_bytes(&talk->tls, sink, side, bytes, fresh, at);
		break;
	case CONVERSATION_DNS:
		dns_stream_bytes(&talk->dns, sink, side, bytes, at);
		break;
	case CONVERSATION_OPAQUE:
		read_opaque(talk, sink, side, bytes, at);
		break;
	case CONVERSATION_PREAMBLE:
		read_preamble(talk, sink, side, bytes, at);
		break;
	case CONVERSATION_UNKNOWN:
		break;
	}
}

/* The server speaks before the client's bytes told anything: a greeting, or a protocol of
 * very short requests. */
static void server_came_first(
	struct conversation *talk, const struct exchange_sink *sink, uint8_t first)
{
	uint8_t head_len = talk->head_len;

	become_opaque(talk, sink, server_may_agree(first));
	if (head_len > 0)
		turns_lost(&talk->opaque.turns, sink, EXCHANGE_CLIENT);
}

static void recognise(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor *bytes, struct moment at)
{
	uint8_t head[CONVERSATION_HEAD];

	if (talk->mid_stream) {
		recognise_mid_stream(talk, sink, side, *bytes);
		return;
	}
	if (side == EXCHANGE_SERVER) {
		if (talk->head_len == 0 &&
			h2_exchange_may_greet(bytes->at, cursor_left(bytes)))
			become_http_2(talk, sink, false);
		else
			server_came_first(talk, sink, *bytes->at);
		return;
	}
	while (talk->head_len < CONVERSATION_HEAD && cursor_left(bytes) > 0)
		talk->head[talk->head_len++] = cursor_take_u8(bytes);
	memcpy(head, talk->head, sizeof(head)); /* what it becomes takes its place */
	if (talk->head_len > 0 && recognise_head(talk, sink, head))
		read_bytes(talk, sink, side, cursor_over(head, talk->head_len), true, at);
}

static void begin(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, struct moment at)
{
	if (cursor_left(&bytes) == 0)
		return;
	recognise(talk, sink, side, &bytes, at);
	read_bytes(talk, sink, side, bytes, talk->mid_stream, at);
}

static void skip_bytes(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len, struct moment at)
{
	if (talk->protocol == CONVERSATION_HTTP)
		http_exchange_skip(&talk->http, sink, side, len, at);
	else if (talk->protocol == CONVERSATION_HTTP_2)
		h2_exchange_skip(h2_of(talk, sink), sink, side, len);
	else if (talk->protocol == CONVERSATION_TLS)
		tls_session_skip(&talk->tls, sink, side, len, at);
	else if (talk->protocol == CONVERSATION_DNS)
		dns_stream_skip(&talk->dns, sink, side, len, at);
}

void conversation_segment(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, uint32_t len, struct moment at)
{
	uint32_t cut = len - (uint32_t)cursor_left(&bytes);

	if (talk->protocol == CONVERSATION_UNKNOWN)
		begin(talk, sink, side, bytes, at);
	else
		read_bytes(talk, sink, side, bytes, true, at);
	if (cut > 0)
		skip_bytes(talk, sink, side, cut, at);
}

void conversation_hole(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len, struct moment at)
{
	switch ((enum conversation_protocol)talk->protocol) {
	case CONVERSATION_HTTP:
		http_exchange_hole(&talk->http, sink, side, len);
		break;
	case CONVERSATION_HTTP_2:
		h2_exchange_skip(h2_of(talk, sink), sink, side, len);
		break;
	case CONVERSATION_TLS:
		tls_session_hole(&talk->tls, sink, side, len);
		break;
	case CONVERSATION_DNS:
		dns_stream_skip(&talk->dns, sink, side, len, at);
		break;
	case CONVERSATION_UNKNOWN:
	case CONVERSATION_PREAMBLE:
		begin_anew(talk, true); /* its beginning is what was lost */
		talk->missed = side == EXCHANGE_CLIENT;
		break;
	case CONVERSATION_OPAQUE:
		if (side == EXCHANGE_CLIENT)
			opaque_talk_lost(&talk->opaque);
		break;
	}
}

void conversation_unseen(
	struct conversation *talk, const struct exchange_sink *sink, uint32_t bytes)
{
	if (talk->protocol == CONVERSATION_TLS)
		tls_session_unseen(&talk->tls, sink, bytes, talk->away_us);
}

uint64_t conversation_skippable(const struct conversation *talk,
	const struct exchange_sink *sink, enum exchange_side side)
{
	switch ((enum conversation_protocol)talk->protocol) {
	case CONVERSATION_HTTP:
		return http_exchange_skippable(&talk->http, side);
	case CONVERSATION_HTTP_2:
		return h2_exchange_skippable(h2_of(talk, sink), side);
	case CONVERSATION_TLS:
		return tls_session_skippable(&talk->tls, side);
	case CONVERSATION_DNS:
		return dns_stream_skippable(&talk->dns, side);
	case CONVERSATION_UNKNOWN:
		return talk->mid_stream ? UINT64_MAX : 0;
	case CONVERSATION_PREAMBLE:
		return 0;
	case CONVERSATION_OPAQUE:
		/* How a client's turn begins is wanted: TLS may. */
		return side == EXCHANGE_CLIENT && !talk->opaque.client_speaks
			       ? 0
			       : UINT64_MAX;
	}
	return UINT64_MAX;
}

void conversation_end(
	struct conversation *talk, const struct exchange_sink *sink, struct moment at)
{
	if (talk->protocol == CONVERSATION_HTTP)
		http_exchange_end(&talk->http, sink, at);
	else if (talk->protocol == CONVERSATION_TLS)
		tls_inside_end(&talk->tls.inside, sink);
	else if (talk->protocol == CONVERSATION_OPAQUE)
		opaque_talk_end(&talk->opaque, sink);
}

void conversation_breaks_off(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side)
{
	if (talk->protocol == CONVERSATION_TLS)
		tls_session_breaks_off(&talk->tls, sink, side);
}

bool conversation_is_open(
	const struct conversation *talk, const struct exchange_sink *sink)
{
	switch ((enum conversation_protocol)talk->protocol) {
	case CONVERSATION_HTTP:
		return http_exchange_is_open(&talk->http);
	case CONVERSATION_HTTP_2:
		return h2_exchange_is_open(h2_of(talk, sink));
	case CONVERSATION_TLS:
		return tls_inside_is_open(&talk->tls.inside, sink);
	case CONVERSATION_OPAQUE:
		return talk->opaque.turns.open;
	case CONVERSATION_DNS: /* a question without an answer times out by itself */
	case CONVERSATION_PREAMBLE:
	case CONVERSATION_UNKNOWN:
		break;
	}
	return false;
}
