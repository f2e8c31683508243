#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <uv.h>

#include "astray/log.h"
#include "astray/status.h"
#include "http_server.h"
#include "pki.h"

#define HOST "Host: a\r\n"
#define PATIENCE_MS 10000

/* A client on the same loop: it sends what it has, and gathers what comes until the end.
 */
struct client {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	const char *text;
	size_t len, sent, piece; /* piece 0: all at once */
	bool connected, ended, keeps_reading;
	char got[300000];
	size_t got_len;
};

struct bench {
	uv_loop_t loop;
	uv_timer_t patience;
	struct http_server *server;
	struct log log;
	struct http_exchange *kept; /* answered by the test itself */
	struct http_stream *stream;
	unsigned handled, streams_gone;
	char last_body[4096];
	bool closed;
};

static void lost_patience(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("waited too long");
}

static void stream_gone(void *arg)
{
	struct bench *bench = arg;

	bench->streams_gone++;
	bench->stream = NULL;
}

static void handle(void *arg, struct http_exchange *exchange)
{
	static const char large[16 << 20]; /* more than sockets hold */
	const struct http_request *request = http_server_request(exchange);
	struct bench *bench = arg;

	bench->handled++;
	(void)snprintf(bench->last_body, sizeof(bench->last_body), "%s", request->body);
	if (strcmp(request->path, "/later") == 0)
		bench->kept = exchange;
	else if (strcmp(request->path, "/events") == 0)
		bench->stream = http_server_stream(
			exchange, "text/event-stream", stream_gone, bench);
	else if (strcmp(request->path, "/large") == 0)
		http_server_reply(exchange, &(struct http_reply){.status = 200,
						    .content_type = "text/plain",
						    .body = large,
						    .body_len = sizeof(large)});
	else if (strcmp(request->path, "/no") == 0)
		http_server_refuse(exchange, 403, "not \"%s\"", request->method);
	else
		http_server_reply(exchange, &(struct http_reply){.status = 200,
						    .content_type = "text/plain",
						    .body = request->path,
						    .body_len = strlen(request->path)});
}

static void bench_open(struct bench *bench, const struct http_settings *settings)
{
	struct http_settings mine = settings ? *settings : (struct http_settings){0};
	struct fault fault = {0};

	memset(bench, 0, sizeof(*bench));
	assert_int_equal(address_parse(&mine.address, "127.0.0.1"), 0);
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	assert_int_equal(uv_timer_init(&bench->loop, &bench->patience), 0);
	assert_int_equal(
		uv_timer_start(&bench->patience, lost_patience, PATIENCE_MS, 0), 0);
	assert_int_equal(http_server_open(&bench->server, &bench->loop, &mine,
				 &bench->log, handle, bench, &fault),
		0);
}

static void server_closed(void *arg)
{
	struct bench *bench = arg;

	bench->closed = true;
}

static void begin_close(struct bench *bench)
{
	if (bench->server)
		http_server_close(bench->server, server_closed, bench);
	bench->server = NULL;
}

static void bench_close(struct bench *bench)
{
	begin_close(bench);
	while (!bench->closed)
		(void)uv_run(&bench->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&bench->patience, NULL);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
}

static void client_gone(uv_handle_t *handle)
{
	free(handle->data);
}

static void client_close(struct client *client)
{
	uv_close((uv_handle_t *)&client->tcp, client_gone);
}

static void give(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *client = handle->data;

	(void)suggested;
	*buf = uv_buf_init(client->got + client->got_len,
		(unsigned)(sizeof(client->got) - 1 - client->got_len));
}

static void got(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct client *client = stream->data;

	(void)buf;
	if (len < 0) {
		client->ended = true;
		(void)uv_read_stop(stream);
		return;
	}
	client->got_len += (size_t)len;
}

static void send_some(struct client *client);

static void sent(uv_write_t *write, int status)
{
	struct client *client = write->data;

	if (status == 0)
		send_some(client);
}

static void send_some(struct client *client)
{
	size_t left = client->len - client->sent;
	uv_buf_t buf;

	if (client->piece && left > client->piece)
		left = client->piece;
	if (left == 0)
		return;
	buf = uv_buf_init((char *)(uintptr_t)client->text + client->sent, (unsigned)left);
	client->sent += left;
	client->write.data = client;
	(void)uv_write(&client->write, (uv_stream_t *)&client->tcp, &buf, 1, sent);
}

static void connected(uv_connect_t *connect, int status)
{
	struct client *client = connect->data;

	assert_int_equal(status, 0);
	client->connected = true;
	(void)uv_read_start((uv_stream_t *)&client->tcp, give, got);
	send_some(client);
}

static struct client *client_open(struct bench *bench, const char *text, size_t piece)
{
	struct client *client = calloc(1, sizeof(*client));
	struct sockaddr_in to;

	assert_non_null(client);
	client->text = text;
	client->len = strlen(text);
	client->piece = piece;
	client->tcp.data = client->connect.data = client;
	assert_int_equal(
		uv_ip4_addr("127.0.0.1", http_server_port(bench->server), &to), 0);
	assert_int_equal(uv_tcp_init(&bench->loop, &client->tcp), 0);
	assert_int_equal(uv_tcp_connect(&client->connect, &client->tcp,
				 (struct sockaddr *)&to, connected),
		0);
	if (piece)
		(void)uv_tcp_nodelay(&client->tcp, 1);
	return client;
}

static void run_until_ended(struct bench *bench, const struct client *client)
{
	while (!client->ended)
		(void)uv_run(&bench->loop, UV_RUN_ONCE);
}

static void run_until_got(
	struct bench *bench, const struct client *client, const char *text)
{
	while (!strstr(client->got, text)) {
		assert_false(client->ended);
		(void)uv_run(&bench->loop, UV_RUN_ONCE);
	}
}

static unsigned count(const char *text, const char *what)
{
	unsigned found = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		found++;
	return found;
}

/* ---- */

static void a_request_in_single_bytes_is_answered(void **state)
{
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, NULL);
	client = client_open(&bench,
		"POST /a HTTP/1.1\r\n" HOST
		"Content-Length: 5\r\nConnection: close\r\n\r\nhello",
		1);
	run_until_ended(&bench, client);
	assert_non_null(strstr(client->got, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(client->got, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(client->got, "\r\n\r\n/a"));
	assert_string_equal(bench.last_body, "hello");
	client_close(client);
	bench_close(&bench);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
	struct bench bench;
	struct client *client;

	(void)state;
	for (size_t piece = 0; piece < 60; piece += 7) {
		bench_open(&bench, NULL);
		client = client_open(&bench,
			"GET /1 HTTP/1.1\r\n" HOST "\r\n"
			"POST /2 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
			"3\r\nabc\r\n0\r\n\r\n"
			"GET /3 HTTP/1.1\r\n" HOST "\r\nGET /4 HTTP/1.1\r\n" HOST
			"Connection: close\r\n\r\nGET /5 HTTP/1.1\r\n" HOST "\r\n",
			piece);
		run_until_ended(&bench, client);
		assert_int_equal(bench.handled, 4);
		assert_int_equal(count(client->got, "HTTP/1.1 200 OK"), 4);
		assert_true(strstr(client->got, "\r\n\r\n/1") <
			    strstr(client->got, "\r\n\r\n/2"));
		assert_true(strstr(client->got, "\r\n\r\n/3") <
			    strstr(client->got, "\r\n\r\n/4"));
		client_close(client);
		bench_close(&bench);
	}
}

static void an_answer_may_come_later(void **state)
{
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, NULL);
	client = client_open(&bench,
		"GET /later HTTP/1.1\r\n" HOST "\r\nGET /next HTTP/1.1\r\n" HOST
		"Connection: close\r\n\r\n",
		0);
	while (!bench.kept)
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
	assert_int_equal(bench.handled, 1);
	http_server_reply(bench.kept, &(struct http_reply){.status = 204});
	run_until_ended(&bench, client);
	assert_int_equal(strncmp(client->got, "HTTP/1.1 204 No Content\r\n", 25), 0);
	assert_non_null(strstr(client->got, "/next"));
	client_close(client);
	bench_close(&bench);
}

static void an_answer_to_nobody_is_dropped(void **state)
{
	struct http_settings settings = {.idle_timeout_us = 1};
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, &settings);
	client = client_open(&bench, "GET /later HTTP/1.1\r\n" HOST "\r\n", 0);
	while (!bench.kept)
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
	begin_close(&bench);
	run_until_ended(&bench, client); /* the server's patience with it has an end */
	client_close(client);
	assert_false(bench.closed);
	http_server_reply(bench.kept, &(struct http_reply){.status = 204});
	bench_close(&bench);
}

static void a_close_lets_the_running_request_end(void **state)
{
	struct bench bench;
	struct client *client, *idle;

	(void)state;
	bench_open(&bench, NULL);
	idle = client_open(&bench, "", 0);
	client = client_open(&bench, "GET /later HTTP/1.1\r\n" HOST "\r\n", 0);
	while (!bench.kept || !idle->connected)
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
	begin_close(&bench);
	run_until_ended(&bench, idle);
	assert_false(client->ended);
	http_server_reply(bench.kept, &(struct http_reply){.status = 204});
	run_until_ended(&bench, client);
	assert_non_null(strstr(client->got, "204 No Content"));
	client_close(client);
	client_close(idle);
	bench_close(&bench);
}

static void the_wish_for_a_100_is_granted_or_refused(void **state)
{
	struct http_settings settings = {.body_limit_bytes = 10};
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, &settings);
	client = client_open(&bench,
		"POST / HTTP/1.1\r\n" HOST
		"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
		0);
	run_until_got(&bench, client, "HTTP/1.1 100 Continue\r\n\r\n");
	client->text = "hello";
	client->len = 5;
	client->sent = 0;
	send_some(client);
	run_until_got(&bench, client, "HTTP/1.1 200 OK");
	client_close(client);
	client = client_open(&bench,
		"POST / HTTP/1.1\r\n" HOST
		"Expect: 100-continue\r\nContent-Length: 11\r\n\r\n",
		0);
	run_until_ended(&bench, client);
	assert_int_equal(strncmp(client->got, "HTTP/1.1 413 ", 13), 0);
	assert_non_null(strstr(client->got, "{\"error\":\"the body is too large\"}"));
	client_close(client);
	bench_close(&bench);
}

static void what_is_too_large_is_refused_and_the_answer_arrives(void **state)
{
	static const char head[] =
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 299000\r\n\r\n";
	static char text[300000];
	struct http_settings settings = {.body_limit_bytes = 1000};
	struct bench bench;
	struct client *client;

	(void)state;
	/* The body goes on and on behind the refusal: no reset may eat the answer. */
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, head, sizeof(head) - 1);
	bench_open(&bench, &settings);
	client = client_open(&bench, text, 10000);
	run_until_ended(&bench, client);
	assert_int_equal(strncmp(client->got, "HTTP/1.1 413 ", 13), 0);
	client_close(client);
	memset(text, 'x', 20000);
	client = client_open(&bench, text, 1000);
	run_until_ended(&bench, client);
	assert_int_equal(strncmp(client->got, "HTTP/1.1 431 ", 13), 0);
	assert_int_equal(bench.handled, 0);
	client_close(client);
	bench_close(&bench);
}

static void slow_peers_are_ended(void **state)
{
	struct http_settings settings = {.head_timeout_us = 50000,
		.body_timeout_us = 60000,
		.idle_timeout_us = 70000};
	struct http_counters counters;
	struct client *silent, *head, *body, *idle;
	struct bench bench;

	(void)state;
	bench_open(&bench, &settings);
	silent = client_open(&bench, "", 0);
	head = client_open(&bench, "GET / HTTP/1.1\r\nHos", 0);
	body = client_open(
		&bench, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel", 0);
	idle = client_open(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n", 0);
	run_until_ended(&bench, silent);
	run_until_ended(&bench, head);
	run_until_ended(&bench, body);
	run_until_ended(&bench, idle);
	assert_int_equal(silent->got_len, 0);
	assert_int_equal(strncmp(head->got, "HTTP/1.1 408 ", 13), 0);
	assert_int_equal(strncmp(body->got, "HTTP/1.1 408 ", 13), 0);
	assert_int_equal(count(idle->got, "HTTP/1.1 "), 1);
	http_server_read_counters(bench.server, &counters);
	assert_int_equal(counters.timeouts, 3);
	assert_int_equal(counters.requests, 1);
	client_close(silent);
	client_close(head);
	client_close(body);
	client_close(idle);
	bench_close(&bench);
}

static void a_peer_that_sends_slowly_gains_no_time(void **state)
{
	struct http_settings settings = {.head_timeout_us = 50000};
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, &settings);
	client = client_open(&bench, "GET / HTTP/1.1\r\n", 0);
	while (!client->ended) {
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
		if (client->sent == client->len &&
			!client->ended) { /* one more line, for ever */
			client->text = "A: b\r\n";
			client->len = 6;
			client->sent = 0;
		}
	}
	assert_int_equal(strncmp(client->got, "HTTP/1.1 408 ", 13), 0);
	client_close(client);
	bench_close(&bench);
}

static void connections_stop_at_their_limits(void **state)
{
	static const struct http_settings tables[] = {
		{.connections_max = 2}, {.connections_per_address = 2}};
	struct http_counters counters;
	struct client *clients[3];
	struct bench bench;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		bench_open(&bench, &tables[i]);
		for (unsigned j = 0; j < 2; j++) {
			clients[j] =
				client_open(&bench, "GET /a HTTP/1.1\r\n" HOST "\r\n", 0);
			run_until_got(&bench, clients[j], "/a");
		}
		clients[2] = client_open(&bench, "GET /a HTTP/1.1\r\n" HOST "\r\n", 0);
		run_until_ended(&bench, clients[2]);
		assert_int_equal(clients[2]->got_len, 0);
		http_server_read_counters(bench.server, &counters);
		assert_int_equal(counters.refused_connections, 1);
		assert_int_equal(counters.open_connections, 2);
		client_close(clients[0]);
		while (counters.open_connections == 2) {
			(void)uv_run(&bench.loop, UV_RUN_ONCE);
			http_server_read_counters(bench.server, &counters);
		}
		clients[0] = client_open(&bench, "GET /a HTTP/1.1\r\n" HOST "\r\n", 0);
		run_until_got(&bench, clients[0], "/a");
		for (unsigned j = 0; j < 3; j++)
			client_close(clients[j]);
		bench_close(&bench);
	}
}

static void head_gives_the_length_without_the_body(void **state)
{
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, NULL);
	client = client_open(
		&bench, "HEAD /abc HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 0);
	run_until_ended(&bench, client);
	assert_non_null(strstr(client->got, "Content-Length: 4\r\n"));
	assert_null(strstr(client->got, "/abc"));
	client_close(client);
	bench_close(&bench);
}

static void a_refusal_is_json_that_can_be_read(void **state)
{
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, NULL);
	client = client_open(
		&bench, "GET /no HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 0);
	run_until_ended(&bench, client);
	assert_non_null(strstr(client->got, "403 Forbidden"));
	assert_non_null(strstr(client->got, "{\"error\":\"not \\\"GET\\\"\"}"));
	client_close(client);
	bench_close(&bench);
}

static void events_flow_until_somebody_ends_them(void **state)
{
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, NULL);
	client = client_open(&bench, "GET /events HTTP/1.1\r\n" HOST "\r\n", 0);
	run_until_got(&bench, client, "text/event-stream");
	http_server_stream_send(bench.stream, "data: 1\n\n", 9);
	run_until_got(&bench, client, "data: 1\n\n");
	client_close(client);
	while (!bench.streams_gone)
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
	client = client_open(&bench, "GET /events HTTP/1.1\r\n" HOST "\r\n", 0);
	run_until_got(&bench, client, "text/event-stream");
	http_server_stream_end(bench.stream);
	run_until_ended(&bench, client);
	client_close(client);
	assert_int_equal(bench.streams_gone, 2);
	client = client_open(&bench, "GET /events HTTP/1.1\r\n" HOST "\r\n", 0);
	run_until_got(&bench, client, "text/event-stream");
	begin_close(&bench);
	run_until_ended(&bench, client); /* a stream holds nothing up */
	client_close(client);
	bench_close(&bench);
	assert_int_equal(bench.streams_gone, 3);
}

static void a_client_that_does_not_read_its_events_is_ended(void **state)
{
	static char event[100000];
	struct bench bench;
	struct client *client;

	(void)state;
	memset(event, 'x', sizeof(event));
	bench_open(&bench, NULL);
	client = client_open(&bench, "GET /events HTTP/1.1\r\n" HOST "\r\n", 0);
	run_until_got(&bench, client, "text/event-stream");
	(void)uv_read_stop((uv_stream_t *)&client->tcp);
	for (unsigned i = 0; i < 1000 && bench.stream; i++) {
		http_server_stream_send(bench.stream, event, sizeof(event));
		(void)uv_run(&bench.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(bench.streams_gone, 1);
	client_close(client);
	bench_close(&bench);
}

static void a_client_that_does_not_read_its_answer_is_ended(void **state)
{
	struct http_settings settings = {.body_timeout_us = 100000};
	struct http_counters counters = {.open_connections = 1};
	struct bench bench;
	struct client *client;

	(void)state;
	bench_open(&bench, &settings);
	client = client_open(&bench, "GET /large HTTP/1.1\r\n" HOST "\r\n", 0);
	while (!client->connected)
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
	(void)uv_read_stop((uv_stream_t *)&client->tcp);
	while (counters.open_connections) {
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
		http_server_read_counters(bench.server, &counters);
	}
	client_close(client);
	bench_close(&bench);
}

static void a_port_that_is_taken_is_named(void **state)
{
	struct http_settings settings = {0};
	struct http_server *second;
	struct fault fault = {0};
	struct bench bench;

	(void)state;
	bench_open(&bench, NULL);
	settings.port = http_server_port(bench.server);
	assert_int_equal(address_parse(&settings.address, "127.0.0.1"), 0);
	assert_int_equal(http_server_open(&second, &bench.loop, &settings, &bench.log,
				 handle, &bench, &fault),
		UV_EADDRINUSE);
	assert_string_equal(fault.field, "listen");
	assert_null(second);
	bench_close(&bench);
}

static void over_tls_plain_bytes_get_nowhere(void **state)
{
	struct http_settings settings = {0};
	struct http_counters counters;
	char certificate[128], key[128];
	struct bench bench;
	struct client *client;
	struct pki pki;

	(void)state;
	pki_make(&pki);
	settings.certificate_file = pki_path(&pki, "server.pem", certificate);
	settings.key_file = pki_path(&pki, "server-key.pem", key);
	bench_open(&bench, &settings);
	client = client_open(&bench, "GET / HTTP/1.1\r\n" HOST "\r\n", 0);
	run_until_ended(&bench, client);
	http_server_read_counters(bench.server, &counters);
	assert_int_equal(counters.tls_failures, 1);
	assert_int_equal(bench.handled, 0);
	assert_int_equal(http_server_reload(bench.server, NULL), 0);
	client_close(client);
	bench_close(&bench);
	pki_remove(&pki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_in_single_bytes_is_answered),
		cmocka_unit_test(pipelined_requests_are_answered_in_their_order),
		cmocka_unit_test(an_answer_may_come_later),
		cmocka_unit_test(an_answer_to_nobody_is_dropped),
		cmocka_unit_test(a_close_lets_the_running_request_end),
		cmocka_unit_test(the_wish_for_a_100_is_granted_or_refused),
		cmocka_unit_test(what_is_too_large_is_refused_and_the_answer_arrives),
		cmocka_unit_test(slow_peers_are_ended),
		cmocka_unit_test(a_peer_that_sends_slowly_gains_no_time),
		cmocka_unit_test(connections_stop_at_their_limits),
		cmocka_unit_test(head_gives_the_length_without_the_body),
		cmocka_unit_test(a_refusal_is_json_that_can_be_read),
		cmocka_unit_test(events_flow_until_somebody_ends_them),
		cmocka_unit_test(a_client_that_does_not_read_its_events_is_ended),
		cmocka_unit_test(a_client_that_does_not_read_its_answer_is_ended),
		cmocka_unit_test(a_port_that_is_taken_is_named),
		cmocka_unit_test(over_tls_plain_bytes_get_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
