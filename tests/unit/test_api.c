#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <uv.h>

#include "store_world.h"
#include "api.h"
#include "astray/fetch.h"
#include "astray/status.h"
#include "dashboard.h"
#include "http_server.h"
#include "secret.h"

#define TOKEN "a-token-that-nobody-guesses"

struct world {
	struct store_world *inner;
	uv_loop_t loop;
	uv_timer_t patience;
	struct http_server *server;
	struct fetch *fetch;
	struct api *api;
	struct log log;
	struct services services;
	struct service service;
	struct secret secret;
	char said[4096]; /* by an operator */
	bool answered, closed;
	long status;
	char body[262144];
};

static int64_t the_time;

static struct moment now(void)
{
	return (struct moment){the_time};
}

static void handle(void *arg, struct http_exchange *exchange)
{
	struct world *world = arg;

	if (!api_handle(world->api, exchange) && !dashboard_answer(exchange))
		http_server_refuse(exchange, 404, "nothing is here");
}

static int operate(void *arg, const char *line, size_t len, void (*done)(void *, int),
	void *done_arg)
{
	struct world *world = arg;

	(void)snprintf(world->said, sizeof(world->said), "%.*s", (int)len, line);
	done(done_arg, 0);
	return 0;
}

static void lost_patience(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("waited too long");
}

/* Paths are still being learnt, all else is. */
static bool half_learnt(
	void *arg, const char *service, struct learning out[static LEARNING_ABILITIES])
{
	(void)arg;
	(void)service;
	for (unsigned i = 0; i < LEARNING_ABILITIES; i++)
		out[i] = (struct learning){LEARNING_READY, {1000}, {2000}};
	out[LEARNING_PATHS].state = LEARNING_YOUNG;
	out[LEARNING_REGISTRY] = (struct learning){0};
	return true;
}

static void open_world(struct world *world, bool with_token)
{
	struct http_settings http = {0};
	struct api_settings api = {.store = world->inner->store,
		.services = &world->services,
		.now = now,
		.learning = half_learnt,
		.url = "https://astray.example",
		.operate = operate,
		.operate_arg = world};
	struct fault fault = {0};

	the_time = STORE_WORLD_START + 70 * MOMENT_SECOND_US;
	(void)strcpy(world->service.name, "exchange");
	(void)strcpy(world->service.zone, "exchange.example");
	world->services = (struct services){.count = 1, .list = &world->service};
	assert_int_equal(secret_of(&world->secret, TOKEN), 0);
	api.token = with_token ? &world->secret : NULL;
	assert_int_equal(api_new(&world->api, &api), 0);
	assert_int_equal(address_parse(&http.address, "127.0.0.1"), 0);
	assert_int_equal(uv_loop_init(&world->loop), 0);
	assert_int_equal(uv_timer_init(&world->loop, &world->patience), 0);
	assert_int_equal(uv_timer_start(&world->patience, lost_patience, 20000, 0), 0);
	assert_int_equal(http_server_open(&world->server, &world->loop, &http,
				 &world->log, handle, world, &fault),
		0);
	assert_int_equal(fetch_open(&world->fetch, &world->loop), 0);
}

static int make(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_int_equal(store_world_make((void **)&world->inner), 0);
	open_world(world, false);
	*state = world;
	return 0;
}

static int make_with_token(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_int_equal(store_world_make((void **)&world->inner), 0);
	open_world(world, true);
	*state = world;
	return 0;
}

static void server_closed(void *arg)
{
	((struct world *)arg)->closed = true;
}

static int drop(void **state)
{
	struct world *world = *state;
	void *inner = world->inner;

	fetch_close(world->fetch);
	api_free(world->api);
	http_server_close(world->server, server_closed, world);
	while (!world->closed)
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&world->patience, NULL);
	(void)uv_run(&world->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&world->loop), 0);
	free(world);
	return store_world_drop(&inner);
}

static void answered(void *arg, const struct fetch_answer *answer)
{
	struct world *world = arg;

	world->answered = true;
	world->status = answer->rc ? answer->rc : answer->status;
	(void)snprintf(
		world->body, sizeof(world->body), "%s", answer->body ? answer->body : "");
}

static long ask(struct world *world, const char *method, const char *path,
	const char *body, const struct fetch_header *headers)
{
	char url[2048];
	struct fetch_order order = {.method = method,
		.url = url,
		.headers = headers,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.timeout_us = 10 * MOMENT_SECOND_US,
		.answer_limit = sizeof(world->body) - 1};

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
		http_server_port(world->server), path);
	world->answered = false;
	assert_int_equal(fetch_start(world->fetch, NULL, &order, answered, world), 0);
	while (!world->answered)
		(void)uv_run(&world->loop, UV_RUN_ONCE);
	return world->status;
}

static long get(struct world *world, const char *path)
{
	return ask(world, "GET", path, NULL, NULL);
}

static void expect(const struct world *world, const char *text)
{
	if (!strstr(world->body, text))
		fail_msg("%s is missing in %s", text, world->body);
}

static void fill(struct world *world)
{
	static const struct store_world_hop tokyo[] = {{"192.0.2.1", "JP", 64496}};
	struct store_world *inner = world->inner;

	store_world_hello(inner, "tyo-gw-1", "tokyo");
	store_world_hello(inner, "tyo-sentinel", "tokyo");
	for (int i = 0; i < 6; i++, inner->rx_us += 10 * MOMENT_SECOND_US)
		store_world_traffic(inner, "tyo-gw-1", 100, 20000);
	store_world_trace(inner, "tyo-gw-1", tokyo, 1);
	store_world_check(inner, "tyo-gw-1", OBS_CHECK_OK, 50000);
	store_world_name_servers(inner, "ns1.example", "ns2.example", "NOERROR");
	store_world_flush(inner);
}

static void open_incident(struct world *world)
{
	struct incident *incident = calloc(1, sizeof(*incident));

	incident->rx.us = incident->opened.us = incident->since.us = world->inner->rx_us;
	(void)strcpy(incident->id, "i-1");
	incident->severity = SEVERITY_PAGE;
	incident->change_number = incident->service_count = 1;
	(void)strcpy(incident->services[0], "exchange");
	(void)strcpy(incident->title, "<script>alert(1)</script>");
	store_changed(world->inner->store, INCIDENT_CHANGE_OPENED, incident);
	store_world_flush(world->inner);
	free(incident);
}

static void services_say_how_they_are(void **state)
{
	struct world *world = *state;

	assert_int_equal(get(world, "/api/v1/services"), 200);
	expect(world, "\"state\":\"unseen\"");
	fill(world);
	assert_int_equal(get(world, "/api/v1/services"), 200);
	expect(world, "\"name\":\"exchange\"");
	expect(world, "\"state\":\"ok\"");
	expect(world, "\"requests_per_second\":10,");
	expect(world, "\"sites\":[{\"site\":\"tokyo\",\"probes\":2,");
	open_incident(world);
	assert_int_equal(get(world, "/api/v1/services"), 200);
	expect(world, "\"state\":\"page\",\"incident\":\"i-1\"");
	the_time += MOMENT_DAY_US;
	assert_int_equal(get(world, "/api/v1/services"), 200);
	expect(world, "\"requests_per_second\":null");
}

static void services_say_what_is_not_learnt_yet(void **state)
{
	struct world *world = *state;

	assert_int_equal(get(world, "/api/v1/services"), 200);
	expect(world, "{\"ability\":\"failures\",\"state\":\"learnt\"");
	expect(world, "{\"ability\":\"registry\",\"state\":\"not_measured\"}");
	expect(world, "{\"ability\":\"paths\",\"state\":\"learning\",\"since_us\":1000,"
		      "\"ready_us\":2000}");
}

static void one_service_tells_its_names_checks_and_certificates(void **state)
{
	struct world *world = *state;

	fill(world);
	assert_int_equal(get(world, "/api/v1/services/exchange"), 200);
	expect(world, "\"name\":\"parent NS exchange.example\"");
	expect(world, "\"observation\":{\"kind\":\"check\"");
	expect(world, "\"certificates\":[{");
	assert_int_equal(get(world, "/api/v1/services/mail"), 404);
	assert_int_equal(get(world, "/api/v1/services/%00"), 400);
}

static void series_and_paths_are_given(void **state)
{
	struct world *world = *state;

	fill(world);
	assert_int_equal(get(world, "/api/v1/"
				    "series?service=exchange&from=2020-05-30T15:00:00Z&"
				    "until=2020-05-30T15:01:00Z&step=10%20s"),
		200);
	expect(world, "\"step_us\":10000000");
	expect(world, "\"requests\":[100,100,100,100,100,100]");
	expect(world, "\"requests_per_second\":[10,10,10,10,10,10]");
	expect(world, "\"connect_p50_us\":[null,");
	assert_int_equal(
		get(world, "/api/v1/series?service=exchange&site=tokyo&step=60"), 200);
	assert_int_equal(get(world, "/api/v1/paths?service=exchange"), 200);
	expect(world, "\"before\":null");
	expect(world, "\"observation\":{\"kind\":\"trace\"");
	assert_int_equal(get(world, "/api/v1/probes"), 200);
	expect(world, "\"hello\":{\"kind\":\"hello\"");
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *path;
		long status;
	} rows[] = {
		{"/api/v1/series", 400},
		{"/api/v1/series?service=mail", 404},
		{"/api/v1/series?service=exchange&from=yesterday", 400},
		{"/api/v1/series?service=exchange&from=5&until=5", 400},
		{"/api/v1/series?service=exchange&step=-1", 400},
		{"/api/v1/series?service=exchange&step=often", 400},
		{"/api/v1/incidents?limit=0", 400},
		{"/api/v1/incidents?limit=1x", 400},
		{"/api/v1/incidents/none", 404},
		{"/api/v1/paths", 400},
		{"/api/v1/nothing", 404},
		{"/api/v1/maintenance", 405},
		{"/nothing", 404},
		{"/../etc/passwd", 404},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (get(world, rows[i].path) != rows[i].status && world->status != 400)
			fail_msg("%s: %ld %s", rows[i].path, world->status, world->body);
}

static const struct fetch_header as_json[] = {{"content-type", "application/json"}, {0}};

static void an_acknowledgement_becomes_an_operators_line(void **state)
{
	struct world *world = *state;

	fill(world);
	open_incident(world);
	assert_int_equal(ask(world, "POST", "/api/v1/incidents/i-1/acknowledge",
				 "{\"by\":\"ann\",\"note\":\"on it\"}", as_json),
		200);
	assert_non_null(strstr(world->said, "{\"kind\":\"acknowledge\","));
	assert_non_null(strstr(
		world->said, "\"incident\":\"i-1\",\"by\":\"ann\",\"note\":\"on it\"}"));
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-2/acknowledge", "{}", as_json),
		404);
	assert_int_equal(ask(world, "POST", "/api/v1/incidents/i-1/acknowledge",
				 "{\"buy\":1}", as_json),
		400);
	expect(world, "by"); /* the nearest key */
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-1/acknowledge", "{", as_json),
		400);
	assert_int_equal(get(world, "/api/v1/incidents/i-1/acknowledge"), 405);
}

static void store_resolved(
	struct world *world, const char *id, const char *part_of, unsigned change)
{
	struct incident *incident = calloc(1, sizeof(*incident));

	incident->rx.us = incident->opened.us = incident->since.us = world->inner->rx_us;
	(void)snprintf(incident->id, sizeof(incident->id), "%s", id);
	(void)snprintf(incident->part_of, sizeof(incident->part_of), "%s", part_of);
	incident->state = INCIDENT_RESOLVED;
	incident->change_number = change;
	store_changed(world->inner->store, INCIDENT_CHANGE_RESOLVED, incident);
	store_world_flush(world->inner);
	free(incident);
}

static void what_was_taken_up_is_acknowledged_where_it_went(void **state)
{
	struct world *world = *state;

	open_incident(world);
	store_resolved(world, "i-8", "i-1", 1);
	store_resolved(world, "i-9", "i-8", 1);
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-9/acknowledge", "{}", as_json),
		200);
	assert_non_null(strstr(world->said, "\"incident\":\"i-1\""));
	assert_int_equal(get(world, "/api/v1/incidents/i-9"), 200);
	expect(world, "\"part_of\":\"i-8\"");
	store_resolved(world, "i-1", "", 2);
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-9/acknowledge", "{}", as_json),
		409);
	expect(world, "i-1 is resolved");
	/* Those that name each other in a circle end nowhere. */
	store_resolved(world, "i-8", "i-9", 2);
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-9/acknowledge", "{}", as_json),
		409);
}

static void announced_work_is_checked(void **state)
{
	struct world *world = *state;

	assert_int_equal(ask(world, "POST", "/api/v1/maintenance",
				 "{\"service\":\"exchange\",\"until_us\":"
				 "1590860000000000,\"note\":\"switch\"}",
				 as_json),
		200);
	assert_non_null(strstr(world->said, "{\"kind\":\"maintenance\","));
	assert_non_null(strstr(world->said, "\"site\":null"));
	assert_int_equal(
		ask(world, "POST", "/api/v1/maintenance",
			"{\"service\":\"mail\",\"until_us\":1590860000000000}", as_json),
		400);
	assert_int_equal(
		ask(world, "POST", "/api/v1/maintenance", "{\"until_us\":5}", as_json),
		400);
	assert_int_equal(
		ask(world, "POST", "/api/v1/maintenance",
			"{\"site\":\"a b\",\"until_us\":1590860000000000}", as_json),
		400);
}

static void another_page_cannot_make_a_browser_say_it(void **state)
{
	const struct fetch_header form[] = {{"content-type", "text/plain"}, {0}};
	const struct fetch_header origin[] = {{"content-type", "application/json"},
		{"origin", "https://evil.example"}, {0}};
	const struct fetch_header rebound[] = {
		{"content-type", "application/json"}, {"host", "evil.example"}, {0}};
	const struct fetch_header site[] = {{"content-type", "application/json"},
		{"sec-fetch-site", "cross-site"}, {0}};
	const struct fetch_header ours[] = {{"content-type", "application/json"},
		{"host", "astray.example"}, {"origin", "https://astray.example"}, {0}};
	const struct fetch_header *const bad[] = {form, origin, rebound, site};
	struct world *world = *state;

	open_incident(world);
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(world, "POST", "/api/v1/incidents/i-1/acknowledge",
					 "{}", bad[i]),
			403);
	assert_string_equal(world->said, "");
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-1/acknowledge", "{}", ours), 200);
}

static void the_token_is_asked_for(void **state)
{
	const struct fetch_header right[] = {{"content-type", "application/json"},
		{"authorization", "Bearer " TOKEN}, {0}};
	const struct fetch_header wrong[] = {{"content-type", "application/json"},
		{"authorization", "Bearer a-token-that-somebody-guesses"}, {0}};
	struct world *world = *state;

	open_incident(world);
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-1/acknowledge", "{}", as_json),
		401);
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-1/acknowledge", "{}", wrong),
		401);
	assert_string_equal(world->said, "");
	assert_int_equal(
		ask(world, "POST", "/api/v1/incidents/i-1/acknowledge", "{}", right),
		200);
	assert_int_equal(get(world, "/api/v1/incidents?state=open"), 200);
	assert_int_equal(get(world, "/api/v1/about"), 200);
	expect(world, "\"token\":true");
}

static void ready_is_said_once_the_journal_was_read(void **state)
{
	struct world *world = *state;

	assert_int_equal(get(world, "/-/healthy"), 200);
	assert_int_equal(get(world, "/-/ready"), 503);
	api_caught_up(world->api);
	assert_int_equal(get(world, "/-/ready"), 200);
}

static void the_page_is_served_plain_to_who_wants_it_plain(void **state)
{
	const struct fetch_header known[] = {{"if-none-match", "\"0\""}, {0}};
	struct world *world = *state;

	assert_int_equal(get(world, "/"), 200);
	expect(world, "<!doctype html>");
	assert_int_equal(ask(world, "GET", "/index.html", NULL, known), 200);
	assert_int_equal(ask(world, "POST", "/", "x", as_json), 405);
}

struct listening {
	struct world *world;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	char heard[65536];
	size_t len;
};

static void make_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct listening *listening = handle->data;

	(void)wanted;
	*buf = uv_buf_init(listening->heard + listening->len,
		(unsigned)(sizeof(listening->heard) - 1 - listening->len));
}

static void heard(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct listening *listening = stream->data;

	(void)buf;
	if (len > 0)
		listening->len += (size_t)len;
}

static void connected(uv_connect_t *connect, int status)
{
	static char head[] = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
	uv_buf_t buf = uv_buf_init(head, sizeof(head) - 1);
	struct listening *listening = connect->data;

	assert_int_equal(status, 0);
	assert_int_equal(uv_read_start(connect->handle, make_room, heard), 0);
	assert_int_equal(uv_write(&listening->write, connect->handle, &buf, 1, NULL), 0);
}

static void hear(struct listening *listening, const char *text)
{
	while (!strstr(listening->heard, text))
		(void)uv_run(&listening->world->loop, UV_RUN_ONCE);
}

static void who_listens_is_told_of_changes(void **state)
{
	struct world *world = *state;
	struct listening *listening = calloc(1, sizeof(*listening));
	struct incident *incident = calloc(1, sizeof(*incident));
	struct sockaddr_in address;

	listening->world = world;
	listening->tcp.data = listening->connect.data = listening;
	assert_int_equal(
		uv_ip4_addr("127.0.0.1", http_server_port(world->server), &address), 0);
	assert_int_equal(uv_tcp_init(&world->loop, &listening->tcp), 0);
	listening->tcp.data = listening;
	assert_int_equal(uv_tcp_connect(&listening->connect, &listening->tcp,
				 (const struct sockaddr *)&address, connected),
		0);
	hear(listening, "retry: 3000\n\n");
	(void)strcpy(incident->id, "i-7");
	(void)strcpy(
		incident->title, "two\nlines"); /* an event's data must stay one line */
	api_changed(world->api, INCIDENT_CHANGE_OPENED, incident);
	hear(listening, "event: incident\ndata: {\"kind\":\"incident\"");
	hear(listening, "two\\nlines");
	api_tick(world->api);
	hear(listening, "event: tick\ndata: {\"now_us\":");
	free(incident);
	uv_close((uv_handle_t *)&listening->tcp, NULL);
	(void)uv_run(&world->loop, UV_RUN_NOWAIT);
	free(listening);
}

#define in_a_world(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_world(services_say_how_they_are),
		in_a_world(services_say_what_is_not_learnt_yet),
		in_a_world(one_service_tells_its_names_checks_and_certificates),
		in_a_world(series_and_paths_are_given),
		in_a_world(what_makes_no_sense_is_refused),
		in_a_world(an_acknowledgement_becomes_an_operators_line),
		in_a_world(what_was_taken_up_is_acknowledged_where_it_went),
		in_a_world(announced_work_is_checked),
		in_a_world(another_page_cannot_make_a_browser_say_it),
		cmocka_unit_test_setup_teardown(
			the_token_is_asked_for, make_with_token, drop),
		in_a_world(ready_is_said_once_the_journal_was_read),
		in_a_world(the_page_is_served_plain_to_who_wants_it_plain),
		in_a_world(who_listens_is_told_of_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
