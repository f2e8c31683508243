#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "flight.h"
#include "probe_replies.h"

#define FIRST_ID 700
#define HOPS 12
#define TRIALS 20000

static const enum obs_protocol protocols[] = {OBS_TCP, OBS_UDP, OBS_ICMP};

/* Repeatable. */
static unsigned chance(unsigned below)
{
	return (unsigned)(lrand48() % below);
}

static struct flight *new_flight(const struct probe_flow *flow, bool mtu, bool all_paths)
{
	struct trace_order order = {.peer = flow->to,
		.protocol = flow->protocol,
		.port = flow->to_port,
		.max_ttl = HOPS,
		.queries = 1,
		.mtu = mtu,
		.all_paths = all_paths};
	struct flight *flight = flight_new(&order, flow, FIRST_ID, false);

	assert_non_null(flight);
	flight->largest = 1500;
	return flight;
}

/* Ids by TTL of all that goes out at once. */
static void send_all(struct flight *flight, uint16_t ids[static HOPS + 1])
{
	struct trace_packet packet;

	while (flight_next(flight, (struct tick){0}, NULL, &packet)) {
		assert_in_range(packet.ttl, 1, HOPS);
		ids[packet.ttl] = packet.id;
	}
}

static struct address router_at(unsigned ttl, unsigned family)
{
	struct address router = test_address(family == 6 ? "2001:db8:2::" : "192.0.2.0");

	router.bytes[family == 6 ? 15 : 3] = (uint8_t)ttl;
	return router;
}

static enum path_match take(struct flight *flight, const struct reply_bytes *bytes)
{
	struct reply_packet reply;

	if (reply_read(&reply, bytes) || !flight_is_answered_by(flight, &reply, true))
		return PATH_STRANGE;
	return flight_take_reply(flight, &reply, true, (struct tick){5000});
}

/* What a raw socket may be handed for one of our probes, changed in one bit somewhere. */
static struct reply_bytes changed_reply(
	const struct probe_flow *flow, const struct address *router, uint16_t id)
{
	unsigned family = flow->to.family;
	struct reply_bytes reply = reply_error(flow, router, family == 6 ? 3 : 11, 0, id,
		(family == 6 ? 48 : 28) + chance(40));
	size_t quote = reply.header_len + 8;
	size_t at = quote + chance((unsigned)(reply.len - quote));

	reply.bytes[at] ^= (uint8_t)(1u << chance(8));
	reply_seal(&reply, &flow->from);
	return reply;
}

static unsigned answered_rows(const struct flight *flight, unsigned *ttl)
{
	struct path_row rows[PATH_ROWS_MAX];
	unsigned count = path_rows(flight->path, rows), answered = 0;

	for (unsigned i = 0; i < count; i++)
		if (rows[i].answered) {
			answered += rows[i].answered;
			*ttl = rows[i].ttl;
		}
	return answered;
}

/* A change may make it the answer to another probe of ours, as only who has seen them can
 * do; it is then that one's, and where a cookie is quoted there is no such thing. */
static void check_change(const struct probe_flow *flow)
{
	struct flight *flight = new_flight(flow, false, false);
	struct reply_packet reply;
	struct reply_bytes bytes;
	uint16_t ids[HOPS + 1];
	unsigned ttl = 1 + chance(HOPS), seen = 0;
	struct address router = router_at(ttl, flow->to.family);

	send_all(flight, ids);
	bytes = changed_reply(flow, &router, ids[ttl]);
	if (take(flight, &bytes) == PATH_COUNTED) {
		assert_int_equal(answered_rows(flight, &seen), 1);
		assert_int_equal(reply_read(&reply, &bytes), 0);
		assert_true(address_equal(&reply.to, &flow->to));
		assert_true(seen == ttl || reply.id == ids[seen]);
		if (flow->protocol == OBS_TCP)
			assert_int_equal(reply.cookie, flow->cookie);
	} else {
		assert_int_equal(answered_rows(flight, &seen), 0);
	}
	flight_free(flight);
}

static void an_answer_that_was_changed_is_never_another_hop_s(void **state)
{
	(void)state;
	srand48(1);
	for (unsigned i = 0; i < TRIALS; i++) {
		struct probe_flow flow = test_flow(protocols[i % 3], i % 2 ? 4 : 6);

		check_change(&flow);
	}
}

static void noise_is_never_counted(void **state)
{
	struct probe_flow flow = test_flow(OBS_TCP, 4);
	struct flight *flight = new_flight(&flow, false, false);
	uint16_t ids[HOPS + 1];
	unsigned seen = 0;

	(void)state;
	srand48(2);
	send_all(flight, ids);
	for (unsigned i = 0; i < TRIALS; i++) {
		struct address router = router_at(1 + chance(200), 4);
		struct probe_flow other = flow;
		struct reply_bytes bytes;

		/* Of another run, another destination, another port. */
		if (i % 3 == 0)
			other.cookie ^= (uint16_t)(1 + chance(0xfffe));
		else if (i % 3 == 1)
			other.to.bytes[3] ^= (uint8_t)(1 + chance(254));
		else
			other.from_port ^= (uint16_t)(1 + chance(0xfffe));
		bytes = reply_expired(
			&other, &router, (uint16_t)(FIRST_ID + chance(HOPS)));
		assert_int_equal(take(flight, &bytes), PATH_STRANGE);
	}
	assert_int_equal(answered_rows(flight, &seen), 0);
	flight_free(flight);
}

/* Late, twice, out of order, with as little of a quote as there is: each hop gets its own
 * answer once. */
static void check_order(const struct probe_flow *flow)
{
	struct flight *flight = new_flight(flow, false, false);
	struct path_row rows[PATH_ROWS_MAX];
	uint16_t ids[HOPS + 1];

	send_all(flight, ids);
	if (chance(2)) /* all are given up, and may still come */
		flight_expire(flight, (struct tick){100 * MOMENT_SECOND_US});
	for (unsigned i = 0; i < 4 * HOPS; i++) {
		unsigned ttl = 1 + chance(HOPS);
		struct address router = router_at(ttl, flow->to.family);
		struct reply_bytes bytes = reply_expired(flow, &router, ids[ttl]);

		assert_int_not_equal(take(flight, &bytes), PATH_STRANGE);
		assert_int_equal(take(flight, &bytes), PATH_DUPLICATE);
	}
	for (unsigned i = 0, count = path_rows(flight->path, rows); i < count; i++) {
		struct address router = router_at(rows[i].ttl, flow->to.family);

		if (!rows[i].answered)
			continue;
		assert_int_equal(rows[i].answered, 1);
		assert_true(address_equal(&rows[i].address, &router));
	}
	flight_free(flight);
}

static void whatever_the_order_each_hop_has_its_own_answer_once(void **state)
{
	(void)state;
	srand48(3);
	for (unsigned i = 0; i < 600; i++) {
		struct probe_flow flow = test_flow(protocols[i % 3], i % 2 ? 4 : 6);

		check_order(&flow);
	}
}

/* The source that the quote shows, and every checksum that counts it in, as a translator
 * leaves them. */
static struct reply_bytes translated_reply(
	const struct probe_flow *flow, const struct address *router, uint16_t id)
{
	bool v6 = flow->to.family == 6;
	struct reply_bytes reply =
		reply_error(flow, router, v6 ? 3 : 11, 0, id, probe_packet_len(flow));
	uint8_t *quote = reply.bytes + reply.header_len + 8;
	uint8_t *source = quote + (v6 ? 8 : 12), *transport = quote + (v6 ? 40 : 20);
	uint8_t *checksum = transport + (flow->protocol == OBS_TCP          ? 16
						: flow->protocol == OBS_UDP ? 6
									    : 2);
	struct address outside = test_address(v6 ? "2001:db8:77::1" : "198.51.100.77");
	size_t len = v6 ? 16 : 4;
	uint32_t sum = (uint16_t) ~(checksum[0] << 8 | checksum[1]);

	for (size_t i = 0; i < len; i += 2)
		sum += (uint16_t) ~(source[i] << 8 | source[i + 1]);
	sum = internet_checksum_add(sum, outside.bytes, len);
	memcpy(source, outside.bytes, len);
	if (v6 || flow->protocol != OBS_ICMP)
		reply_put_u16(checksum, (uint16_t)~internet_checksum_fold(sum));
	reply_seal(&reply, &flow->from);
	return reply;
}

static void hops_behind_a_translator_are_found_and_marked(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct probe_flow flow = test_flow(protocols[i % 3], i < 3 ? 4 : 6);
		struct flight *flight = new_flight(&flow, false, false);
		struct path_row rows[PATH_ROWS_MAX];
		uint16_t ids[HOPS + 1];

		send_all(flight, ids);
		for (unsigned ttl = 1; ttl <= HOPS; ttl++) {
			struct address router = router_at(ttl, flow.to.family);
			struct reply_bytes bytes =
				translated_reply(&flow, &router, ids[ttl]);

			assert_int_equal(take(flight, &bytes), PATH_COUNTED);
		}
		assert_int_equal(path_rows(flight->path, rows), HOPS);
		for (unsigned ttl = 1; ttl <= HOPS; ttl++) {
			struct address router = router_at(ttl, flow.to.family);

			assert_true(address_equal(&rows[ttl - 1].address, &router));
			assert_true(rows[ttl - 1].translated);
		}
		flight_free(flight);
	}
}

/* A fan's flows share their ids' room: an answer is for its flow, whatever else it says.
 */
static void in_a_fan_each_answer_is_its_flow_s(void **state)
{
	struct probe_flow flow = test_flow(OBS_UDP, 4);
	struct flight *flight = new_flight(&flow, false, true);
	struct trace_packet packet;
	struct reply_packet reply;
	unsigned count = 0;

	(void)state;
	while (flight_next(flight, (struct tick){0}, NULL, &packet)) {
		struct address router = router_at(packet.ttl, 4);
		struct reply_bytes bytes =
			reply_expired(&packet.flow, &router, packet.id);

		assert_int_equal(reply_read(&reply, &bytes), 0);
		assert_true(flight_is_answered_by(flight, &reply, true));
		assert_int_equal(flight_ttl_of(flight, &reply, true), packet.ttl);
		count++;
	}
	assert_int_equal(count, 6 * HOPS);
	reply.from_port = (uint16_t)(flow.from_port + FAN_FLOWS);
	assert_false(flight_is_answered_by(flight, &reply, true));
	flight_free(flight);
}

static void after_the_path_its_mtu_is_searched_where_it_was_asked_for(void **state)
{
	struct probe_flow flow = test_flow(OBS_UDP, 4);
	struct flight *flight = new_flight(&flow, true, false);
	struct trace_packet packet;
	struct reply_bytes bytes;
	uint16_t ids[HOPS + 1];

	(void)state;
	send_all(flight, ids);
	bytes = reply_arrival(&flow, ids[1], 0);
	assert_int_equal(take(flight, &bytes), PATH_COUNTED);
	assert_false(flight_is_over(flight));
	assert_true(flight_next(flight, (struct tick){6000}, NULL, &packet));
	assert_int_equal(packet.ttl, UINT8_MAX);
	assert_true(packet.padding > 0);
	bytes = reply_arrival(&flow, packet.id, 0);
	assert_int_equal(take(flight, &bytes), PATH_COUNTED);
	assert_true(flight_is_over(flight));
	flight_free(flight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_that_was_changed_is_never_another_hop_s),
		cmocka_unit_test(noise_is_never_counted),
		cmocka_unit_test(whatever_the_order_each_hop_has_its_own_answer_once),
		cmocka_unit_test(hops_behind_a_translator_are_found_and_marked),
		cmocka_unit_test(in_a_fan_each_answer_is_its_flow_s),
		cmocka_unit_test(
			after_the_path_its_mtu_is_searched_where_it_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
