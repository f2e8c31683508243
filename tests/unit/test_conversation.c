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
	play->now = moment_plus_us(play->now, 1000);
	conversation_segment(&play->talk, &play->heard.sink, side,
		cursor_over(bytes, len), (uint32_t)len, play->now);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_2_is_known_by_its_preface),
		cmocka_unit_test(its_server_may_speak_first),
		cmocka_unit_test(http_1_may_switch_to_it),
		cmocka_unit_test(what_follows_another_switch_is_no_request),
		cmocka_unit_test(questions_over_tcp_are_handed_on_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
