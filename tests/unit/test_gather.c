#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "astray/wire.h"
#include "gather.h"

static struct obs *obs_at(int64_t at_us)
{
	static struct obs obs;

	obs_init(&obs, OBS_HELLO, (struct moment){at_us});
	(void)strcpy(obs.hello.version, "0.1.0");
	return &obs;
}

/* A trace whose line is longer than a batch. */
static struct obs *long_obs(void)
{
	static struct obs obs;

	obs_init(&obs, OBS_TRACE, (struct moment){1});
	(void)strcpy(obs.trace.service, "exchange");
	obs.trace.peer = address_v4("\xcb\x00\x71\x09");
	obs.trace.flow = 0;
	obs.trace.hop_count = OBS_HOPS;
	for (unsigned i = 0; i < OBS_HOPS; i++) {
		struct obs_hop *hop = &obs.trace.hops[i];

		hop->ttl = i + 1;
		hop->sent = hop->answered = 1;
		hop->rtt_us = 5;
		hop->address = address_v4("\xc0\x00\x02\x01");
		memset(hop->name, 'n', sizeof(hop->name) - 1);
		memset(hop->place.city, 'c', sizeof(hop->place.city) - 1);
		memset(hop->place.org, 'o', sizeof(hop->place.org) - 1);
		hop->place.source = PLACE_SOURCE_MMDB;
	}
	return &obs;
}

static void lines_and_their_span_are_kept(void **state)
{
	struct gather gather;
	struct obs obs;
	const char *at;
	size_t len;
	bool terminated;

	(void)state;
	assert_int_equal(gather_init(&gather), 0);
	assert_int_equal(gather_add(&gather, obs_at(2000), NULL), 0);
	assert_int_equal(gather_add(&gather, obs_at(1000), NULL), 0);
	assert_int_equal(gather_add(&gather, obs_at(1500), NULL), 0);
	assert_int_equal(gather.observations, 3);
	assert_int_equal(gather.from.us, 1000);
	assert_int_equal(gather.until.us, 2000);
	at = gather.text;
	for (unsigned i = 0; i < 3; i++) {
		const char *line =
			wire_next_line(&at, gather.text + gather.len, &len, &terminated);

		assert_true(terminated);
		assert_int_equal(wire_decode(&obs, line, len, NULL), 0);
	}
	assert_int_equal(obs.at.us, 1500);
	assert_ptr_equal(at, gather.text + gather.len);
	gather_free(&gather);
}

static void a_full_batch_must_go_first(void **state)
{
	struct gather gather;
	int64_t count = 0;
	size_t len;

	(void)state;
	assert_int_equal(gather_init(&gather), 0);
	while (gather_add(&gather, obs_at(100 + count), NULL) == 0)
		count++;
	assert_int_equal(gather_add(&gather, obs_at(7), NULL), STATUS_LIMIT);
	assert_int_equal(gather.observations, count);
	assert_int_equal(gather.from.us, 100);
	assert_in_range(gather.len, GATHER_BYTES - 200, GATHER_BYTES);
	len = gather.len;
	gather_clear(&gather);
	assert_int_equal(gather_add(&gather, obs_at(7), NULL), 0);
	assert_true(gather.len < len);
	assert_int_equal(gather.from.us, 7);
	assert_int_equal(gather.until.us, 7);
	gather_free(&gather);
}

static void a_line_longer_than_a_batch_goes_alone(void **state)
{
	struct gather gather;

	(void)state;
	assert_int_equal(gather_init(&gather), 0);
	assert_int_equal(gather_add(&gather, obs_at(1), NULL), 0);
	assert_int_equal(gather_add(&gather, long_obs(), NULL), STATUS_LIMIT);
	gather_clear(&gather);
	assert_int_equal(gather_add(&gather, long_obs(), NULL), 0);
	assert_true(gather.len > GATHER_BYTES);
	assert_int_equal(gather_add(&gather, obs_at(1), NULL), STATUS_LIMIT);
	gather_free(&gather);
}

/* It would stand in the way for ever if it were called a full batch. */
static void what_cannot_be_written_is_told_from_a_full_batch(void **state)
{
	struct gather gather;
	struct fault fault = {0};
	int rc;

	(void)state;
	assert_int_equal(gather_init(&gather), 0);
	rc = gather_add(&gather, obs_at(-5), &fault);
	assert_true(rc < 0 && rc != STATUS_LIMIT);
	assert_string_equal(fault.field, "at_us");
	assert_int_equal(gather.observations, 0);
	assert_int_equal(gather.len, 0);
	gather_free(&gather);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_their_span_are_kept),
		cmocka_unit_test(a_full_batch_must_go_first),
		cmocka_unit_test(a_line_longer_than_a_batch_goes_alone),
		cmocka_unit_test(what_cannot_be_written_is_told_from_a_full_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
