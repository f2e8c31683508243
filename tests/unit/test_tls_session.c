#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "certificate_maker.h"
#include "exchange_recorder.h"
#include "tls_session.h"

/* One TLS connection told record by record, each side's bytes in one piece or byte by
 * byte. */
struct play {
	struct buffer_pool *pool;
	struct recorder heard;
	struct tls_session session;
	struct moment now;
	size_t step; /* bytes a segment; 0: all at once */
};

static struct play play_begin(size_t step)
{
	struct play play = {.now = {1000000}, .step = step};

	assert_int_equal(buffer_pool_new(&play.pool, 4), 0);
	tls_session_init(&play.session, false);
	return play;
}

static void play_end(struct play *play)
{
	tls_inside_end(&play->session.inside, &play->heard.sink);
	tls_session_drop(&play->session, &play->heard.sink);
	/* Nothing was kept: all buffers can be had again. */
	for (unsigned i = 0; i < 4; i++)
		assert_int_not_equal(buffer_pool_take(play->pool), BUFFER_POOL_NONE);
	/* And the cell. */
	assert_int_not_equal(slab_take(play->heard.sink.cells), SLAB_NONE);
	slab_free(play->heard.sink.cells);
	buffer_pool_free(play->pool);
}

static void play_bytes(
	struct play *play, enum exchange_side side, const uint8_t *bytes, size_t len)
{
	size_t step = play->step ? play->step : len;

	if (!play->heard.sink.event) {
		recorder_init(&play->heard, play->pool);
		assert_int_equal(slab_new(&play->heard.sink.cells, 1, EXCHANGE_CELL), 0);
	}
	for (size_t at = 0; at < len; at += step)
		tls_session_bytes(&play->session, &play->heard.sink, side,
			cursor_over(bytes + at, step < len - at ? step : len - at), true,
			play->now);
}

static void play_record(
	struct play *play, enum exchange_side side, uint8_t type, size_t len)
{
	uint8_t bytes[20000];

	play_bytes(play, side, bytes, make_record(bytes, type, len));
}

static void play_client(struct play *play, int64_t after_us, size_t len)
{
	play->now = moment_plus_us(play->now, after_us);
	play_record(play, EXCHANGE_CLIENT, 23, len);
}

static void play_server(struct play *play, int64_t after_us, size_t len)
{
	play->now = moment_plus_us(play->now, after_us);
	play_record(play, EXCHANGE_SERVER, 23, len);
}

/* As far as the client's Finished. */
static void handshake_1_3(struct play *play)
{
	uint8_t bytes[4096];

	play_bytes(play, EXCHANGE_CLIENT, bytes,
		make_client_hello(bytes, "exchange.example", 1500));
	play->now = moment_plus_us(play->now, 10000);
	play_bytes(play, EXCHANGE_SERVER, bytes, make_server_hello(bytes, 1));
	play_record(play, EXCHANGE_SERVER, 20, 1);
	play_server(play, 0, 900);
	play_server(play, 0, 53);
	play->now = moment_plus_us(play->now, 5000);
	play_record(play, EXCHANGE_CLIENT, 20, 1);
	play_client(play, 0, 53);
}

static void handshake_1_2(struct play *play)
{
	uint8_t bytes[4096];

	play_bytes(play, EXCHANGE_CLIENT, bytes,
		make_client_hello(bytes, "exchange.example", 100));
	play_bytes(play, EXCHANGE_SERVER, bytes, make_server_hello(bytes, 0));
	play_record(play, EXCHANGE_SERVER, 22, 2000);
	play->now = moment_plus_us(play->now, 7000);
	play_record(play, EXCHANGE_CLIENT, 22, 70);
	play_record(play, EXCHANGE_CLIENT, 20, 1);
	play_record(play, EXCHANGE_CLIENT, 22, 40);
	play_record(play, EXCHANGE_SERVER, 22, 250); /* a ticket, which 1.2 shows */
	play_record(play, EXCHANGE_SERVER, 20, 1);
	play_record(play, EXCHANGE_SERVER, 22, 40);
}

static void assert_counts(const struct play *play, unsigned requests, unsigned responses)
{
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], requests);
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], responses);
	assert_int_equal(play->heard.hosts, 1);
	assert_string_equal(play->heard.host, "exchange.example");
}

static void two_requests_of_tls_1_3(size_t step)
{
	struct play play = play_begin(step);

	handshake_1_3(&play);
	play_client(&play, 0, 120);
	play_server(&play, 2000, 266); /* tickets, */
	play_server(&play, 0, 266);
	play_server(&play, 30000, 900); /* then the answer */
	play_server(&play, 10, 5000);
	play_client(&play, 50000, 120);
	play_server(&play, 21000, 900);
	play_client(&play, 1000, 19); /* close_notify */
	play_end(&play);
	assert_counts(&play, 2, 2);
	assert_int_equal(play.heard.response_us[0], 32000);
	assert_int_equal(play.heard.response_us[1], 21000);
	assert_int_equal(play.heard.last_byte_us[0], 32010);
	assert_int_equal(play.heard.handshake_us, 15000);
}

static void requests_inside_tls_1_3_are_counted_and_timed(void **state)
{
	(void)state;
	for (size_t step = 0; step < 400; step += 13)
		two_requests_of_tls_1_3(step);
	two_requests_of_tls_1_3(1);
}

static void tickets_before_the_first_request_are_no_answer(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	play_server(&play, 2000, 250);
	play_server(&play, 0, 250);
	play_client(&play, 9000, 120);
	play_server(&play, 8000, 700);
	play_end(&play);
	assert_counts(&play, 1, 1);
	assert_int_equal(play.heard.response_us[0], 8000);
}

static void a_single_record_without_tickets_is_the_answer(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	play_client(&play, 0, 120);
	play_server(&play, 12000, 300);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 0);
	play_client(&play, 5000, 120); /* now it is certain */
	assert_int_equal(play.heard.response_us[0], 12000);
	play_server(&play, 13000, 300);
	play_end(&play);
	assert_counts(&play, 2, 2);
	assert_int_equal(play.heard.response_us[1], 13000);
}

static void several_records_are_one_request(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	play_client(&play, 0, 300);
	play_client(&play, 100, 16401);
	play_client(&play, 100, 2000);
	play_server(&play, 40000, 4000);
	play_end(&play);
	assert_counts(&play, 1, 1);
	assert_int_equal(play.heard.response_us[0], 40000); /* from the last one's end */
}

static void a_client_certificate_is_no_request(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	uint8_t bytes[4096];

	play_bytes(&play, EXCHANGE_CLIENT, bytes,
		make_client_hello(bytes, "exchange.example", 100));
	play_bytes(&play, EXCHANGE_SERVER, bytes, make_server_hello(bytes, 1));
	play_server(&play, 0, 2000);
	play_client(&play, 5000, 1200); /* Certificate */
	play_client(&play, 0, 281);     /* CertificateVerify */
	play_client(&play, 0, 69);      /* Finished, SHA-384 */
	play_client(&play, 0, 150);
	play_server(&play, 9000, 5000);
	play_end(&play);
	assert_counts(&play, 1, 1);
	assert_int_equal(play.heard.response_us[0], 9000);
}

static void requests_inside_tls_1_2_are_counted_and_timed(void **state)
{
	(void)state;
	for (size_t step = 0; step < 300; step += 29) {
		struct play play = play_begin(step);

		handshake_1_2(&play);
		play_client(&play, 0, 120);
		play_server(&play, 30000, 266);
		play_server(&play, 10, 266);
		play_record(&play, EXCHANGE_CLIENT, 21, 26);
		play_end(&play);
		assert_counts(&play, 1, 1);
		assert_int_equal(play.heard.response_us[0], 30000);
		assert_int_equal(play.heard.handshake_us, 7000);
	}
}

/* A request with the hello, and the server's. */
static void early_hellos(struct play *play)
{
	uint8_t bytes[4096];
	size_t len = make_client_hello(bytes, "exchange.example", 100);

	/* The padding becomes the early_data extension. */
	bytes[5 + 4 + 34 + 1 + 6 + 2 + 1] = 42;
	play_bytes(play, EXCHANGE_CLIENT, bytes, len);
	play_client(play, 0, 200);
	play_bytes(play, EXCHANGE_SERVER, bytes, make_server_hello(bytes, 1));
}

static void early_finish(struct play *play)
{
	play_client(play, 0, 21); /* EndOfEarlyData */
	play_client(play, 0, 53);
}

static void early_data_is_answered_behind_the_handshake(void **state)
{
	static const size_t flights[][2] = {{31, 53}, {78, 0}}; /* apart, or together */

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct play play = play_begin(0);

		early_hellos(&play);
		play_server(&play, 9000, flights[i][0]);
		if (flights[i][1])
			play_server(&play, 0, flights[i][1]);
		early_finish(&play);
		play_server(&play, 1000, 266); /* tickets */
		play_server(&play, 0, 266);
		play_server(&play, 9000, 3000);
		play_end(&play);
		assert_counts(&play, 1, 1);
		assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 0);
		assert_int_equal(play.heard.response_us[0], 19000);
	}
}

static void early_data_may_be_answered_before_the_clients_finished(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	early_hellos(&play);
	play_server(&play, 9000, 31);
	play_server(&play, 0, 69);
	play_server(&play, 4000, 3000);
	early_finish(&play);
	play_client(&play, 1000, 200);
	play_server(&play, 7000, 3000);
	play_end(&play);
	assert_counts(&play, 2, 2);
	assert_int_equal(play.heard.response_us[0], 13000);
	assert_int_equal(play.heard.response_us[1], 7000);
}

/* nginx finishes the handshake, and sends its tickets, when it reads again. */
static void tickets_may_come_behind_the_answer_to_early_data(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	early_hellos(&play);
	play_server(&play, 9000, 31);
	play_server(&play, 0, 69);
	early_finish(&play);
	play_server(&play, 9000, 185);
	for (unsigned i = 0; i < 2; i++) {
		play_client(&play, 1000, 61);
		if (i == 0)
			play_server(&play, 50, 290);
		play_server(&play, 7000, 185);
	}
	play_end(&play);
	assert_counts(&play, 3, 3);
	assert_int_equal(play.heard.response_us[0], 18000);
	assert_int_equal(play.heard.response_us[1], 7050);
	assert_int_equal(play.heard.response_us[2], 7000);
}

static void early_data_is_not_timed_where_the_handshakes_end_is_hidden(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	early_hellos(&play);
	play_server(&play, 9000, 512); /* padded, perhaps */
	play_server(&play, 0, 512);
	early_finish(&play);
	play_server(&play, 9000, 3000);
	play_end(&play);
	assert_counts(&play, 1, 0);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 1);
	assert_int_equal(play.heard.count[EXCHANGE_ANSWERED], 1);
}

static void an_interim_answer_is_none(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	for (unsigned i = 0; i < 3; i++) {
		play_client(&play, 0, 250);
		if (i == 0)
			play_server(&play, 100, 266); /* a ticket */
		play_server(&play, 2000, 25 + 17);    /* 100 Continue */
		play_client(&play, 1000, 16000);
		play_client(&play, 1000, 9000);
		play_server(&play, 30000, 300);
	}
	play_end(&play);
	assert_counts(&play, 3, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(play.heard.response_us[i], 30000);
}

static void what_looks_interim_may_be_the_answer(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	play_client(&play, 0, 250);
	play_server(&play, 2000, 25 + 17); /* 100 Continue, too late to be waited for */
	play_server(&play, 3000, 300);
	play_client(&play, 1000, 250);
	play_server(&play, 4000, 25 + 17); /* and nothing more */
	play_end(&play);
	assert_counts(&play, 2, 2);
	assert_int_equal(play.heard.response_us[0], 5000);
	assert_int_equal(play.heard.response_us[1], 4000);
}

/* Of a protocol with answers of just that length all are counted, once that shows. */
static void answers_as_long_as_interim_ones_are_answers(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	for (unsigned i = 0; i < 10; i++) {
		play_client(&play, 1000, 60);
		play_server(&play, 5000, 25 + 17);
	}
	play_end(&play);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 10);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 9);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 1);
	assert_int_equal(play.heard.count[EXCHANGE_ANSWERED], 1);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(play.heard.response_us[i], 5000);
}

static void a_lost_answer_is_counted_but_not_timed(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	play_client(&play, 0, 120);
	tls_session_hole(&play.session, &play.heard.sink, EXCHANGE_SERVER, 1400);
	play_server(&play, 10, 400); /* the rest of it, at a segment's start */
	play_client(&play, 5000, 120);
	play_server(&play, 7000, 2000);
	play_end(&play);
	assert_counts(&play, 2, 1);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 1);
	assert_int_equal(play.heard.response_us[0], 7000);
}

static void an_answer_lost_whole_ends_the_turn(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	play_client(&play, 0, 120);
	tls_session_hole(&play.session, &play.heard.sink, EXCHANGE_SERVER, 1400);
	play_client(&play, 5000, 120);
	play_server(&play, 7000, 2000);
	play_end(&play);
	assert_counts(&play, 2, 1);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 1);
	assert_int_equal(play.heard.response_us[0], 7000);
}

static void a_lost_request_is_counted(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	play_client(&play, 0, 120);
	play_server(&play, 9000, 5000);
	tls_session_hole(&play.session, &play.heard.sink, EXCHANGE_CLIENT, 125);
	play_server(&play, 9000, 5000);
	play_client(&play, 0, 120);
	play_server(&play, 6000, 5000);
	play_end(&play);
	assert_counts(&play, 3, 2);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 1);
	assert_int_equal(play.heard.response_us[1], 6000);
}

static void a_hole_within_a_record_loses_nothing(void **state)
{
	struct play play = play_begin(0);
	uint8_t bytes[6000];

	(void)state;
	handshake_1_3(&play);
	play_client(&play, 0, 120);
	play.now = moment_plus_us(play.now, 9000);
	(void)make_record(bytes, 23, 5000);
	play_bytes(&play, EXCHANGE_SERVER, bytes, 1400);
	assert_int_equal(tls_session_skippable(&play.session, EXCHANGE_SERVER), 3605);
	tls_session_hole(&play.session, &play.heard.sink, EXCHANGE_SERVER, 1400);
	play_bytes(&play, EXCHANGE_SERVER, bytes + 2800, 2205);
	play_client(&play, 1000, 120);
	play_server(&play, 8000, 5000);
	play_end(&play);
	assert_counts(&play, 2, 2);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 0);
}

static void the_middle_of_a_session_is_joined_at_a_record(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	tls_session_init(&play.session, true);
	play_server(&play, 0, 700); /* the end of something that began before */
	play_client(&play, 9000, 120);
	play_server(&play, 8000, 700);
	play_client(&play, 9000, 120);
	play_server(&play, 7000, 700);
	play_end(&play);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 2);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 2);
	assert_int_equal(play.heard.response_us[1], 7000);
}

/* A 1.2 server's hello and a Certificate message with what certificate_maker.h made, in
 * records of any length. */
static void play_certificate(struct play *play, const char *name)
{
	uint8_t hello[4096], bytes[4096], record[4200], *at = bytes;
	EVP_PKEY *key = certificate_maker_key();
	X509 *x509 = certificate_maker_make(
		key, &(struct certificate_wish){.common_name = name, .until_s = 3600});
	size_t len = make_server_hello(hello, 0) - 5;
	int size;

	memcpy(at, hello + 5, len);
	at += len + 10;
	size = i2d_X509(x509, &at);
	memcpy(bytes + len,
		(uint8_t[]){11, 0, (uint8_t)((size + 6) >> 8), (uint8_t)(size + 6), 0,
			(uint8_t)((size + 3) >> 8), (uint8_t)(size + 3), 0,
			(uint8_t)(size >> 8), (uint8_t)size},
		10);
	len += 10 + (size_t)size;
	for (size_t from = 0; from < len; from += 300) {
		size_t part = len - from < 300 ? len - from : 300;

		(void)make_record(record, 22, part);
		memcpy(record + 5, bytes + from, part);
		play_bytes(play, EXCHANGE_SERVER, record, part + 5);
	}
	X509_free(x509);
	EVP_PKEY_free(key);
}

static void nameless_hello(struct play *play)
{
	uint8_t bytes[4096];
	size_t len = make_client_hello(bytes, "x", 100);

	bytes[len - 10] = 0xfa; /* no server name, but what nobody knows */
	play_bytes(play, EXCHANGE_CLIENT, bytes, len);
}

static void a_certificate_names_who_was_not_asked_for_by_name(void **state)
{
	struct play play;

	(void)state;
	for (size_t step = 0; step < 700; step += 7) {
		play = play_begin(step);
		nameless_hello(&play);
		assert_int_equal(play.heard.hosts, 0);
		play_certificate(&play, "exchange.example");
		assert_int_equal(play.heard.hosts, 1);
		assert_string_equal(play.heard.host, "exchange.example");
		assert_int_equal(play.heard.host_by, OBS_BY_CERTIFICATE);
		play_record(&play, EXCHANGE_CLIENT, 22, 70);
		play_record(&play, EXCHANGE_CLIENT, 20, 1);
		play_record(&play, EXCHANGE_CLIENT, 22, 40);
		play_client(&play, 1000, 200);
		play_server(&play, 1000, 500);
		assert_counts(&play, 1, 1);
		play_end(&play);
	}
}

static void without_a_certificate_nobody_is_named(void **state)
{
	uint8_t bytes[4096];
	struct play play;

	(void)state;
	for (int is_1_3 = 0; is_1_3 < 2; is_1_3++) {
		play = play_begin(0);
		nameless_hello(&play);
		play_bytes(
			&play, EXCHANGE_SERVER, bytes, make_server_hello(bytes, is_1_3));
		assert_int_equal(play.heard.hosts, is_1_3);
		play_record(&play, EXCHANGE_SERVER, 20, 1); /* resumed */
		play_record(&play, EXCHANGE_CLIENT, 20, 1);
		if (is_1_3)
			play_client(&play, 1000, 53);
		else
			play_record(&play, EXCHANGE_CLIENT, 22, 40);
		assert_int_equal(play.heard.hosts, 1);
		assert_int_equal(play.heard.host_by, OBS_BY_ADDRESS);
		play_end(&play);
	}
}

static void assert_broken(struct play *play, unsigned times)
{
	assert_int_equal(play->heard.count[EXCHANGE_BROKEN], times);
	assert_int_equal(play->heard.count[EXCHANGE_HANDSHAKE], 0);
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], 0);
	assert_int_equal(play->heard.hosts, 1);
	tls_session_breaks_off(&play->session, &play->heard.sink, EXCHANGE_SERVER);
	assert_int_equal(play->heard.count[EXCHANGE_BROKEN], 1); /* told once */
	play_end(play);
}

static void a_handshake_that_fails_is_told(void **state)
{
	uint8_t bytes[4096];
	size_t hello = make_client_hello(bytes, "exchange.example", 100);

	(void)state;
	for (unsigned step = 0; step < 2; step++) {
		struct play play = play_begin(step);

		play_bytes(&play, EXCHANGE_CLIENT, bytes, hello);
		play_bytes(
			&play, EXCHANGE_SERVER, (const uint8_t *)"\x15\3\3\0\2\2\x28", 7);
		assert_broken(&play, 1);
		play = play_begin(step); /* a warning only: no name by that name */
		play_bytes(&play, EXCHANGE_CLIENT, bytes, hello);
		play_bytes(
			&play, EXCHANGE_SERVER, (const uint8_t *)"\x15\3\3\0\2\1\x70", 7);
		assert_broken(&play, 0);
	}
}

static void a_certificate_that_is_not_trusted_breaks_the_handshake(void **state)
{
	struct play play = play_begin(0);
	uint8_t bytes[4096];

	(void)state;
	play_bytes(&play, EXCHANGE_CLIENT, bytes,
		make_client_hello(bytes, "exchange.example", 100));
	play_bytes(&play, EXCHANGE_SERVER, bytes, make_server_hello(bytes, 1));
	play_server(&play, 0, 900);
	play_client(&play, 1000, 19); /* an alert, encrypted already */
	assert_broken(&play, 1);
}

static void an_end_after_the_handshake_is_no_failure_of_it(void **state)
{
	struct play play = play_begin(0);

	(void)state;
	handshake_1_3(&play);
	play_client(&play, 0, 19);
	tls_session_breaks_off(&play.session, &play.heard.sink, EXCHANGE_CLIENT);
	assert_int_equal(play.heard.count[EXCHANGE_BROKEN], 0);
	play_end(&play);
}

static void a_secret_name_makes_the_clear_one_an_outer_one(void **state)
{
	struct play play = play_begin(0);
	uint8_t bytes[4096], *extensions, *at = bytes + 9;

	(void)state;
	memset(at, 0, 35);
	memcpy(at + 35, "\0\2\x13\1\1\0", 6);
	extensions = at + 41;
	at = add_extension(extensions + 2, 0xfe0d, "\0\0\1", 3);
	at = add_extension(at, 0, "\0\x11\0\0\x0epublic.example", 19);
	play_bytes(&play, EXCHANGE_CLIENT, bytes, end_hello(bytes, 1, extensions, at));
	assert_string_equal(play.heard.host, "public.example");
	assert_true(play.heard.host_is_outer);
	play_end(&play);
	play = play_begin(0);
	play_bytes(&play, EXCHANGE_CLIENT, bytes,
		make_client_hello(bytes, "exchange.example", 100));
	assert_false(play.heard.host_is_outer);
	play_end(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_inside_tls_1_3_are_counted_and_timed),
		cmocka_unit_test(tickets_before_the_first_request_are_no_answer),
		cmocka_unit_test(a_single_record_without_tickets_is_the_answer),
		cmocka_unit_test(several_records_are_one_request),
		cmocka_unit_test(a_client_certificate_is_no_request),
		cmocka_unit_test(requests_inside_tls_1_2_are_counted_and_timed),
		cmocka_unit_test(early_data_is_answered_behind_the_handshake),
		cmocka_unit_test(early_data_may_be_answered_before_the_clients_finished),
		cmocka_unit_test(tickets_may_come_behind_the_answer_to_early_data),
		cmocka_unit_test(
			early_data_is_not_timed_where_the_handshakes_end_is_hidden),
		cmocka_unit_test(an_interim_answer_is_none),
		cmocka_unit_test(what_looks_interim_may_be_the_answer),
		cmocka_unit_test(answers_as_long_as_interim_ones_are_answers),
		cmocka_unit_test(a_lost_answer_is_counted_but_not_timed),
		cmocka_unit_test(an_answer_lost_whole_ends_the_turn),
		cmocka_unit_test(a_lost_request_is_counted),
		cmocka_unit_test(a_hole_within_a_record_loses_nothing),
		cmocka_unit_test(the_middle_of_a_session_is_joined_at_a_record),
		cmocka_unit_test(a_certificate_names_who_was_not_asked_for_by_name),
		cmocka_unit_test(without_a_certificate_nobody_is_named),
		cmocka_unit_test(a_handshake_that_fails_is_told),
		cmocka_unit_test(a_certificate_that_is_not_trusted_breaks_the_handshake),
		cmocka_unit_test(an_end_after_the_handshake_is_no_failure_of_it),
		cmocka_unit_test(a_secret_name_makes_the_clear_one_an_outer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
