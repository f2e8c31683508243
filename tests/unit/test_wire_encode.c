#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "astray/wire.h"
#include "obs_maker.h"
#include "wire_lines.h"

#define CAP                                                                            \
	(2 * WIRE_LINE_MAX) /* escapes may make a full trace longer than a line may be \
			     */

struct bench {
	struct obs first, second;
	char line[CAP];
};

static void decode(struct obs *out, const char *line, size_t len)
{
	struct fault fault;
	char text[512];

	if (wire_decode(out, line, len, &fault))
		fail_msg("%s", fault_text(&fault, text, sizeof(text)));
}

static void encoding_what_was_decoded_gives_the_same_bytes(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 2 * OBS_KINDS; i++) {
		const char *line =
			i % 2 ? wire_lines_full[i / 2] : wire_lines_least[i / 2];
		int len;

		decode(&bench->first, line, strlen(line));
		len = wire_encode(bench->line, CAP, &bench->first);
		assert_int_equal(len, strlen(line) + 1);
		assert_int_equal(bench->line[len - 1], '\n');
		bench->line[len - 1] = '\0';
		assert_string_equal(bench->line, line);
	}
}

static void decoding_what_was_encoded_gives_the_same_observation(void **state)
{
	struct bench *bench = *state;
	uint64_t seed = 2020;

	for (int round = 0; round < 60 * OBS_KINDS; round++) {
		int len;

		obs_maker_fill(&bench->first, (enum obs_kind)(round % OBS_KINDS), &seed);
		len = wire_encode(bench->line, CAP, &bench->first);
		assert_true(len > 0);
		if (len > WIRE_LINE_MAX)
			continue;
		decode(&bench->second, bench->line, (size_t)len);
		if (!obs_equal(&bench->first, &bench->second))
			fail_msg(
				"round %d comes back as another: %s", round, bench->line);
	}
}

static void names_from_outside_cannot_make_a_line_that_is_refused(void **state)
{
	struct bench *bench = *state;
	struct obs_trace *trace = &bench->first.trace;
	int len;

	obs_init(&bench->first, OBS_TRACE, (struct moment){1});
	(void)strcpy(trace->service, "exchange");
	trace->peer = address_v4("\xcb\x00\x71\x0a");
	trace->hop_count = 1;
	trace->hops[0] = (struct obs_hop){.ttl = 1, .sent = 1, .rtt_us = OBS_ABSENT};
	memset(trace->hops[0].name, '\xe2', OBS_NAME - 1);
	len = wire_encode(bench->line, CAP, &bench->first);
	assert_true(len > 0);
	decode(&bench->second, bench->line, (size_t)len);
	assert_int_equal(strlen(bench->second.trace.hops[0].name), OBS_NAME - 1);
	assert_int_equal(bench->second.trace.hops[0].name[7], '?');
}

static void a_buffer_too_small_is_refused_at_every_size(void **state)
{
	struct bench *bench = *state;
	int len;

	decode(&bench->first, wire_lines_full[OBS_DNS], strlen(wire_lines_full[OBS_DNS]));
	len = wire_encode(bench->line, CAP, &bench->first);
	for (size_t cap = 0; cap <= (size_t)len; cap++) {
		char *exact = malloc(cap ? cap : 1);

		assert_int_equal(wire_encode(exact, cap, &bench->first), STATUS_LIMIT);
		free(exact);
	}
	assert_int_equal(wire_encode(bench->line, (size_t)len + 1, &bench->first), len);
}

static int open_bench(void **state)
{
	*state = calloc(1, sizeof(struct bench));
	return *state ? 0 : -1;
}

static int close_bench(void **state)
{
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encoding_what_was_decoded_gives_the_same_bytes),
		cmocka_unit_test(decoding_what_was_encoded_gives_the_same_observation),
		cmocka_unit_test(names_from_outside_cannot_make_a_line_that_is_refused),
		cmocka_unit_test(a_buffer_too_small_is_refused_at_every_size),
	};

	return cmocka_run_group_tests(tests, open_bench, close_bench);
}
