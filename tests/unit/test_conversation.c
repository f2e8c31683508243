#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "conversation.h"
#include "exchange_recorder.h"
#include "hpack_pool.h"

#define CLIENT EXCHANGE_CLIENT
#define SERVER EXCHANGE_SERVER
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
/* A request on stream 1 or 3 of HTTP/2, and an answer. */
#define GET(stream)                                        \
	"\0\0\x15\1\5\0\0\0" stream "\x82\x86\x84\x01\x10" \
	"exchange.example"
#define OK(stream) "\0\0\1\1\5\0\0\0" stream "\x88"

struct play {
	struct buffer_pool *pool;
	struct recorder heard;
	struct conversation talk;
	struct moment now;
	size_t step; /* bytes a segment; 0: all at once */
};

static void begin(struct play *play)
{
	*play = (struct play){.now = {INT64_C(1590854700000000)}};
	assert_int_equal(buffer_pool_new(&play->pool, 4), 0);
	recorder_init(&play->heard, play->pool);
	assert_int_equal(slab_new(&play->heard.sink.cells, 1, EXCHANGE_CELL), 0);
	assert_int_equal(hpack_pool_new(&play->heard.sink.readers, 2), 0);
	conversation_init(&play->talk, false);
}

static void end(struct play *play)
{
	conversation_end(&play->talk, &play->heard.sink, play->now);
	conversation_drop(&play->talk, &play->heard.sink);
	hpack_pool_free(play->heard.sink.readers);
	for (unsigned i = 0; i < 4; i++)
		assert_int_not_equal(buffer_pool_take(play->pool), BUFFER_POOL_NONE);
	buffer_pool_free(play->pool);
	assert_int_not_equal(slab_take(play->heard.sink.cells), SLAB_NONE);
	slab_free(play->heard.sink.cells);
}

static void say(struct play *play, enum exchange_side side, const char *bytes, size_t len)
{
	size_t step = play->step ? play->step : len;

	play->now = moment_plus_us(play->now, 1000);
	for (size_t at = 0; at < len; at += step) {
		size_t part = step < len - at ? step : len - at;

		conversation_segment(&play->talk, &play->heard.sink, side,
			cursor_over(bytes + at, part), (uint32_t)part, play->now);
	}
}

static void say_records(
	struct play *play, enum exchange_side side, const size_t *lens, size_t count)
{
	uint8_t bytes[8192];
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += make_record(bytes + len, 23, lens[i]);
	say(play, side, (const char *)bytes, len);
}

#define SAY_RECORDS(play, side, ...)                           \
	say_records(play, side, (const size_t[]){__VA_ARGS__}, \
		sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

/* A handshake of TLS 1.3 with exchange.example, and two requests inside it. */
static void say_tls(struct play *play)
{
	uint8_t bytes[4096];

	say(play, CLIENT, (const char *)bytes,
		make_client_hello(bytes, "exchange.example", 100));
	say(play, SERVER, (const char *)bytes, make_server_hello(bytes, 1));
	SAY_RECORDS(play, SERVER, 900, 53);
	SAY_RECORDS(play, CLIENT, 53);
	SAY_RECORDS(play, SERVER, 266, 266);
	for (unsigned i = 0; i < 2; i++) {
		SAY_RECORDS(play, CLIENT, 120);
		SAY_RECORDS(play, SERVER, 700);
	}
}

#define SAY(side, text) say(&play, side, text, sizeof(text) - 1)

static void http_2_is_known_by_its_preface(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	SAY(CLIENT, "PRI * HT");
	SAY(CLIENT, "TP/2.0\r\n\r\nSM\r\n\r\n" SETTINGS GET("\1"));
	SAY(SERVER, SETTINGS OK("\1"));
	SAY(CLIENT, GET("\3"));
	SAY(SERVER, OK("\3"));
	assert_int_equal(play.talk.protocol, CONVERSATION_HTTP_2);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 2);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 2);
	assert_int_equal(play.heard.response_us[1], 1000);
	assert_string_equal(play.heard.host, "exchange.example");
	end(&play);
}

static void its_server_may_speak_first(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	SAY(SERVER, "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64");
	SAY(CLIENT, PREFACE SETTINGS GET("\1"));
	SAY(SERVER, OK("\1"));
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 1);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 1);
	end(&play);
	begin(&play);
	SAY(SERVER, "220 mail.example ESMTP\r\n");
	assert_int_equal(play.talk.protocol, CONVERSATION_OPAQUE);
	end(&play);
}

static void http_1_may_switch_to_it(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	SAY(CLIENT, "GET / HTTP/1.1\r\nHost: exchange.example\r\nConnection: Upgrade, "
		    "HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
	SAY(SERVER, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
		    "Upgrade: h2c\r\n\r\n" SETTINGS);
	SAY(CLIENT, PREFACE SETTINGS);
	SAY(SERVER, OK("\1")); /* to the request that HTTP/1 made */
	SAY(CLIENT, GET("\3"));
	SAY(SERVER, OK("\3"));
	assert_int_equal(play.talk.protocol, CONVERSATION_HTTP_2);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 2);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 2);
	end(&play);
}

static void what_follows_another_switch_is_no_request(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	SAY(CLIENT,
		"GET /chat HTTP/1.1\r\nHost: exchange.example\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n");
	SAY(SERVER, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
	for (unsigned i = 0; i < 10; i++) {
		SAY(CLIENT, "\x81\x85\1\2\3\4GET / HTTP/1.1");
		SAY(SERVER, "\x81\x05HTTP/1.1 500 no");
	}
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 1);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 1);
	assert_int_equal(play.heard.count[EXCHANGE_ERROR], 0);
	assert_false(conversation_is_open(&play.talk, &play.heard.sink));
	end(&play);
}

static void questions_over_tcp_are_handed_on_whole(void **state)
{
	static const char question[] =
		"\0\x1d\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1";
	struct play play;

	(void)state;
	begin(&play);
	say(&play, CLIENT, question, 5);
	say(&play, CLIENT, question + 5, sizeof(question) - 1 - 5);
	assert_int_equal(play.talk.protocol, CONVERSATION_DNS);
	assert_int_equal(play.heard.messages, 1);
	assert_int_equal(play.heard.message_len, 29);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 0);
	end(&play);
}

static const size_t steps[] = {0, 1, 3, 7};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void assert_tls_was_read(const struct play *play, unsigned before)
{
	assert_int_equal(play->talk.protocol, CONVERSATION_TLS);
	assert_int_equal(play->heard.count[EXCHANGE_HANDSHAKE], 1);
	assert_int_equal(play->heard.handshake_us, 3000);
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], before + 2);
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], before + 2);
	assert_int_equal(play->heard.count[EXCHANGE_UNTIMED], 0);
	assert_int_equal(play->heard.response_us[before + 1], 1000);
}

static void tls_in_a_proxys_tunnel_is_read(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		struct play play;

		begin(&play);
		play.step = steps[i];
		SAY(CLIENT, "CONNECT exchange.example:8443 HTTP/1.1\r\n"
			    "Host: exchange.example:8443\r\n\r\n");
		SAY(SERVER, "HTTP/1.1 407 Who?\r\nContent-Length: 2\r\n\r\nno");
		SAY(CLIENT, "CONNECT exchange.example:8443 HTTP/1.1\r\n"
			    "Proxy-Authorization: Basic eA==\r\n\r\n");
		SAY(SERVER, "HTTP/1.1 200 Connection established\r\n\r\n");
		assert_string_equal(play.heard.host, "exchange.example");
		assert_int_equal(play.heard.host_port, 8443);
		say_tls(&play);
		assert_tls_was_read(&play, 2);
		end(&play);
	}
}

static void a_tunnel_to_an_address_is_named_by_what_is_in_it(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	SAY(CLIENT, "CONNECT 203.0.113.10:443 HTTP/1.1\r\nHost: 203.0.113.10\r\n\r\n");
	SAY(SERVER, "HTTP/1.1 200 OK\r\n\r\n");
	assert_int_equal(play.heard.hosts, 0);
	say_tls(&play);
	assert_int_equal(play.heard.hosts, 1);
	assert_int_equal(play.heard.host_by, OBS_BY_SERVER_NAME);
	assert_string_equal(play.heard.host, "exchange.example");
	end(&play);
}

static void who_greets_first_in_a_tunnel_is_understood(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	SAY(CLIENT, "CONNECT exchange.example:22 HTTP/1.1\r\n\r\n");
	SAY(SERVER, "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n"); /* in one segment */
	assert_int_equal(play.talk.protocol, CONVERSATION_OPAQUE);
	SAY(CLIENT, "SSH-2.0-y\r\n");
	SAY(SERVER, "keys");
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 2);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 2);
	end(&play);
}

struct agreement {
	const char *greeting; /* NULL: the client begins */
	const char *turns[3][2];
};

static void tls_that_was_agreed_on_is_read(void **state)
{
	static const struct agreement agreements[] = {
		{"220 mx.example ESMTP\r\n",
			{{"EHLO a\r\n", "250-mx\r\n250 STARTTLS\r\n"},
				{"STARTTLS\r\n", "220 go\r\n"}}},
		{"* OK IMAP4 ready\r\n",
			{{"a1 CAPABILITY\r\n", "* CAPABILITY STARTTLS\r\na1 OK\r\n"},
				{"a2 STARTTLS\r\n", "a2 OK\r\n"}}},
		{"+OK POP3\r\n", {{"STLS\r\n", "+OK\r\n"}}},
		{NULL, {{"\x30\x1d\2\1\1w\x18\x80\x16"
			 "1.3.6.1.4.1.1466.20037",
			       "\x30\x0c\2\1\1x\7"}}},
	};

	(void)state;
	for (unsigned kind = 0; kind < sizeof(agreements) / sizeof(agreements[0]); kind++)
		for (unsigned i = 0; i < STEPS; i++) {
			const struct agreement *agreement = &agreements[kind];
			struct play play;
			unsigned turns = 0;

			begin(&play);
			play.step = steps[i];
			if (agreement->greeting)
				say(&play, SERVER, agreement->greeting,
					strlen(agreement->greeting));
			for (; agreement->turns[turns][0]; turns++)
				for (unsigned side = 0; side < 2; side++) {
					const char *text = agreement->turns[turns][side];

					say(&play, (enum exchange_side)side, text,
						strlen(text));
				}
			assert_int_equal(play.heard.hosts, 0); /* TLS may name it */
			say_tls(&play);
			assert_int_equal(play.heard.host_by, OBS_BY_SERVER_NAME);
			assert_string_equal(play.heard.host, "exchange.example");
			assert_tls_was_read(&play, turns);
			end(&play);
		}
}

static void a_database_may_agree_on_tls(void **state)
{
	struct play play;

	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		begin(&play);
		play.step = steps[i];
		SAY(CLIENT, "\0\0\0\x08\4\xd2\x16\x2f");
		SAY(SERVER, "S");
		say_tls(&play);
		assert_tls_was_read(&play, 1);
		end(&play);
	}
}

static void who_agrees_on_nothing_is_named_by_address_in_the_end(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	SAY(SERVER, "220 mx.example ESMTP\r\n");
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(play.heard.hosts, 0);
		SAY(CLIENT, "NOOP\r\n");
		SAY(SERVER, "250 OK\r\n");
	}
	assert_int_equal(play.heard.hosts, 1);
	assert_int_equal(play.heard.host_by, OBS_BY_ADDRESS);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 5);
	end(&play);
}

#define PROXY_2 "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x9c\x40\1\xbb"

static void a_balancers_preamble_is_stepped_over(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		struct play play;

		begin(&play);
		play.step = steps[i];
		SAY(CLIENT, "PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n");
		say_tls(&play);
		assert_tls_was_read(&play, 0);
		end(&play);
		begin(&play);
		play.step = steps[i];
		SAY(CLIENT, PROXY_2 "GET / HTTP/1.1\r\nHost: exchange.example\r\n\r\n");
		SAY(SERVER, "HTTP/1.1 204 Nothing\r\n\r\n");
		assert_int_equal(play.talk.protocol, CONVERSATION_HTTP);
		assert_string_equal(play.heard.host, "exchange.example");
		assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 1);
		assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 1);
		end(&play);
	}
}

static void preambles_do_not_nest_and_have_an_end(void **state)
{
	static char line[64 + 200] = "PROXY TCP4 ";
	struct play play;

	(void)state;
	begin(&play);
	SAY(CLIENT, PROXY_2 PROXY_2 PROXY_2);
	assert_int_equal(play.talk.protocol, CONVERSATION_OPAQUE);
	end(&play);
	memset(line + 11, '1', sizeof(line) - 12);
	begin(&play);
	say(&play, CLIENT, line, strlen(line));
	assert_int_equal(play.talk.protocol, CONVERSATION_OPAQUE);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 1);
	end(&play);
	begin(&play); /* a method of that name */
	SAY(CLIENT, "PROXY /x HTTP/1.1\r\nHost: exchange.example\r\n\r\n");
	assert_int_equal(play.talk.protocol, CONVERSATION_HTTP);
	end(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_2_is_known_by_its_preface),
		cmocka_unit_test(its_server_may_speak_first),
		cmocka_unit_test(http_1_may_switch_to_it),
		cmocka_unit_test(what_follows_another_switch_is_no_request),
		cmocka_unit_test(questions_over_tcp_are_handed_on_whole),
		cmocka_unit_test(tls_in_a_proxys_tunnel_is_read),
		cmocka_unit_test(a_tunnel_to_an_address_is_named_by_what_is_in_it),
		cmocka_unit_test(who_greets_first_in_a_tunnel_is_understood),
		cmocka_unit_test(tls_that_was_agreed_on_is_read),
		cmocka_unit_test(a_database_may_agree_on_tls),
		cmocka_unit_test(who_agrees_on_nothing_is_named_by_address_in_the_end),
		cmocka_unit_test(a_balancers_preamble_is_stepped_over),
		cmocka_unit_test(preambles_do_not_nest_and_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
