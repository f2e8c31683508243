#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <uv.h>

#include "astray/fetch.h"
#include "astray/squeeze.h"
#include "astray/status.h"
#include "ingest.h"
#include "journal_folder.h"
#include "wire_lines.h"

#define TOKEN "0123456789abcdef"
#define HEALTH "{\"kind\":\"health\",\"at_us\":1}\n"

struct bench {
	struct journal_folder folder;
	uv_loop_t loop;
	struct log log;
	struct journal *journal;
	struct http_server *server;
	struct ingest *ingest;
	struct fetch *fetch;
	struct ingest_token token;
	struct assigned assigned;
	struct ingest_rules rules;
	unsigned fed;
	struct moment last_rx;
	enum obs_kind last_kind;
	char last_probe[OBS_WORD];
	unsigned answered;
	long status;
	int64_t retry_after_s;
	char body[4096], etag[128];
	int said_rc;
	unsigned said;
};

static void observed(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct bench *bench = arg;

	bench->fed++;
	assert_false(moment_before(origin->rx, bench->last_rx));
	bench->last_rx = origin->rx;
	bench->last_kind = obs->kind;
	(void)snprintf(bench->last_probe, sizeof(bench->last_probe), "%s", origin->probe);
}

static int set_up(void **state)
{
	static struct bench bench;
	struct journal_settings journal = {0};
	struct http_settings http = {0};
	static char role_body[] = "{\"role\":1}";

	memset(&bench, 0, sizeof(bench));
	journal_folder_make(&bench.folder);
	journal.file = bench.folder.file;
	(void)snprintf(bench.token.probe, sizeof(bench.token.probe), "a");
	assert_int_equal(secret_of(&bench.token.secret, TOKEN), 0);
	bench.assigned.roles[OBS_GATEWAY] = (struct assigned_answer){
		.body = role_body, .len = strlen(role_body), .etag = "\"x\""};
	bench.rules = (struct ingest_rules){
		.tokens = &bench.token, .token_count = 1, .assigned = &bench.assigned};
	assert_int_equal(address_parse(&http.address, "127.0.0.1"), 0);
	assert_int_equal(uv_loop_init(&bench.loop), 0);
	assert_int_equal(fetch_open(&bench.fetch, &bench.loop), 0);
	assert_int_equal(
		journal_open(&bench.journal, &bench.loop, &journal, &bench.log, NULL), 0);
	assert_int_equal(ingest_open(&bench.ingest, &bench.loop, bench.journal,
				 &bench.rules, &bench.log, observed, &bench),
		0);
	assert_int_equal(http_server_open(&bench.server, &bench.loop, &http, &bench.log,
				 ingest_handle, bench.ingest, NULL),
		0);
	*state = &bench;
	return 0;
}

static void journal_closed(void *arg)
{
	struct bench *bench = arg;

	ingest_close(bench->ingest, NULL, NULL);
}

static void server_closed(void *arg)
{
	struct bench *bench = arg;

	journal_close(bench->journal, journal_closed, bench);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	fetch_close(bench->fetch);
	http_server_close(bench->server, server_closed, bench);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	journal_folder_remove(&bench->folder);
	return 0;
}

static void answered(void *arg, const struct fetch_answer *answer)
{
	struct bench *bench = arg;

	assert_int_equal(answer->rc, 0);
	bench->answered++;
	bench->status = answer->status;
	bench->retry_after_s = answer->retry_after_s;
	(void)snprintf(
		bench->body, sizeof(bench->body), "%s", answer->body ? answer->body : "");
	(void)snprintf(bench->etag, sizeof(bench->etag), "%s", answer->etag);
}

static void ask(struct bench *bench, const char *path, const struct fetch_header *headers,
	const void *body, size_t len)
{
	char url[128];
	struct fetch_order order = {.method = body ? "POST" : "GET",
		.url = url,
		.headers = headers,
		.body = body,
		.body_len = len,
		.answer_limit = 4000,
		.timeout_us = 10 * MOMENT_SECOND_US};

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
		(unsigned)http_server_port(bench->server), path);
	assert_int_equal(fetch_start(bench->fetch, NULL, &order, answered, bench), 0);
}

static void run_until_answered(struct bench *bench, unsigned answers)
{
	while (bench->answered < answers)
		(void)uv_run(&bench->loop, UV_RUN_ONCE);
}

static const struct fetch_header good[] = {{"Authorization", "Bearer " TOKEN},
	{"Content-Type", "application/x-ndjson"}, {NULL, NULL}};

static int batch_of(char *buf, size_t cap, int64_t seq, const char *line)
{
	return snprintf(buf, cap,
		"{\"kind\":\"batch\",\"v\":1,\"probe\":\"a\",\"boot\":\"b\",\"seq\":%lld,"
		"\"sent_us\":1,\"observations\":1}\n%s",
		(long long)seq, line);
}

static long post(struct bench *bench, const struct fetch_header *headers, int64_t seq,
	const char *line)
{
	char text[8192];
	int len = batch_of(text, sizeof(text), seq, line);

	ask(bench, "/v1/observations", headers, text, (size_t)len);
	run_until_answered(bench, bench->answered + 1);
	return bench->status;
}

static void run_until_fed(struct bench *bench, unsigned fed)
{
	while (bench->fed < fed)
		(void)uv_run(&bench->loop, UV_RUN_ONCE);
}

static void a_batch_is_acknowledged_and_fed_once(void **state)
{
	struct ingest_counters counters;
	struct bench *bench = *state;

	assert_int_equal(post(bench, good, 42, HEALTH), 200);
	assert_string_equal(bench->body, "{\"acknowledged\":42}");
	run_until_fed(bench, 1);
	assert_int_equal(post(bench, good, 42, HEALTH), 200);
	assert_string_equal(bench->body, "{\"acknowledged\":42}");
	assert_int_equal(post(bench, good, 43, HEALTH), 200);
	run_until_fed(bench, 2);
	ingest_read_counters(bench->ingest, &counters);
	assert_int_equal(counters.batches, 2);
	assert_int_equal(counters.duplicates, 1);
	assert_int_equal(counters.waiting_observations, 0);
	assert_int_equal(counters.waiting_bytes, 0);
	assert_int_equal(counters.probes, 1);
	assert_string_equal(bench->last_probe, "a");
}

static void two_copies_under_way_count_once(void **state)
{
	struct bench *bench = *state;
	char text[1024];
	int len = batch_of(text, sizeof(text), 1, HEALTH);

	for (unsigned i = 0; i < 10; i++)
		ask(bench, "/v1/observations", good, text, (size_t)len);
	run_until_answered(bench, 10);
	assert_int_equal(bench->status, 200);
	assert_int_equal(post(bench, good, 2, HEALTH), 200);
	run_until_fed(bench, 2);
	assert_int_equal(bench->fed, 2);
}

static void strangers_are_refused(void **state)
{
	static const struct fetch_header none[] = {
		{"Content-Type", "application/x-ndjson"}, {0}};
	static const struct fetch_header wrong[] = {
		{"Authorization", "Bearer " TOKEN "x"},
		{"Content-Type", "application/x-ndjson"}, {0}};
	static const char names[1][OBS_WORD] = {"a"};
	struct ingest_counters counters;
	struct bench *bench = *state;
	struct ingest_rules rules = bench->rules;

	assert_int_equal(post(bench, none, 1, HEALTH), 401);
	assert_int_equal(post(bench, wrong, 1, HEALTH), 401);
	rules.refused = names;
	rules.refused_count = 1;
	ingest_set_rules(bench->ingest, &rules);
	assert_int_equal(post(bench, good, 1, HEALTH), 403);
	ingest_read_counters(bench->ingest, &counters);
	assert_int_equal(counters.unauthorized, 3);
	assert_int_equal(counters.batches, 0);
}

static void what_is_not_the_contract_is_refused_with_its_place(void **state)
{
	static const struct fetch_header plain[] = {
		{"Authorization", "Bearer " TOKEN}, {"Content-Type", "text/plain"}, {0}};
	static const struct fetch_header strange[] = {{"Authorization", "Bearer " TOKEN},
		{"Content-Type", "application/x-ndjson"}, {"Content-Encoding", "br"},
		{0}};
	static const struct fetch_header packed[] = {{"Authorization", "Bearer " TOKEN},
		{"Content-Type", "application/x-ndjson"}, {"Content-Encoding", "zstd"},
		{0}};
	struct bench *bench = *state;

	assert_int_equal(post(bench, good, 1, "{\"kind\":\"health\"}\n"), 400);
	assert_non_null(strstr(bench->body, "\"line\":2"));
	assert_non_null(strstr(bench->body, "\"field\":\"at_us\""));
	assert_int_equal(post(bench, plain, 1, HEALTH), 415);
	assert_int_equal(post(bench, strange, 1, HEALTH), 415);
	assert_int_equal(post(bench, packed, 1, HEALTH), 400);
	ask(bench, "/v1/observations", good, NULL, 0);
	run_until_answered(bench, bench->answered + 1);
	assert_int_equal(bench->status, 405);
	ask(bench, "/v1/elsewhere", good, NULL, 0);
	run_until_answered(bench, bench->answered + 1);
	assert_int_equal(bench->status, 404);
	assert_int_equal(bench->fed, 0);
}

static void packed_batches_are_read_and_bombs_are_not(void **state)
{
	static const struct fetch_header packed[] = {{"Authorization", "Bearer " TOKEN},
		{"Content-Type", "application/x-ndjson; charset=utf-8"},
		{"Content-Encoding", "zstd"}, {0}};
	static char zeros[WIRE_BATCH_MAX + 1];
	struct bench *bench = *state;
	char text[1024];
	size_t len;
	void *bytes;

	assert_int_equal(squeeze_pack(&bytes, &len, text,
				 (size_t)batch_of(text, sizeof(text), 1, HEALTH)),
		0);
	ask(bench, "/v1/observations", packed, bytes, len);
	run_until_answered(bench, 1);
	assert_int_equal(bench->status, 200);
	free(bytes);
	assert_int_equal(squeeze_pack(&bytes, &len, zeros, sizeof(zeros)), 0);
	ask(bench, "/v1/observations", packed, bytes, len);
	run_until_answered(bench, 2);
	assert_int_equal(bench->status, 413);
	free(bytes);
}

static void a_probe_that_sends_too_much_is_put_off(void **state)
{
	struct bench *bench = *state;
	struct ingest_rules rules = bench->rules;

	rules.quota_bytes_per_minute = 100;
	ingest_set_rules(bench->ingest, &rules);
	(void)post(bench, good, 1, HEALTH);
	assert_int_equal(post(bench, good, 2, HEALTH), 429);
	assert_true(bench->retry_after_s >= 1 && bench->retry_after_s <= 120);
}

static void a_role_is_the_one_of_the_last_hello(void **state)
{
	static const struct fetch_header cached[] = {
		{"Authorization", "Bearer " TOKEN}, {"If-None-Match", "\"x\""}, {0}};
	struct bench *bench = *state;
	char line[1024];

	ask(bench, "/v1/assignment", good, NULL, 0);
	run_until_answered(bench, 1);
	assert_int_equal(bench->status, 404); /* an endpoint has nothing to do here */
	(void)snprintf(line, sizeof(line), "%s\n", wire_lines_full[OBS_HELLO]);
	assert_int_equal(post(bench, good, 1, line), 200);
	run_until_fed(bench, 1);
	ask(bench, "/v1/assignment", good, NULL, 0);
	run_until_answered(bench, 3);
	assert_int_equal(bench->status, 200);
	assert_string_equal(bench->body, "{\"role\":1}");
	assert_string_equal(bench->etag, "\"x\"");
	ask(bench, "/v1/assignment", cached, NULL, 0);
	run_until_answered(bench, 4);
	assert_int_equal(bench->status, 304);
}

static void a_probe_that_has_not_said_hello_says_its_role(void **state)
{
	struct bench *bench = *state;

	ask(bench, "/v1/assignment?role=gateway", good, NULL, 0);
	run_until_answered(bench, 1);
	assert_int_equal(bench->status, 200);
	assert_string_equal(bench->body, "{\"role\":1}");
	ask(bench, "/v1/assignment?role=king", good, NULL, 0);
	run_until_answered(bench, 2);
	assert_int_equal(bench->status, 404);
}

static void has_been_said(void *arg, int rc)
{
	struct bench *bench = arg;

	bench->said++;
	bench->said_rc = rc;
}

static void what_operators_say_is_journalled_and_fed(void **state)
{
	struct bench *bench = *state;
	const char *line = wire_lines_full[OBS_MAINTENANCE];
	struct fault fault = {0};

	for (unsigned i = 0; i < 2; i++) /* said twice it counts twice */
		assert_int_equal(ingest_say(bench->ingest, line, strlen(line),
					 has_been_said, bench, &fault),
			0);
	assert_int_equal(bench->said, 0);
	assert_true(moment_before(
		ingest_settled(bench->ingest), journal_now(bench->journal)));
	while (bench->said < 2)
		(void)uv_run(&bench->loop, UV_RUN_ONCE);
	assert_int_equal(bench->said_rc, 0);
	assert_int_equal(bench->fed, 2);
	assert_int_equal(bench->last_kind, OBS_MAINTENANCE);
	assert_string_equal(bench->last_probe, "operator");
	assert_true(ingest_say(bench->ingest, HEALTH, strlen(HEALTH), has_been_said,
			    bench, &fault) < 0);
	assert_string_equal(fault.field, "kind");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_batch_is_acknowledged_and_fed_once),
		CASE(two_copies_under_way_count_once),
		CASE(strangers_are_refused),
		CASE(what_is_not_the_contract_is_refused_with_its_place),
		CASE(packed_batches_are_read_and_bombs_are_not),
		CASE(a_probe_that_sends_too_much_is_put_off),
		CASE(a_role_is_the_one_of_the_last_hello),
		CASE(a_probe_that_has_not_said_hello_says_its_role),
		CASE(what_operators_say_is_journalled_and_fed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
