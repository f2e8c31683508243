#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>
#include <cmocka.h>

#include "dns_builder.h"
#include "dns_client.h"

#define GOOD "192.0.2.1"
#define EVIL "192.0.2.66"
#define QUESTION_AT 12

enum manner { PLAIN, FORGED, CASELESS, TRUNCATED, SILENT_ONCE, SILENT };

/* A DNS server on the test's own loop, UDP and TCP on one port; and a forger beside it.
 */
struct stage {
	uv_loop_t loop;
	uv_udp_t udp, forger;
	uv_tcp_t listener, connection;
	struct dns_endpoint endpoint;
	enum manner manner;
	unsigned udp_asked, tcp_asked, calls;
	uint8_t question[512], arrived[512];
	size_t arrived_len;
	struct dns_builder b;
	struct dns_client *client;
	int rc;
	char data[OBS_NAME];
	bool tcp, case_lost;
};

/* Repeats the question's bytes: its case is kept. */
static void build(struct stage *stage, size_t len, unsigned id_change, unsigned flags,
	const char *address)
{
	struct dns_builder *b = &stage->b;
	size_t end = QUESTION_AT;

	while (end < len && stage->question[end])
		end += 1u + stage->question[end];
	end += 5;
	assert_true(end <= len);
	b->len = 0;
	dns_builder_raw(b, stage->question, end);
	b->bytes[1] = (uint8_t)(b->bytes[1] ^ id_change);
	b->bytes[2] = (uint8_t)((DNS_BUILDER_ANSWER | DNS_BUILDER_AA | flags) >> 8);
	b->bytes[3] = 0;
	memset(b->bytes + 6, 0, 6);
	if (address)
		dns_builder_address(b, DNS_ANSWER, "example.com", address);
}

static void send_from(uv_udp_t *from, struct stage *stage, const struct sockaddr *to)
{
	uv_buf_t buf = uv_buf_init((char *)stage->b.bytes, (unsigned)stage->b.len);

	assert_int_equal(uv_udp_try_send(from, &buf, 1, to), (int)stage->b.len);
}

static void lower_case(struct stage *stage)
{
	for (size_t i = QUESTION_AT; i < QUESTION_AT + 13; i++)
		if (stage->b.bytes[i] >= 'A' && stage->b.bytes[i] <= 'Z')
			stage->b.bytes[i] = (uint8_t)(stage->b.bytes[i] - 'A' + 'a');
}

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct stage *stage = handle->data;

	(void)size;
	*buf = uv_buf_init((char *)stage->question, sizeof(stage->question));
}

static void forge(struct stage *stage, size_t len, const struct sockaddr *to)
{
	build(stage, len, 0, 0, EVIL);
	send_from(&stage->forger, stage, to);
	build(stage, len, 1, 0, EVIL);
	send_from(&stage->udp, stage, to);
	build(stage, len, 0, 0, EVIL);
	stage->b.bytes[QUESTION_AT + 1] ^= 3; /* another name */
	send_from(&stage->udp, stage, to);
}

static void udp_came(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
	const struct sockaddr *from, unsigned flags)
{
	struct stage *stage = udp->data;
	bool truncated = stage->manner == TRUNCATED;

	(void)buf;
	(void)flags;
	if (len <= 0)
		return;
	stage->udp_asked++;
	if (stage->manner == SILENT ||
		(stage->manner == SILENT_ONCE && stage->udp_asked == 1))
		return;
	if (stage->manner == FORGED)
		forge(stage, (size_t)len, from);
	build(stage, (size_t)len, 0, truncated ? DNS_BUILDER_TC : 0,
		truncated ? NULL : GOOD);
	if (stage->manner == CASELESS) {
		build(stage, (size_t)len, 0, 0, EVIL);
		lower_case(stage);
	}
	send_from(udp, stage, from);
}

static void tcp_came(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct stage *stage = stream->data;
	uint8_t length[2];
	uv_buf_t out[2];

	if (len < 0) {
		uv_close((uv_handle_t *)stream, NULL);
		return;
	}
	memcpy(stage->arrived + stage->arrived_len, buf->base, (size_t)len);
	stage->arrived_len += (size_t)len;
	if (stage->arrived_len < 2 ||
		stage->arrived_len <
			2u + (size_t)(stage->arrived[0] << 8 | stage->arrived[1]))
		return;
	memcpy(stage->question, stage->arrived + 2, stage->arrived_len - 2);
	stage->tcp_asked++;
	build(stage, stage->arrived_len - 2, 0, 0, GOOD);
	length[0] = (uint8_t)(stage->b.len >> 8);
	length[1] = (uint8_t)stage->b.len;
	out[0] = uv_buf_init((char *)length, 2);
	out[1] = uv_buf_init((char *)stage->b.bytes, (unsigned)stage->b.len);
	assert_int_equal(uv_try_write(stream, out, 2), (int)stage->b.len + 2);
}

static void connected(uv_stream_t *listener, int status)
{
	struct stage *stage = listener->data;

	assert_int_equal(status, 0);
	assert_int_equal(uv_tcp_init(&stage->loop, &stage->connection), 0);
	stage->connection.data = stage;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&stage->connection), 0);
	assert_int_equal(
		uv_read_start((uv_stream_t *)&stage->connection, give_room, tcp_came), 0);
}

static void listen_on(struct stage *stage)
{
	struct sockaddr_storage storage;
	struct sockaddr *address = (struct sockaddr *)&storage;
	int len = sizeof(storage);

	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&storage), 0);
	assert_int_equal(uv_udp_init(&stage->loop, &stage->forger), 0);
	assert_int_equal(uv_udp_bind(&stage->forger, address, 0), 0);
	assert_int_equal(uv_tcp_init(&stage->loop, &stage->listener), 0);
	assert_int_equal(uv_tcp_bind(&stage->listener, address, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&stage->listener, 8, connected), 0);
	assert_int_equal(uv_tcp_getsockname(&stage->listener, address, &len), 0);
	assert_int_equal(address_from_sockaddr(&stage->endpoint.address,
				 &stage->endpoint.port, address),
		0);
	assert_int_equal(uv_udp_init(&stage->loop, &stage->udp), 0);
	assert_int_equal(uv_udp_bind(&stage->udp, address, 0), 0);
	stage->udp.data = stage->listener.data = stage;
	assert_int_equal(uv_udp_recv_start(&stage->udp, give_room, udp_came), 0);
}

static void answered(void *arg, const struct dns_reply *reply)
{
	struct stage *stage = arg;

	stage->calls++;
	stage->rc = reply->rc;
	stage->tcp = reply->tcp;
	stage->case_lost = reply->case_lost;
	if (reply->rc == 0 && reply->message->record_count)
		memcpy(stage->data, reply->message->records[0].data, OBS_NAME);
	if (reply->rc == -ECANCELED)
		return;
	dns_client_close(stage->client, NULL, NULL);
	stage->client = NULL;
	uv_close((uv_handle_t *)&stage->udp, NULL);
	uv_close((uv_handle_t *)&stage->forger, NULL);
	uv_close((uv_handle_t *)&stage->listener, NULL);
}

static struct stage ask(enum manner manner)
{
	struct stage *stage = calloc(1, sizeof(*stage)), copy;
	struct dns_question question = {.name = "example.com", .type = DNS_A, .tries = 2};

	assert_non_null(stage);
	assert_int_equal(uv_loop_init(&stage->loop), 0);
	stage->manner = manner;
	listen_on(stage);
	question.server = stage->endpoint;
	assert_int_equal(dns_client_open(&stage->client, &stage->loop), 0);
	assert_int_equal(dns_client_ask(stage->client, &question, answered, stage), 0);
	assert_int_equal(stage->calls, 0);
	assert_int_equal(uv_run(&stage->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&stage->loop), 0);
	assert_int_equal(stage->calls, 1);
	copy = *stage;
	free(stage);
	return copy;
}

static void an_answer_comes_once(void **state)
{
	struct stage stage = ask(PLAIN);

	(void)state;
	assert_int_equal(stage.rc, 0);
	assert_string_equal(stage.data, GOOD);
	assert_false(stage.tcp || stage.case_lost);
	assert_int_equal(stage.udp_asked, 1);
}

static void forged_answers_are_passed_over(void **state)
{
	struct stage stage = ask(FORGED);

	(void)state;
	assert_int_equal(stage.rc, 0);
	assert_string_equal(stage.data, GOOD);
}

static void an_answer_that_lost_the_case_is_asked_for_by_tcp(void **state)
{
	struct stage stage = ask(CASELESS);

	(void)state;
	assert_int_equal(stage.rc, 0);
	assert_string_equal(stage.data, GOOD);
	assert_true(stage.tcp && stage.case_lost);
	assert_int_equal(stage.tcp_asked, 1);
}

static void a_truncated_answer_is_asked_for_by_tcp(void **state)
{
	struct stage stage = ask(TRUNCATED);

	(void)state;
	assert_int_equal(stage.rc, 0);
	assert_string_equal(stage.data, GOOD);
	assert_true(stage.tcp);
	assert_int_equal(stage.udp_asked, 1);
}

static void silence_is_tried_again_and_then_told(void **state)
{
	struct stage once = ask(SILENT_ONCE), dead = ask(SILENT);

	(void)state;
	assert_int_equal(once.rc, 0);
	assert_int_equal(once.udp_asked, 2);
	assert_int_equal(dead.rc, -ETIMEDOUT);
	assert_int_equal(dead.udp_asked, 2);
}

static void closing_cancels_what_waits(void **state)
{
	struct dns_question question = {.name = "example.com",
		.type = DNS_A,
		.server = {.address = {.family = 4, .bytes = {127, 0, 0, 1}}, .port = 9}};
	struct stage stage = {.rc = 0};

	(void)state;
	assert_int_equal(uv_loop_init(&stage.loop), 0);
	assert_int_equal(dns_client_open(&stage.client, &stage.loop), 0);
	for (unsigned i = 0; i < 2 * DNS_CLIENT_ACTIVE; i++)
		assert_int_equal(
			dns_client_ask(stage.client, &question, answered, &stage), 0);
	dns_client_close(stage.client, NULL, NULL);
	assert_int_equal(stage.calls, 2 * DNS_CLIENT_ACTIVE);
	assert_int_equal(stage.rc, -ECANCELED);
	assert_int_equal(uv_run(&stage.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&stage.loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_comes_once),
		cmocka_unit_test(forged_answers_are_passed_over),
		cmocka_unit_test(an_answer_that_lost_the_case_is_asked_for_by_tcp),
		cmocka_unit_test(a_truncated_answer_is_asked_for_by_tcp),
		cmocka_unit_test(silence_is_tried_again_and_then_told),
		cmocka_unit_test(closing_cancels_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
