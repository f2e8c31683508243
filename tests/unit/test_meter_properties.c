/*
 * What must not matter: how bytes were cut into segments, how connections lie between
 * each other, what is seen twice or out of order. Random conversations of HTTP/1 and
 * HTTP/2 in the clear and inside TLS 1.2 and 1.3, of DNS, and of what changes from one to
 * another are played once plainly and once disturbed; the answer must be the same to the
 * microsecond. And what may matter only a little: packets that were lost,
 * beginnings that were not seen. ASTRAY_SEED=n in the environment plays others; a failure
 * prints its seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "talk_maker.h"

#define ROUNDS 16
#define TALKS (SPEECHES + 2)
#define CROWD 150

static const struct disturbance plainly = {.segment_max = 1400};

static void assert_all_is_answered(struct traffic_sum *plain)
{
	static const char *const names[] = {"clear.example", "tls.example", "h2.example"};
	size_t found = 0;

	for (size_t i = 0; i < traffic_sum_count(plain); i++) {
		const struct obs_traffic *one = traffic_sum_at(plain, i);

		assert_true(one->requests > 0);
		assert_int_equal(one->requests, one->responses);
		for (unsigned n = 0; n < 3; n++)
			found += strcmp(one->service, names[n]) == 0;
	}
	assert_int_equal(found, 3);
	assert_int_equal(traffic_sum_count(plain), 4); /* and who asks DNS */
}

static void same_however(const struct disturbance *how)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct stage *stage = raise_stage(round);
		struct talk talks[TALKS];
		struct traffic_sum *plain;

		for (unsigned i = 0; i < TALKS; i++)
			make_talk(stage, &talks[i], (enum speech)(i % SPEECHES),
				2 + roll(stage, 8));
		measure_talks(stage, talks, TALKS, &plainly);
		plain = keep_sum(stage);
		assert_all_is_answered(plain);
		measure_talks(stage, talks, TALKS, how);
		assert_same_sums(stage, plain);
		traffic_sum_free(plain);
		strike_stage(stage, talks, TALKS);
	}
}

static void segments_of_any_length_give_the_same(void **state)
{
	(void)state;
	same_however(&(struct disturbance){.segment_max = 100});
	same_however(&(struct disturbance){.segment_max = 8000});
}

static void single_bytes_give_the_same(void **state)
{
	struct stage *stage = raise_stage(0);
	struct talk talks[SPEECHES];
	struct traffic_sum *plain;

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++)
		make_talk(stage, &talks[i], (enum speech)i, i == CLEAR ? 1 : 0);
	measure_talks(stage, talks, SPEECHES, &plainly);
	plain = keep_sum(stage);
	measure_talks(stage, talks, SPEECHES, &(struct disturbance){.segment_max = 1});
	assert_same_sums(stage, plain);
	traffic_sum_free(plain);
	strike_stage(stage, talks, SPEECHES);
}

static void what_is_seen_twice_counts_once(void **state)
{
	(void)state;
	same_however(&(struct disturbance){.segment_max = 1400, .again_in = 5});
	same_however(&(struct disturbance){.segment_max = 1400, .copy_in = 2});
}

/* Both ports of a switch are mirrored: every packet comes twice, in bursts. */
static void what_mirrors_show_twice_is_no_retransmission(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct stage *stage = raise_stage(round);
		struct talk talks[SPEECHES];
		struct traffic_sum *plain;

		for (unsigned i = 0; i < SPEECHES; i++)
			make_talk(stage, &talks[i], (enum speech)i, 4);
		stage->all_four = true; /* of IPv6 nothing here tells copies */
		measure_talks(stage, talks, SPEECHES, &plainly);
		plain = keep_sum(stage);
		measure_talks(stage, talks, SPEECHES,
			&(struct disturbance){.segment_max = 500, .mirror_in = 1});
		assert_same_sums(stage, plain);
		assert_int_equal(take_all(stage).retransmits, 0);
		traffic_sum_free(plain);
		strike_stage(stage, talks, SPEECHES);
	}
}

static void neighbours_may_change_places(void **state)
{
	(void)state;
	same_however(&(struct disturbance){.segment_max = 1400, .swap_in = 4});
	same_however(&(struct disturbance){
		.segment_max = 700, .swap_in = 6, .again_in = 10, .copy_in = 10});
}

static unsigned asked_behind(const struct talk *talk, unsigned skip)
{
	unsigned count = 0;

	for (unsigned i = skip; i < talk->count; i++)
		count += talk->messages[i].asks;
	return count;
}

static void assert_within(
	struct stage *stage, const char *what, double seen, double truth, double part)
{
	if (seen < truth * (1 - part) || seen > truth * (1 + part))
		fail_msg("seed %u: %s: %.1f, in truth %.1f", stage->first_seed, what,
			seen, truth);
}

/* Where the ways differ by direction a tap sees one of them: requests can be counted
 * still, but nothing can be timed. */
static void one_direction_alone_is_counted_and_not_timed(void **state)
{
	static const enum speech speeches[] = {CLEAR, TLS_1_2, TLS_1_3, CLEAR_2};

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++)
		for (unsigned side = 0; side < 2; side++) {
			struct stage *stage = raise_stage(kind);
			struct talk *talks = calloc(CROWD, sizeof(*talks));
			struct disturbance how = {.segment_max = 1400, .only = 1 + side};
			struct obs_traffic plain, seen;

			for (unsigned i = 0; i < CROWD; i++)
				make_talk(stage, &talks[i], speeches[kind], 10);
			measure_talks(stage, talks, CROWD, &plainly);
			plain = take_all(stage);
			measure_talks(stage, talks, CROWD, &how);
			seen = take_all(stage);
			assert_int_equal(seen.sketches[OBS_RESPONSE].total, 0);
			assert_int_equal(
				seen.responses, side == CLIENT ? 0 : seen.requests);
			/* Of HTTP/2 the answers alone cannot be read. */
			if (side == CLIENT || speeches[kind] != CLEAR_2)
				assert_within(stage, "requests", (double)seen.requests,
					(double)plain.requests, 0.01);
			strike_stage(stage, talks, CROWD);
			free(talks);
		}
}

/* The tap loses one packet of a hundred; the network loses none. */
static void one_packet_of_a_hundred_may_be_missing(void **state)
{
	static const enum speech speeches[] = {CLEAR, TLS_1_2, TLS_1_3};
	static const struct disturbance how = {.segment_max = 2800, .hide_in = 100};

	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		struct stage *stage = raise_stage(kind);
		struct talk *talks = calloc(CROWD, sizeof(*talks));
		struct obs_traffic plain, seen;

		for (unsigned i = 0; i < CROWD; i++)
			make_talk(stage, &talks[i], speeches[kind], 12);
		measure_talks(stage, talks, CROWD, &plainly);
		plain = take_all(stage);
		measure_talks(stage, talks, CROWD, &how);
		seen = take_all(stage);
		assert_within(stage, "requests", (double)seen.requests,
			(double)plain.requests, 0.02);
		assert_within(stage, "median",
			sketch_quantile(&seen.sketches[OBS_RESPONSE], 0.5),
			sketch_quantile(&plain.sketches[OBS_RESPONSE], 0.5), 0.02);
		assert_in_range(seen.lost_packets, 1, stage->hidden);
		assert_int_equal(seen.retransmits, 0);
		strike_stage(stage, talks, CROWD);
		free(talks);
	}
}

/* The network loses one packet of fifty before the tap, and sends it again. */
static void what_the_network_lost_is_no_loss_of_the_taps(void **state)
{
	static const struct disturbance how = {.segment_max = 1400, .late_in = 50};

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		struct stage *stage = raise_stage(round);
		struct talk talks[TALKS];
		struct obs_traffic plain, seen;

		for (unsigned i = 0; i < TALKS; i++)
			make_talk(stage, &talks[i], TLS_1_3, 12);
		measure_talks(stage, talks, TALKS, &plainly);
		plain = take(stage, "tls.example");
		measure_talks(stage, talks, TALKS, &how);
		seen = take(stage, "tls.example");
		assert_int_equal(seen.requests, plain.requests);
		assert_int_equal(seen.responses, plain.responses);
		assert_int_equal(seen.lost_packets, 0);
		assert_true(stage->late > 0);
		strike_stage(stage, talks, TALKS);
	}
}

static void a_beginning_that_was_not_seen_costs_no_more_than_a_request(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct stage *stage = raise_stage(round);
		struct talk talks[1];
		struct disturbance how = {.segment_max = 1400};
		enum speech speech = (enum speech)(round % 3);
		unsigned truth;
		int64_t seen = 0;

		make_talk(stage, &talks[0], speech, 10);
		how.skip = 5 + roll(stage, 8);
		truth = asked_behind(&talks[0], how.skip);
		measure_talks(stage, talks, 1, &how);
		for (size_t i = 0; i < traffic_sum_count(stage->sum); i++)
			seen += traffic_sum_at(stage->sum, i)->requests;
		/* A message may ask twice in the clear. */
		if (seen + 1 < (int64_t)truth ||
			(speech != CLEAR && seen > (int64_t)truth + 1))
			fail_msg("seed %u: %d requests, in truth %u", stage->first_seed,
				(int)seen, truth);
		strike_stage(stage, talks, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_any_length_give_the_same),
		cmocka_unit_test(single_bytes_give_the_same),
		cmocka_unit_test(what_is_seen_twice_counts_once),
		cmocka_unit_test(what_mirrors_show_twice_is_no_retransmission),
		cmocka_unit_test(one_direction_alone_is_counted_and_not_timed),
		cmocka_unit_test(neighbours_may_change_places),
		cmocka_unit_test(one_packet_of_a_hundred_may_be_missing),
		cmocka_unit_test(what_the_network_lost_is_no_loss_of_the_taps),
		cmocka_unit_test(
			a_beginning_that_was_not_seen_costs_no_more_than_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
