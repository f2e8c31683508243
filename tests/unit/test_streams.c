#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange_recorder.h"
#include "streams.h"

#define OVERHEAD 17

struct play {
	struct streams streams;
	struct recorder heard;
	struct moment now;
};

static void play_begin(struct play *play)
{
	recorder_init(&play->heard, NULL);
	streams_init(&play->streams, OVERHEAD, true, true);
	play->now = (struct moment){INT64_C(1590854700000000)};
}

static void client(struct play *play, int64_t wait_us, uint16_t content)
{
	play->now = moment_plus_us(play->now, wait_us);
	streams_client(&play->streams, &play->heard.sink, play->now, content + OVERHEAD);
}

static void server(struct play *play, int64_t wait_us, uint16_t content)
{
	play->now = moment_plus_us(play->now, wait_us);
	streams_server(&play->streams, &play->heard.sink, play->now, content + OVERHEAD);
}

static void opening(struct play *play, uint16_t content)
{
	streams_init(&play->streams, OVERHEAD, false, true);
	client(play, 0, content);
}

static void assert_counts(const struct play *play, unsigned requests, unsigned responses,
	unsigned multiplexed)
{
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], requests);
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], responses);
	assert_int_equal(play->heard.count[EXCHANGE_MULTIPLEXED], multiplexed);
}

static int64_t sum_of(const struct play *play, unsigned count)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += play->heard.response_us[i];
	return sum;
}

static void one_request_at_a_time_is_exact(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	opening(&play, 24 + 9 + 12 + 13);
	client(&play, 10, 9); /* acknowledges the settings */
	for (unsigned i = 0; i < 20; i++) {
		client(&play, 500, (uint16_t)(40 + i % 3));
		server(&play, 1000 + i, 300);
		client(&play, 5, 13); /* a window update */
		server(&play, 5, 13);
	}
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 20, 20, 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(play.heard.response_us[i], 1000 + i);
}

static void an_answer_of_many_records_is_one(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 5; i++) {
		client(&play, 500, 60);
		server(&play, 1000, 16384);
		server(&play, 30, 16384);
		server(&play, 30, 4000);
		client(&play, 5, 26);
		server(&play, 40, 9000); /* it was not the end */
	}
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 5, 5, 0);
	assert_int_equal(play.heard.count[EXCHANGE_LAST_BYTE], 5);
	assert_int_equal(play.heard.last_byte_us[0], 1105);
}

static void the_mean_of_interleaved_answers_is_exact(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 4; i++)
		client(&play, 100, 40);
	/* In whatever order they are answered: begun at 0, 100, 200, 300. */
	for (unsigned i = 0; i < 4; i++)
		server(&play, 1000, 300);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 4, 4, 4);
	assert_in_range(sum_of(&play, 4), 1300 + 2300 + 3300 + 4300 - 600 - 4,
		1300 + 2300 + 3300 + 4300 - 600 + 4);
}

static void requests_of_the_usual_length_share_a_record(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 3; i++) {
		client(&play, 100, 31);
		server(&play, 100, 300);
	}
	client(&play, 100, 155); /* five */
	for (unsigned i = 0; i < 5; i++)
		server(&play, 100, 300);
	assert_counts(&play, 8, 8, 5);
}

static void an_uploads_data_are_no_requests(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	client(&play, 100, 60);
	client(&play, 10, 16384);
	client(&play, 10, 16384);
	client(&play, 10, 2000);
	server(&play, 5000, 300);
	assert_counts(&play, 1, 1, 0);
}

static void what_was_lost_is_untimed(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	client(&play, 100, 60);
	streams_lost(&play.streams, &play.heard.sink, EXCHANGE_SERVER, 100);
	server(&play, 100, 300);
	client(&play, 100, 60);
	server(&play, 700, 300);
	assert_counts(&play, 2, 1, 0);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 1);
	assert_int_equal(play.heard.response_us[0], 700);
}

static void a_lost_answer_is_not_waited_for_beside_the_next(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	client(&play, 100, 60);
	server(&play, 700, 300);
	client(&play, 100, 60);
	streams_lost(&play.streams, &play.heard.sink, EXCHANGE_SERVER, 322);
	for (unsigned i = 0; i < 3; i++) {
		client(&play, 1000000, 60);
		server(&play, 700, 300);
	}
	assert_counts(&play, 5, 4, 0);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 1);
	assert_int_equal(sum_of(&play, 4), 4 * 700);
}

/* Record and head take 22 bytes; requests have 60, window updates 13. */
static void lost_requests_are_known_by_their_length(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 5; i++) {
		client(&play, 100, 60);
		server(&play, 700, 300);
	}
	streams_lost(&play.streams, &play.heard.sink, EXCHANGE_CLIENT, 13 + 22);
	assert_counts(&play, 5, 5, 0);
	streams_lost(&play.streams, &play.heard.sink, EXCHANGE_CLIENT, 2 * (60 + 22));
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 7);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 2);
	server(&play, 700, 300);
	server(&play, 700, 300);
	assert_int_equal(play.heard.count[EXCHANGE_ANSWERED], 2);
}

/* h2load: ten at a time, in one record each time, then one by one. */
static void the_usual_length_corrects_what_was_counted_before(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	opening(&play, 24 + 9 + 12 + 13 + 43 + 9 * 18);
	for (unsigned i = 0; i < 10; i++)
		server(&play, 20, 425);
	for (unsigned round = 0; round < 4; round++) {
		client(&play, 1000, 180);
		for (unsigned i = 0; i < 10; i++)
			server(&play, 20, 425);
	}
	for (unsigned i = 0; i < 10; i++) {
		client(&play, 1000, 18);
		server(&play, 20, 425);
	}
	client(&play, 10, 189); /* and the settings are acknowledged */
	for (unsigned i = 0; i < 10; i++)
		server(&play, 20, 425);
	streams_end(&play.streams, &play.heard.sink);
	assert_in_range(play.heard.count[EXCHANGE_REQUEST], 67, 71);
	assert_in_range(play.heard.count[EXCHANGE_RESPONSE], 67, 70);
}

/* curl: HEADERS of 25 bytes, and of 26 when numbers grow, which is two window updates. */
static void a_request_as_long_as_control_is_one(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 60; i++) {
		client(&play, 1000, i < 10 ? 25 : 26);
		server(&play, 300, 2060);
		client(&play, 10, 13);
	}
	client(&play, 1000, 39); /* with a window update */
	server(&play, 300, 2060);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 61, 61, 0);
}

/* h2load's smallest request is as long as a ping, and as its farewell. */
static void a_farewell_is_no_request(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 20; i++) {
		client(&play, 1000, 17);
		server(&play, 300, 128);
	}
	client(&play, 1000, 17);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 20, 20, 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(play.heard.response_us[i], 300);
}

static void pings_and_window_updates_are_no_requests(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 5; i++) {
		client(&play, 1000, 60);
		server(&play, 300, 6000);
		client(&play, 10, 14); /* a priority */
		client(&play, 10, 17);
		server(&play, 10, 17);
		server(&play, 300, 200);
		client(&play, 10, 13);
		client(&play, 10, 26);
	}
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 5, 5, 0);
}

/* curl's, as long as two window updates, before anything came that they could be for. */
static void what_nothing_was_read_for_is_no_window_update(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	client(&play, 0, 54);
	for (unsigned i = 0; i < 9; i++)
		client(&play, 10, 26);
	for (unsigned i = 0; i < 10; i++)
		server(&play, 1000, 260);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 10, 10, 10);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 0);
}

/* h2o sends what is ready together. The client, which keeps four requests open, asks for
 * as many as were answered. */
static void several_answers_in_one_record_are_known_by_what_is_asked_next(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 4; i++)
		client(&play, 0, 30);
	for (unsigned i = 0; i < 20; i++) {
		server(&play, 1000, 228);
		client(&play, 0, 30);
		server(&play, 1000, 456);
		client(&play, 0, 30);
		client(&play, 0, 30);
	}
	for (unsigned i = 0; i < 4; i++)
		server(&play, 1000, 228);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 64, 64, 64);
	/* Four are open for as long as it goes on: 4 × 40 ms, and 10 ms at the end. */
	assert_int_equal(sum_of(&play, 64), 170000);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 20);
}

/* A browser's page: ten long answers one right behind the other, without a word of the
 * client, and then one request at a time, in which the ten take no part. */
static void long_answers_in_a_row_are_over_before_the_next_is_asked_for(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 10; i++)
		client(&play, 10, 40);
	for (unsigned i = 0; i < 10; i++)
		server(&play, i ? 20 : 10000, (uint16_t)(8300 + 700 * i));
	for (unsigned i = 0; i < 20; i++) {
		client(&play, 5000000, 40);
		server(&play, 1000, 129);
	}
	streams_end(&play.streams, &play.heard.sink);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 30);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 30);
	for (unsigned i = 10; i < 30; i++)
		assert_int_equal(play.heard.response_us[i], 1000);
}

/* nghttp asks for everything in its first record and says no more. */
static void alike_answers_to_one_record_are_as_many_requests(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	opening(&play, 744);
	client(&play, 500, 9);
	for (unsigned i = 0; i < 20; i++)
		server(&play, 1000, 268);
	streams_end(&play.streams, &play.heard.sink);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 20);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 20);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 19);
}

/* Their ends are what is waited from: 200 ms and 100 ms, whoever is answered first. */
static void uploads_at_once_are_timed_from_their_ends(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	client(&play, 0, 27);
	client(&play, 10, 16384);
	client(&play, 99990, 3625);
	client(&play, 0, 28);
	client(&play, 10, 16384);
	client(&play, 99990, 3625);
	server(&play, 100000, 228);
	server(&play, 0, 228);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 2, 2, 2);
	assert_int_equal(sum_of(&play, 2), 300000);
}

/* With each, the server opens the window of what it is about. */
/* A window that closes cuts bodies anywhere: into what might be many requests. */
static void pieces_of_bodies_are_no_requests_however_long(void **state)
{
	static const uint16_t pieces[] = {3625, 1919, 5544, 1724, 3000, 2240};
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 6; i++)
		client(&play, 0, 28);
	client(&play, 20000, 16384);
	for (unsigned i = 0; i < 6; i++) {
		client(&play, 3000, pieces[i]);
		server(&play, 1000, 13);
	}
	for (unsigned i = 0; i < 6; i++)
		server(&play, 2000, 300);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 6, 6, 6);
	/* Whose body ended when is not known. */
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 6);
}

static void settings_beside_windows_of_uploads_are_no_answer(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	streams_init(&play.streams, OVERHEAD, true, false);
	for (int i = 0; i < 3; i++) {
		client(&play, 100, 81);
		client(&play, 100, 16384);
		client(&play, 100, 3625);
	}
	server(&play, 100, 9 + 18 + 13 + 9 + 3 * 13);
	assert_counts(&play, 3, 0, 3);
}

/* A browser's: the body is no row of requests, whatever its length. */
static void a_body_behind_its_request_is_none(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 10; i++) {
		client(&play, 1000, 48);
		if (i > 5)
			client(&play, 10, (uint16_t)(48 * 10 * i));
		server(&play, 1000, 260);
	}
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 10, 10, 0);
}

/* h2o and nghttpx warm up with records that fit in a packet. */
static void small_records_of_a_long_answer_are_one(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 10; i++) {
		client(&play, 1000, 29);
		for (unsigned n = 0; n < 20; n++)
			server(&play, 10, 1368);
		server(&play, 10, 210);
	}
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 10, 10, 0);
}

/* The last record of an answer may be nearly as long as a full one. */
static void an_answer_behind_one_that_ended_nearly_full_is_one(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 20; i++) {
		client(&play, 1000, 29);
		server(&play, 300, 16384);
		server(&play, 10, (uint16_t)(i % 3 ? 900 : 16200));
	}
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 20, 20, 0);
}

/* Chromium pings while it waits. */
static void the_bytes_of_a_ping_do_not_move_the_request(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	client(&play, 0, 60);
	client(&play, 5000, 17);
	streams_client_more(&play.streams, play.now);
	server(&play, 1000, 200);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 1, 1, 0);
	assert_int_equal(play.heard.response_us[0], 6000);
}

/* A client of TLS 1.3 need not wait for them. */
static void tickets_behind_the_first_requests_are_no_answers(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	streams_init(&play.streams, OVERHEAD, false, false);
	client(&play, 0, 64);
	client(&play, 10, 30);
	client(&play, 10, 30);
	server(&play, 100, 249);
	server(&play, 10, 249);
	server(&play, 10, 40);
	client(&play, 10, 9);
	server(&play, 1000, 249);
	server(&play, 10, 249);
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 2, 2, 2);
	assert_int_equal(sum_of(&play, 2), 1140 + 1140);
}

/* nginx with a server behind it. */
static void empty_frames_end_answers(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 10; i++) {
		client(&play, 1000, 40);
		client(&play, 0, 40);
		server(&play, 300, 8138);
		server(&play, 10, 4105);
		server(&play, 10, 16384);
		server(&play, 10, 1470);
		server(&play, 10, 9);
		server(&play, 300, 16384);
		server(&play, 10, 13704);
		server(&play, 10, 9);
	}
	streams_end(&play.streams, &play.heard.sink);
	/* Until it is known what the frames mean, an answer may be taken for two. */
	assert_in_range(play.heard.count[EXCHANGE_REQUEST], 20, 22);
	assert_in_range(play.heard.count[EXCHANGE_RESPONSE], 20, 22);
	assert_in_range(sum_of(&play, 20) / 20, 430, 520);
}

/* A browser's. The first answer comes as head and body; the first requests are long. */
static void first_requests_in_full_are_not_many_of_the_usual_length(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	opening(&play, 70);
	client(&play, 60, 450);
	client(&play, 80, 9);
	server(&play, 800, 126);
	server(&play, 50, 601);
	client(&play, 20000, 149);
	server(&play, 200, 625);
	for (unsigned i = 0; i < 8; i++) {
		client(&play, 5000, 40);
		server(&play, 200, 2526);
	}
	streams_end(&play.streams, &play.heard.sink);
	assert_counts(&play, 10, 10, 0);
}

/* Apache's answers to two uploads, as long in one record as five window updates. */
static void answers_as_long_as_windows_show_in_what_is_asked_next(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 4; i++) {
		client(&play, 10, 28);
		client(&play, 10, 16384);
		client(&play, 10, 3625);
	}
	server(&play, 20000, 47);
	client(&play, 100, 28);
	client(&play, 10, 16384);
	server(&play, 5000, 65);
	server(&play, 0, 29);
	for (unsigned i = 0; i < 2; i++) {
		client(&play, 100, 28);
		client(&play, 10, 16384);
		client(&play, 10, 3625);
	}
	assert_counts(&play, 7, 3, 7);
	assert_int_equal(play.streams.open.count, 4);
	assert_int_equal(play.streams.open.most, 4);
}

/* A browser's page of twelve; some of its answers begin in the midst of others' records.
 * What it asks for one by one afterwards is timed by itself. */
static void what_a_page_left_open_is_over_after_a_few_turns(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (unsigned i = 0; i < 12; i++)
		client(&play, 0, 40);
	for (unsigned i = 0; i < 6; i++) {
		server(&play, 2000, 9000);
		server(&play, 200, 5000);
		server(&play, 200, 3000);
	}
	for (unsigned i = 0; i < 10; i++) {
		client(&play, 1000, 40);
		server(&play, 40000, 300);
	}
	assert_int_equal(play.streams.open.count, 0);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 22);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 22);
	for (unsigned i = 17; i < 22; i++)
		assert_int_equal(play.heard.response_us[i], 40000);
}

/* What is open when a client asks again so long after answers of many records. */
static unsigned open_after(struct play *play, uint32_t away_us)
{
	play_begin(play);
	for (unsigned i = 0; i < 6; i++)
		client(play, 0, 40);
	server(play, 2000, 9000);
	for (unsigned i = 0; i < 6; i++)
		server(play, 200, (uint16_t)(4900 + i));
	streams_unseen(&play->streams, &play->heard.sink, 0, away_us);
	client(play, 20000, 40);
	return play->streams.open.count;
}

static void a_client_far_away_pauses_by_its_distance_at_least(void **state)
{
	struct play play;

	(void)state;
	assert_int_equal(open_after(&play, 0), 1);
	assert_int_equal(open_after(&play, 10000), 1);
	assert_int_equal(open_after(&play, 18000), 6);
	assert_int_equal(open_after(&play, UINT32_MAX), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request_at_a_time_is_exact),
		cmocka_unit_test(an_answer_of_many_records_is_one),
		cmocka_unit_test(the_mean_of_interleaved_answers_is_exact),
		cmocka_unit_test(requests_of_the_usual_length_share_a_record),
		cmocka_unit_test(an_uploads_data_are_no_requests),
		cmocka_unit_test(what_was_lost_is_untimed),
		cmocka_unit_test(a_lost_answer_is_not_waited_for_beside_the_next),
		cmocka_unit_test(lost_requests_are_known_by_their_length),
		cmocka_unit_test(the_usual_length_corrects_what_was_counted_before),
		cmocka_unit_test(a_request_as_long_as_control_is_one),
		cmocka_unit_test(a_farewell_is_no_request),
		cmocka_unit_test(pings_and_window_updates_are_no_requests),
		cmocka_unit_test(what_nothing_was_read_for_is_no_window_update),
		cmocka_unit_test(
			several_answers_in_one_record_are_known_by_what_is_asked_next),
		cmocka_unit_test(
			long_answers_in_a_row_are_over_before_the_next_is_asked_for),
		cmocka_unit_test(alike_answers_to_one_record_are_as_many_requests),
		cmocka_unit_test(uploads_at_once_are_timed_from_their_ends),
		cmocka_unit_test(pieces_of_bodies_are_no_requests_however_long),
		cmocka_unit_test(settings_beside_windows_of_uploads_are_no_answer),
		cmocka_unit_test(a_body_behind_its_request_is_none),
		cmocka_unit_test(small_records_of_a_long_answer_are_one),
		cmocka_unit_test(an_answer_behind_one_that_ended_nearly_full_is_one),
		cmocka_unit_test(the_bytes_of_a_ping_do_not_move_the_request),
		cmocka_unit_test(tickets_behind_the_first_requests_are_no_answers),
		cmocka_unit_test(answers_as_long_as_windows_show_in_what_is_asked_next),
		cmocka_unit_test(first_requests_in_full_are_not_many_of_the_usual_length),
		cmocka_unit_test(what_a_page_left_open_is_over_after_a_few_turns),
		cmocka_unit_test(a_client_far_away_pauses_by_its_distance_at_least),
		cmocka_unit_test(empty_frames_end_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
