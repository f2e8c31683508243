#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "icmp_extension.h"
#include "internet_checksum.h"

#define QUOTE 128
#define BODY_MAX 512

/* 128 bytes of quote, the header of the extension, one stack of labels. */
static size_t make_body(uint8_t body[static BODY_MAX], unsigned labels)
{
	size_t len = QUOTE + 8 + 4 * labels;

	memset(body, 0, BODY_MAX);
	body[QUOTE] = 0x20;
	body[QUOTE + 5] = (uint8_t)(4 + 4 * labels);
	body[QUOTE + 6] = 1;
	body[QUOTE + 7] = 1;
	for (unsigned i = 0; i < labels; i++) {
		body[QUOTE + 9 + 4 * i] = (uint8_t)(i + 1); /* label 16 (i + 1) */
		body[QUOTE + 11 + 4 * i] = 1;
	}
	return len;
}

static void seal(uint8_t *body, size_t len)
{
	uint16_t sum = (uint16_t)~internet_checksum_fold(
		internet_checksum_add(0, body + QUOTE, len - QUOTE));

	body[QUOTE + 2] = (uint8_t)(sum >> 8);
	body[QUOTE + 3] = (uint8_t)sum;
}

static void a_stack_is_read_from_its_top(void **state)
{
	struct obs_mpls labels[OBS_MPLS];
	uint8_t body[BODY_MAX];
	size_t len = make_body(body, 3);

	(void)state;
	seal(body, len);
	assert_int_equal(icmp_extension_read(labels, body, len, QUOTE), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(labels[i].label, 16 * (i + 1));
}

static void routers_older_than_the_length_field_are_understood(void **state)
{
	struct obs_mpls labels[OBS_MPLS];
	uint8_t body[BODY_MAX];
	size_t len = make_body(body, 1);

	(void)state;
	assert_int_equal(icmp_extension_read(labels, body, len, 0), 1);
}

static void more_labels_than_there_is_room_for_are_left_out(void **state)
{
	struct obs_mpls labels[OBS_MPLS];
	uint8_t body[BODY_MAX];
	size_t len = make_body(body, OBS_MPLS + 3);

	(void)state;
	assert_int_equal(icmp_extension_read(labels, body, len, QUOTE), OBS_MPLS);
}

static void what_does_not_check_has_no_labels(void **state)
{
	struct obs_mpls labels[OBS_MPLS];
	uint8_t body[BODY_MAX];
	size_t len = make_body(body, 2);

	(void)state;
	seal(body, len);
	body[QUOTE + 10] ^= 1; /* a bit of a label */
	assert_int_equal(icmp_extension_read(labels, body, len, QUOTE), 0);
	body[QUOTE + 10] ^= 1;
	body[QUOTE] = 0x10; /* another version */
	assert_int_equal(icmp_extension_read(labels, body, len, QUOTE), 0);
	len = make_body(body, 2);
	body[QUOTE + 5] = 3; /* an object shorter than its header */
	assert_int_equal(icmp_extension_read(labels, body, len, QUOTE), 0);
	body[QUOTE + 5] = 200; /* an object longer than the packet */
	assert_int_equal(icmp_extension_read(labels, body, len, QUOTE), 0);
	assert_int_equal(icmp_extension_read(labels, body, len, 64), 0);
	assert_int_equal(icmp_extension_read(labels, body, len, 1020), 0);
}

static void every_short_prefix_has_no_labels(void **state)
{
	struct obs_mpls labels[OBS_MPLS];
	uint8_t body[BODY_MAX];
	size_t whole = make_body(body, 2);

	(void)state;
	seal(body, whole);
	for (size_t len = 0; len < whole; len++) {
		uint8_t *exact = malloc(len ? len : 1);

		assert_non_null(exact);
		memcpy(exact, body, len);
		assert_int_equal(icmp_extension_read(labels, exact, len, QUOTE), 0);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_is_read_from_its_top),
		cmocka_unit_test(routers_older_than_the_length_field_are_understood),
		cmocka_unit_test(more_labels_than_there_is_room_for_are_left_out),
		cmocka_unit_test(what_does_not_check_has_no_labels),
		cmocka_unit_test(every_short_prefix_has_no_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
