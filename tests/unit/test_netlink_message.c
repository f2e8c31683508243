/*
 * Datagrams as the kernel builds them, and as it never would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "netlink_message.h"

#define TYPE 77
#define BODY "abcde" /* not aligned */

struct datagram {
	uint8_t bytes[256];
	size_t len;
};

static void put(struct datagram *datagram, const void *bytes, size_t len)
{
	memcpy(datagram->bytes + datagram->len, bytes, len);
	datagram->len += NLMSG_ALIGN(len);
}

static void put_message(struct datagram *datagram, const void *body, size_t len)
{
	struct nlmsghdr head = {
		.nlmsg_len = (uint32_t)(sizeof(head) + len), .nlmsg_type = TYPE};

	put(datagram, &head, sizeof(head));
	put(datagram, body, len);
}

static void put_attribute(
	struct datagram *datagram, uint16_t type, const void *value, size_t len)
{
	struct nlattr head = {
		.nla_len = (uint16_t)(sizeof(head) + len), .nla_type = type};

	put(datagram, &head, sizeof(head));
	put(datagram, value, len);
}

/* As much of it as there is, in memory of exactly that size: reading on is an error. */
static unsigned count_messages(
	const struct datagram *datagram, size_t len, size_t *bodies)
{
	uint8_t *copy = calloc(1, len ? len : 1);
	struct cursor cur = cursor_over(copy, len), body;
	struct nlmsghdr head;
	unsigned count = 0;

	memcpy(copy, datagram->bytes, len);
	*bodies = 0;
	while (netlink_message_next(&cur, &head, &body)) {
		assert_int_equal(head.nlmsg_type, TYPE);
		*bodies += cursor_left(&body);
		count++;
	}
	free(copy);
	return count;
}

static void messages_come_one_by_one_with_their_bodies(void **state)
{
	struct datagram datagram = {0};
	size_t bodies;

	(void)state;
	put_message(&datagram, BODY, 5);
	put_message(&datagram, "", 0);
	put_message(&datagram, BODY, 4);
	assert_int_equal(count_messages(&datagram, datagram.len, &bodies), 3);
	assert_int_equal(bodies, 9);
}

static void the_last_one_needs_no_padding(void **state)
{
	struct datagram datagram = {0};
	size_t bodies;

	(void)state;
	put_message(&datagram, BODY, 5);
	assert_int_equal(
		count_messages(&datagram, sizeof(struct nlmsghdr) + 5, &bodies), 1);
	assert_int_equal(bodies, 5);
}

static void what_is_cut_is_no_message(void **state)
{
	struct datagram datagram = {0};
	size_t bodies;

	(void)state;
	put_message(&datagram, BODY, 5);
	for (size_t len = 0; len < sizeof(struct nlmsghdr) + 5; len++)
		assert_int_equal(count_messages(&datagram, len, &bodies), 0);
}

static void a_length_that_cannot_be_ends_the_reading(void **state)
{
	static const uint32_t lengths[] = {
		0, 1, sizeof(struct nlmsghdr) - 1, 1000, UINT32_MAX};
	size_t bodies;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct datagram datagram = {0};

		put_message(&datagram, BODY, 5);
		put_message(&datagram, BODY, 5);
		memcpy(datagram.bytes, &lengths[i], sizeof(lengths[i]));
		assert_int_equal(count_messages(&datagram, datagram.len, &bodies), 0);
	}
}

static void attributes_stand_behind_each_other(void **state)
{
	struct datagram datagram = {0};
	struct cursor body, value;
	uint16_t type;

	(void)state;
	put_attribute(&datagram, 3, BODY, 5);
	put_attribute(&datagram, 9, "", 0);
	body = cursor_over(datagram.bytes, datagram.len);
	assert_true(netlink_message_attribute(&body, &type, &value));
	assert_int_equal(type, 3);
	assert_int_equal(cursor_left(&value), 5);
	assert_memory_equal(value.at, BODY, 5);
	assert_true(netlink_message_attribute(&body, &type, &value));
	assert_int_equal(type, 9);
	assert_int_equal(cursor_left(&value), 0);
	assert_false(netlink_message_attribute(&body, &type, &value));
}

static void an_attribute_that_lies_of_its_length_is_none(void **state)
{
	static const uint16_t lengths[] = {0, 3, 10, UINT16_MAX};
	struct cursor body, value;
	uint16_t type;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct datagram datagram = {0};

		put_attribute(&datagram, 3, BODY, 5);
		memcpy(datagram.bytes, &lengths[i], sizeof(lengths[i]));
		body = cursor_over(datagram.bytes, sizeof(struct nlattr) + 5);
		assert_false(netlink_message_attribute(&body, &type, &value));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_one_by_one_with_their_bodies),
		cmocka_unit_test(the_last_one_needs_no_padding),
		cmocka_unit_test(what_is_cut_is_no_message),
		cmocka_unit_test(a_length_that_cannot_be_ends_the_reading),
		cmocka_unit_test(attributes_stand_behind_each_other),
		cmocka_unit_test(an_attribute_that_lies_of_its_length_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
