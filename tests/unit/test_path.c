#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <cmocka.h>

#include "path.h"
#include "probe_replies.h"

#define FIRST_ID 1000
#define MS 1000

/* A network made of rules: who answers at which TTL, and when. */
struct network {
	unsigned length;       /* the destination's TTL; 0: it never answers */
	int64_t hop_us;        /* round trip grows by this with each hop */
	uint64_t silent;       /* a bit for each TTL */
	unsigned refusing;     /* a router that refuses at this TTL; 0: none */
	unsigned deaf_queries; /* every hop drops this many first probes */
};

struct play {
	struct path *path;
	struct network network;
	struct tick now;
	unsigned sent;
	unsigned highest_ttl;
	struct {
		struct tick at;
		uint16_t id;
		struct reply_packet reply;
	} answers[2048];
	unsigned answer_count, answer_next;
	unsigned asked[PATH_TTL_MAX + 1];
};

static struct address router_address(unsigned ttl)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "192.0.2.%u", ttl);
	return test_address(text);
}

static bool reply_to(struct play *play, unsigned ttl, struct reply_packet *reply)
{
	const struct network *network = &play->network;

	*reply =
		(struct reply_packet){.kind = REPLY_EXPIRED, .from = router_address(ttl)};
	if (network->refusing && ttl >= network->refusing) {
		reply->kind = REPLY_UNREACHABLE;
		reply->from = router_address(network->refusing);
		return true;
	}
	if (network->silent >> ttl & 1 || play->asked[ttl] <= network->deaf_queries)
		return false;
	if (network->length && ttl >= network->length) {
		reply->kind = REPLY_ARRIVED;
		reply->from = test_address("203.0.113.9");
	}
	return network->length != 0 || ttl < 6;
}

static void send_all(struct play *play)
{
	struct path_probe probe;

	while (path_next(play->path, play->now, NULL, &probe)) {
		struct reply_packet reply;
		unsigned hops = probe.ttl;

		play->sent++;
		play->asked[probe.ttl]++;
		if (probe.ttl > play->highest_ttl)
			play->highest_ttl = probe.ttl;
		if (!reply_to(play, probe.ttl, &reply))
			continue;
		if (play->network.length && hops > play->network.length)
			hops = play->network.length;
		play->answers[play->answer_count].at.us =
			play->now.us + play->network.hop_us * hops;
		play->answers[play->answer_count].id = probe.id;
		play->answers[play->answer_count++].reply = reply;
	}
}

/* Answers do not overtake each other here; the next is the earliest still to come. */
static unsigned next_answer(const struct play *play)
{
	unsigned best = UINT32_MAX;

	for (unsigned i = 0; i < play->answer_count; i++)
		if (play->answers[i].id != 0 &&
			(best == UINT32_MAX ||
				play->answers[i].at.us < play->answers[best].at.us))
			best = i;
	return best;
}

/* Plays until the path is done; time moves from event to event. */
static void play_out(struct play *play)
{
	for (unsigned turns = 0; !path_is_done(play->path); turns++) {
		struct tick deadline;
		unsigned next;

		assert_in_range(turns, 0, 5000);
		send_all(play);
		deadline = path_deadline(play->path);
		next = next_answer(play);
		if (next != UINT32_MAX && play->answers[next].at.us < deadline.us) {
			play->now = play->answers[next].at;
			assert_int_equal(
				path_take_reply(play->path, play->answers[next].id,
					&play->answers[next].reply, play->now),
				PATH_COUNTED);
			play->answers[next].id = 0;
		} else if (!path_is_done(play->path)) {
			play->now = deadline;
			path_expire(play->path, play->now);
		}
	}
}

static void start(struct play *play, struct network network, unsigned queries)
{
	struct path_plan plan = {.max_ttl = 30, .queries = queries, .first_id = FIRST_ID};

	*play = (struct play){.network = network, .now = {5000}};
	assert_int_equal(path_new(&play->path, &plan), 0);
}

static void a_whole_path_takes_one_round_trip(void **state)
{
	struct path_row rows[PATH_ROWS_MAX];
	struct play play;

	(void)state;
	start(&play, (struct network){.length = 20, .hop_us = 2500}, 1);
	play_out(&play);
	assert_int_equal(play.now.us - 5000, 50 * MS);
	assert_int_equal(play.sent, 30);
	assert_true(path_is_reached(play.path));
	assert_int_equal(path_rows(play.path, rows), 20);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(rows[i].ttl, i + 1);
		assert_int_equal(rows[i].sent, 1);
		assert_int_equal(rows[i].answered, 1);
		assert_int_equal(rows[i].rtt_us, (i + 1) * 2500);
	}
	path_free(play.path);
}

static void each_hop_is_asked_as_often_as_wished_one_after_the_other(void **state)
{
	struct path_row rows[PATH_ROWS_MAX];
	struct play play;

	(void)state;
	start(&play, (struct network){.length = 5, .hop_us = 1 * MS}, 3);
	play_out(&play);
	assert_int_equal(play.now.us - 5000, 15 * MS);
	assert_int_equal(path_rows(play.path, rows), 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(rows[i].sent, 3);
		assert_int_equal(rows[i].answered, 3);
	}
	assert_int_equal(play.asked[6], 1);
	path_free(play.path);
}

static void a_silent_stretch_before_the_destination_costs_less_than_200_ms(void **state)
{
	struct path_row rows[PATH_ROWS_MAX];
	struct play play;

	(void)state;
	start(&play, (struct network){.length = 20, .hop_us = 2500, .silent = 0xf0000},
		3);
	play_out(&play);
	assert_in_range(play.now.us - 5000, 0, 200 * MS);
	assert_true(path_is_reached(play.path));
	assert_int_equal(path_rows(play.path, rows), 20);
	assert_int_equal(rows[15].answered, 0);
	assert_int_equal(rows[15].sent, 2);
	assert_int_equal(rows[15].address.family, 0);
	assert_int_equal(rows[19].answered, 3);
	path_free(play.path);
}

static void a_slow_stretch_at_the_end_is_waited_for(void **state)
{
	struct path_plan plan = {.max_ttl = 6, .queries = 1, .first_id = FIRST_ID};
	struct reply_packet near = {.kind = REPLY_EXPIRED, .from = router_address(1)};
	struct reply_packet far = {
		.kind = REPLY_ARRIVED, .from = test_address("203.0.113.9")};
	struct path_probe probe;
	struct path *path;

	(void)state;
	assert_int_equal(path_new(&path, &plan), 0);
	while (path_next(path, (struct tick){0}, NULL, &probe))
		;
	assert_int_equal(path_take_reply(path, FIRST_ID, &near, (struct tick){1 * MS}),
		PATH_COUNTED);
	/* Not asked twice before it could have answered, and not given up then. */
	assert_in_range(path_deadline(path).us, 250 * MS, 600 * MS);
	path_expire(path, (struct tick){600 * MS});
	while (path_next(path, (struct tick){600 * MS}, NULL, &probe))
		;
	path_expire(path, (struct tick){898 * MS});
	assert_false(path_is_done(path));
	assert_int_equal(
		path_take_reply(path, FIRST_ID + 5, &far, (struct tick){899 * MS}),
		PATH_COUNTED);
	assert_true(path_is_reached(path));
	path_free(path);
}

static bool all_but_the_second(void *arg, uint8_t ttl)
{
	bool *shut = arg;

	return !(*shut && ttl == 2);
}

static void a_hop_that_may_not_be_asked_yet_is_asked_later(void **state)
{
	struct path_plan plan = {.max_ttl = 3, .queries = 1, .first_id = FIRST_ID};
	bool shut = true;
	struct ttl_gate gate = {&shut, all_but_the_second};
	struct path_probe probe;
	struct path *path;

	(void)state;
	for (unsigned narrow = 0; narrow < 2; narrow++) {
		struct reply_packet reply = {.kind = REPLY_EXPIRED};

		plan.narrow = narrow;
		shut = true;
		assert_int_equal(path_new(&path, &plan), 0);
		for (unsigned ttl = 1; ttl <= 3; ttl += 2) {
			assert_true(path_next(path, (struct tick){0}, &gate, &probe));
			assert_int_equal(probe.ttl, ttl);
			reply.from = router_address(ttl);
			(void)path_take_reply(
				path, probe.id, &reply, (struct tick){1 * MS});
		}
		assert_false(path_next(path, (struct tick){2 * MS}, &gate, &probe));
		assert_false(path_is_done(path));
		shut = false;
		assert_true(path_next(path, (struct tick){3 * MS}, &gate, &probe));
		assert_int_equal(probe.ttl, 2);
		path_free(path);
	}
}

static void a_destination_that_never_answers_ends_in_two_seconds(void **state)
{
	struct path_row rows[PATH_ROWS_MAX];
	struct play play;

	(void)state;
	start(&play, (struct network){.length = 0, .hop_us = 1 * MS}, 1);
	play_out(&play);
	assert_false(path_is_reached(play.path));
	assert_in_range(play.now.us, 1000 * MS, 2100 * MS);
	assert_int_equal(path_rows(play.path, rows), 30);
	assert_int_equal(rows[4].answered, 1);
	assert_int_equal(rows[5].answered, 0);
	assert_int_equal(rows[29].sent, 2);
	path_free(play.path);
}

static void a_router_that_refuses_ends_the_path_unreached(void **state)
{
	struct path_row rows[PATH_ROWS_MAX];
	struct play play;

	(void)state;
	start(&play, (struct network){.length = 9, .hop_us = 1 * MS, .refusing = 4}, 1);
	play_out(&play);
	assert_false(path_is_reached(play.path));
	assert_int_equal(path_length(play.path), 4);
	assert_int_equal(path_rows(play.path, rows), 4);
	assert_int_equal(rows[3].answered, 1);
	path_free(play.path);
}

static void a_hop_that_loses_its_first_probe_is_still_found(void **state)
{
	struct path_row rows[PATH_ROWS_MAX];
	struct play play;

	(void)state;
	start(&play, (struct network){.length = 6, .hop_us = 1 * MS, .deaf_queries = 1},
		1);
	play_out(&play);
	assert_true(path_is_reached(play.path));
	assert_int_equal(path_rows(play.path, rows), 6);
	assert_int_equal(rows[2].sent, 2);
	assert_int_equal(rows[2].answered, 1);
	path_free(play.path);
}

static void start_likely(
	struct play *play, struct network network, unsigned likely_length)
{
	struct path_plan plan = {.max_ttl = 30,
		.queries = 1,
		.first_id = FIRST_ID,
		.likely_length = likely_length};

	*play = (struct play){.network = network, .now = {5000}};
	assert_int_equal(path_new(&play->path, &plan), 0);
}

static void a_known_length_saves_the_probes_behind_it(void **state)
{
	struct play play;

	(void)state;
	start_likely(&play, (struct network){.length = 8, .hop_us = 1 * MS}, 8);
	play_out(&play);
	assert_true(path_is_reached(play.path));
	assert_int_equal(play.sent, 10);
	assert_int_equal(play.now.us - 5000, 8 * MS);
	path_free(play.path);
}

static void a_path_that_grew_is_followed_to_its_end(void **state)
{
	struct path_row rows[PATH_ROWS_MAX];
	struct play play;

	(void)state;
	start_likely(&play, (struct network){.length = 20, .hop_us = 1 * MS}, 8);
	play_out(&play);
	assert_true(path_is_reached(play.path));
	assert_int_equal(path_rows(play.path, rows), 20);
	assert_in_range(play.now.us - 5000, 20 * MS, 30 * MS);
	path_free(play.path);

	/* The hop in whose place the destination was is silent now. */
	start_likely(&play,
		(struct network){.length = 20, .hop_us = 1 * MS, .silent = 0x7f00}, 8);
	play_out(&play);
	assert_true(path_is_reached(play.path));
	assert_int_equal(path_rows(play.path, rows), 20);
	path_free(play.path);
}

static struct path *sent_path(unsigned max_ttl, unsigned queries)
{
	struct path_plan plan = {
		.max_ttl = max_ttl, .queries = queries, .first_id = FIRST_ID};
	struct path_probe probe;
	struct path *path;

	assert_int_equal(path_new(&path, &plan), 0);
	while (path_next(path, (struct tick){0}, NULL, &probe))
		;
	return path;
}

static void two_addresses_at_one_ttl_are_two_rows(void **state)
{
	struct reply_packet one = {.kind = REPLY_EXPIRED, .from = router_address(1)};
	struct reply_packet two = {.kind = REPLY_EXPIRED, .from = router_address(2)};
	struct path_row rows[PATH_ROWS_MAX];
	struct path *path = sent_path(2, 2);
	struct path_probe probe;

	(void)state;
	(void)path_take_reply(path, FIRST_ID, &one, (struct tick){2 * MS});
	assert_true(path_next(path, (struct tick){3 * MS}, NULL, &probe));
	assert_int_equal(probe.ttl, 1);
	(void)path_take_reply(path, probe.id, &two, (struct tick){4 * MS});
	assert_int_equal(path_rows(path, rows), 3);
	assert_int_equal(rows[0].ttl, 1);
	assert_int_equal(rows[1].ttl, 1);
	assert_int_equal(rows[0].sent, 2);
	assert_int_equal(rows[0].answered, 1);
	assert_int_equal(rows[1].rtt_us, 1 * MS);
	assert_false(address_equal(&rows[0].address, &rows[1].address));
	assert_int_equal(rows[2].ttl, 2);
	path_free(path);
}

static void the_least_round_trip_counts_and_none_is_negative(void **state)
{
	struct reply_packet one = {.kind = REPLY_EXPIRED, .from = router_address(1)};
	struct path_row rows[PATH_ROWS_MAX];
	struct path *path = sent_path(1, 2);
	struct path_probe probe;

	(void)state;
	(void)path_take_reply(path, FIRST_ID, &one, (struct tick){2 * MS});
	assert_true(path_next(path, (struct tick){5 * MS}, NULL, &probe));
	path_note_sent(path, probe.id, (struct tick){6 * MS});
	(void)path_take_reply(path, probe.id, &one, (struct tick){5 * MS});
	assert_int_equal(path_rows(path, rows), 1);
	assert_int_equal(rows[0].rtt_us, 0);
	path_free(path);
}

static void duplicates_and_ids_never_sent_do_not_count(void **state)
{
	struct reply_packet one = {.kind = REPLY_ARRIVED, .from = router_address(1)};
	struct path_row rows[PATH_ROWS_MAX];
	struct path *path = sent_path(3, 3);
	struct tick at = {1 * MS};

	(void)state;
	assert_int_equal(path_take_reply(path, FIRST_ID - 1, &one, at), PATH_STRANGE);
	assert_int_equal(path_take_reply(path, FIRST_ID + 3, &one, at), PATH_STRANGE);
	assert_int_equal(path_take_reply(path, FIRST_ID + 9, &one, at), PATH_STRANGE);
	assert_int_equal(path_take_reply(path, 0, &one, at), PATH_STRANGE);
	assert_int_equal(path_take_reply(path, 0xffff, &one, at), PATH_STRANGE);
	assert_false(path_is_reached(path));
	assert_int_equal(path_take_reply(path, FIRST_ID, &one, at), PATH_COUNTED);
	assert_int_equal(path_take_reply(path, FIRST_ID, &one, at), PATH_DUPLICATE);
	assert_int_equal(path_rows(path, rows), 1);
	assert_int_equal(rows[0].answered, 1);
	path_free(path);
}

static void the_lowest_ttl_that_arrived_is_the_end(void **state)
{
	struct reply_packet end = {
		.kind = REPLY_ARRIVED, .from = test_address("203.0.113.9")};
	struct path_row rows[PATH_ROWS_MAX];
	struct path *path = sent_path(9, 1);

	(void)state;
	(void)path_take_reply(path, FIRST_ID + 6, &end, (struct tick){1 * MS});
	assert_int_equal(path_length(path), 7);
	(void)path_take_reply(path, FIRST_ID + 4, &end, (struct tick){2 * MS});
	assert_int_equal(path_length(path), 5);
	(void)path_take_reply(path, FIRST_ID + 7, &end, (struct tick){3 * MS});
	assert_int_equal(path_length(path), 5);
	assert_int_equal(path_rows(path, rows), 5);
	path_free(path);
}

static void a_narrow_path_has_one_probe_in_flight(void **state)
{
	struct path_plan plan = {
		.max_ttl = 8, .queries = 1, .first_id = FIRST_ID, .narrow = true};
	struct reply_packet reply = {.kind = REPLY_EXPIRED};
	struct path_row rows[PATH_ROWS_MAX];
	struct path_probe probe;
	struct tick now = {0};
	struct path *path;

	(void)state;
	assert_int_equal(path_new(&path, &plan), 0);
	for (unsigned ttl = 1; ttl <= 4; ttl++) {
		assert_true(path_next(path, now, NULL, &probe));
		assert_int_equal(probe.ttl, ttl);
		assert_false(path_next(path, now, NULL, &probe));
		if (ttl == 2) { /* silent: asked again only once the end is known */
			now = path_deadline(path);
			path_expire(path, now);
			continue;
		}
		reply.from = router_address(ttl);
		reply.kind = ttl == 4 ? REPLY_ARRIVED : REPLY_EXPIRED;
		now.us += 10 * MS;
		assert_int_equal(path_take_unnumbered(path, &reply, now), PATH_COUNTED);
	}
	assert_true(path_next(path, now, NULL, &probe));
	assert_int_equal(probe.ttl, 2);
	path_expire(path, path_deadline(path));
	assert_true(path_is_done(path));
	assert_int_equal(path_rows(path, rows), 4);
	path_free(path);
}

static void a_reply_without_a_number_counts_only_when_it_can_be_for_one(void **state)
{
	struct path_plan plan = {.max_ttl = 3, .queries = 1, .first_id = FIRST_ID};
	struct reply_packet reply = {.kind = REPLY_EXPIRED, .from = router_address(1)};
	struct path_row rows[PATH_ROWS_MAX];
	struct path_probe probe;
	struct tick now = {0};
	struct path *path;

	(void)state;
	assert_int_equal(path_new(&path, &plan), 0);
	while (path_next(path, now, NULL, &probe))
		;
	assert_int_equal(path_take_unnumbered(path, &reply, now), PATH_STRANGE);
	now.us = 2000 * MS;
	path_expire(path, now);
	assert_true(path_next(path, now, NULL, &probe)); /* narrow from now on */
	assert_false(path_next(path, now, NULL, &probe));
	assert_int_equal(path_take_unnumbered(path, &reply, now), PATH_COUNTED);
	assert_int_equal(path_rows(path, rows), 3);
	assert_int_equal(rows[0].answered, 1);
	assert_int_equal(rows[0].address.bytes[3], 1);
	/* What may have been answered is not lost. */
	assert_int_equal(rows[0].sent, 1);
	path_free(path);
}

static void a_plan_beyond_the_bounds_is_refused(void **state)
{
	static const struct path_plan bad[] = {
		{.max_ttl = 0, .queries = 1, .first_id = 1},
		{.max_ttl = PATH_TTL_MAX + 1, .queries = 1, .first_id = 1},
		{.max_ttl = 30, .queries = 0, .first_id = 1},
		{.max_ttl = 30, .queries = PATH_QUERIES_MAX + 1, .first_id = 1},
		{.max_ttl = 30, .queries = 3, .first_id = 0},
		{.max_ttl = 30, .queries = 3, .first_id = 0xffff - 89},
	};
	struct path *path;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(path_new(&path, &bad[i]), -EINVAL);
		assert_null(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_path_takes_one_round_trip),
		cmocka_unit_test(
			each_hop_is_asked_as_often_as_wished_one_after_the_other),
		cmocka_unit_test(
			a_silent_stretch_before_the_destination_costs_less_than_200_ms),
		cmocka_unit_test(a_slow_stretch_at_the_end_is_waited_for),
		cmocka_unit_test(a_hop_that_may_not_be_asked_yet_is_asked_later),
		cmocka_unit_test(a_destination_that_never_answers_ends_in_two_seconds),
		cmocka_unit_test(a_router_that_refuses_ends_the_path_unreached),
		cmocka_unit_test(a_hop_that_loses_its_first_probe_is_still_found),
		cmocka_unit_test(a_known_length_saves_the_probes_behind_it),
		cmocka_unit_test(a_path_that_grew_is_followed_to_its_end),
		cmocka_unit_test(two_addresses_at_one_ttl_are_two_rows),
		cmocka_unit_test(the_least_round_trip_counts_and_none_is_negative),
		cmocka_unit_test(duplicates_and_ids_never_sent_do_not_count),
		cmocka_unit_test(the_lowest_ttl_that_arrived_is_the_end),
		cmocka_unit_test(a_narrow_path_has_one_probe_in_flight),
		cmocka_unit_test(
			a_reply_without_a_number_counts_only_when_it_can_be_for_one),
		cmocka_unit_test(a_plan_beyond_the_bounds_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
