#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <uv.h>

#include "astray/squeeze.h"
#include "astray/wire.h"
#include "scripted_fetch.h"
#include "uplink.h"

#define HOURS_US (INT64_C(3600) * 1000000)

struct bench {
	char folder[64];
	uv_loop_t loop;
	struct log log; /* silent */
	struct fetch *fetch;
	struct spool *spool;
	struct uplink *uplink;
	bool closed;
};

static struct uplink_settings settings(int64_t batch_age_us)
{
	return (struct uplink_settings){
		.access = {.url = "https://collector.example:8443/", .ca_file = "ca.pem"},
		.probe = "tyo-laptop-17",
		.batch_age_us = batch_age_us,
		.quiet_age_us = 2 * batch_age_us};
}

static void set_up(struct bench *bench, int64_t batch_age_us)
{
	struct uplink_settings chosen = settings(batch_age_us);

	*bench = (struct bench){.folder = "/tmp/astray-uplink-XXXXXX"};
	assert_non_null(mkdtemp(bench->folder));
	bench->fetch = calloc(1, sizeof(*bench->fetch));
	assert_non_null(bench->fetch);
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	assert_int_equal(
		spool_open(&bench->spool, bench->folder, SPOOL_LIMIT_MIN, NULL), 0);
	assert_int_equal(uplink_open(&bench->uplink, &bench->loop, &bench->log,
				 bench->spool, bench->fetch, &chosen),
		0);
	(void)uv_run(&bench->loop, UV_RUN_NOWAIT);
}

static void uplink_gone(void *arg)
{
	*(bool *)arg = true;
}

static void close_uplink(struct bench *bench)
{
	uplink_close(bench->uplink, uplink_gone, &bench->closed);
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_true(bench->closed);
}

static void tear_down(struct bench *bench)
{
	char command[128];

	close_uplink(bench);
	spool_close(bench->spool);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	free(bench->fetch);
	(void)snprintf(command, sizeof(command), "rm -r %s", bench->folder);
	assert_int_equal(system(command), 0); /* NOLINT: a folder of our own */
}

static void add(struct bench *bench, int64_t at_us)
{
	struct obs *obs = malloc(sizeof(*obs));

	assert_non_null(obs);
	obs_init(obs, OBS_HELLO, (struct moment){at_us});
	(void)strcpy(obs->hello.version, "0.1.0");
	uplink_add(bench->uplink, obs);
	free(obs);
}

static void add_batch(struct bench *bench, int64_t at_us)
{
	add(bench, at_us);
	uplink_flush(bench->uplink);
}

/* The batch that is being sent, its observations' first time in *at_us. */
static struct wire_batch sent(struct bench *bench, int64_t *at_us)
{
	const struct fetch_request *request = &bench->fetch->request;
	struct wire_batch batch;
	struct obs *obs = malloc(sizeof(*obs));
	const char *at, *line;
	size_t len, line_len;
	bool terminated;
	void *text;

	assert_non_null(obs);
	assert_true(request->running);
	assert_string_equal(request->method, "POST");
	assert_string_equal(
		request->url, "https://collector.example:8443/v1/observations");
	assert_int_equal(squeeze_unpack(&text, &len, SQUEEZE_ZSTD, request->body,
				 request->body_len, WIRE_BATCH_MAX),
		0);
	at = text;
	line = wire_next_line(&at, (char *)text + len, &line_len, &terminated);
	assert_int_equal(wire_decode_batch(&batch, line, line_len, NULL), 0);
	line = wire_next_line(&at, (char *)text + len, &line_len, &terminated);
	assert_int_equal(wire_decode(obs, line, line_len, NULL), 0);
	*at_us = obs->at.us;
	free(obs);
	free(text);
	return batch;
}

static void assert_sent(struct bench *bench, int64_t seq, int64_t at_us)
{
	int64_t found_us;
	struct wire_batch batch = sent(bench, &found_us);

	assert_int_equal(batch.seq, seq);
	assert_int_equal(found_us, at_us);
	assert_string_equal(batch.probe, "tyo-laptop-17");
	assert_string_equal(batch.boot, spool_boot(bench->spool));
}

static void acknowledge(struct bench *bench, int64_t seq)
{
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"acknowledged\":%lld}", (long long)seq);
	scripted_fetch_reply(bench->fetch, 200, body);
}

static void lines_wait_for_their_age_and_go_together(void **state)
{
	struct bench bench;
	int64_t at_us;

	(void)state;
	set_up(&bench, 20000);
	for (int64_t i = 1; i <= 5; i++)
		add(&bench, i);
	assert_int_equal(bench.fetch->started, 0);
	while (bench.fetch->started == 0)
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
	assert_int_equal(sent(&bench, &at_us).observations, 5);
	acknowledge(&bench, 0);
	assert_int_equal(spool_count(bench.spool).batches, 0);
	tear_down(&bench);
}

static void a_full_batch_does_not_wait(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, HOURS_US);
	for (int64_t i = 1; bench.fetch->started == 0 && i < 5000; i++)
		add(&bench, i);
	assert_sent(&bench, 0, 1);
	tear_down(&bench);
}

static void batches_go_one_by_one_the_oldest_first(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, HOURS_US);
	for (int64_t i = 0; i < 4; i++)
		add_batch(&bench, 100 + i);
	for (int64_t i = 0; i < 4; i++) {
		assert_int_equal(bench.fetch->started, i + 1);
		assert_sent(&bench, i, 100 + i);
		acknowledge(&bench, i);
	}
	assert_false(bench.fetch->request.running);
	assert_int_equal(uplink_count(bench.uplink).acknowledged, 4);
	tear_down(&bench);
}

static void a_failure_sends_the_same_batch_again_under_its_name(void **state)
{
	static const long statuses[] = {500, 503, 401, 404, 200};
	struct bench bench;

	(void)state;
	set_up(&bench, HOURS_US);
	add_batch(&bench, 7);
	add_batch(&bench, 8);
	for (unsigned i = 0; i < 5; i++) {
		assert_sent(&bench, 0, 7);
		scripted_fetch_reply(bench.fetch, statuses[i], "");
		assert_false(bench.fetch->request.running);
		/* More to send does not shorten the wait. */
		add_batch(&bench, 9);
		assert_false(bench.fetch->request.running);
		uplink_hurry(bench.uplink);
	}
	assert_sent(&bench, 0, 7);
	acknowledge(&bench, 0);
	assert_sent(&bench, 1, 8);
	assert_int_equal(uplink_count(bench.uplink).failures, 5);
	tear_down(&bench);
}

static void after_its_wait_it_tries_again_by_itself(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, HOURS_US);
	add_batch(&bench, 7);
	scripted_fetch_reply(bench.fetch, 503, "");
	while (!bench.fetch->request.running)
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
	assert_sent(&bench, 0, 7);
	tear_down(&bench);
}

static void a_refused_batch_does_not_hold_up_the_next(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, HOURS_US);
	add_batch(&bench, 7);
	add_batch(&bench, 8);
	scripted_fetch_reply(bench.fetch, 400, "{\"error\":\"no\",\"line\":2}");
	assert_sent(&bench, 1, 8);
	assert_int_equal(spool_count(bench.spool).set_aside, 1);
	assert_int_equal(uplink_count(bench.uplink).refused, 1);
	tear_down(&bench);
}

static void what_was_not_acknowledged_is_there_after_a_restart(void **state)
{
	struct bench bench;
	struct uplink_settings chosen = settings(HOURS_US);
	char boot[SPOOL_RECORD_BOOT];
	int64_t at_us;
	struct wire_batch batch;

	(void)state;
	set_up(&bench, HOURS_US);
	(void)snprintf(boot, sizeof(boot), "%s", spool_boot(bench.spool));
	add_batch(&bench, 7);
	add(&bench, 8); /* gathered, not yet a batch */
	close_uplink(&bench);
	spool_close(bench.spool);

	assert_int_equal(
		spool_open(&bench.spool, bench.folder, SPOOL_LIMIT_MIN, NULL), 0);
	assert_int_equal(uplink_open(&bench.uplink, &bench.loop, &bench.log, bench.spool,
				 bench.fetch, &chosen),
		0);
	(void)uv_run(&bench.loop, UV_RUN_NOWAIT);
	for (int64_t i = 0; i < 2; i++) {
		batch = sent(&bench, &at_us);
		assert_string_equal(batch.boot, boot);
		assert_int_equal(batch.seq, i);
		assert_int_equal(at_us, 7 + i);
		acknowledge(&bench, i);
	}
	assert_int_equal(spool_count(bench.spool).batches, 0);
	tear_down(&bench);
}

static void a_request_that_cannot_start_is_tried_later(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, HOURS_US);
	bench.fetch->start_rc = -ENOMEM;
	add_batch(&bench, 7);
	assert_int_equal(uplink_count(bench.uplink).failures, 1);
	bench.fetch->start_rc = 0;
	uplink_hurry(bench.uplink);
	assert_sent(&bench, 0, 7);
	tear_down(&bench);
}

static void another_collector_gets_what_the_last_did_not(void **state)
{
	struct bench bench;
	struct uplink_settings chosen = settings(HOURS_US);

	(void)state;
	set_up(&bench, HOURS_US);
	add_batch(&bench, 7);
	scripted_fetch_reply(bench.fetch, 401, "");
	(void)strcpy(chosen.access.url, "https://other.example");
	uplink_configure(bench.uplink, &chosen);
	assert_true(bench.fetch->request.running);
	assert_string_equal(
		bench.fetch->request.url, "https://other.example/v1/observations");
	tear_down(&bench);
}

static void what_cannot_be_written_is_counted(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, HOURS_US);
	add(&bench, -1);
	assert_int_equal(uplink_count(bench.uplink).unwritable, 1);
	add_batch(&bench, 1);
	assert_sent(&bench, 0, 1);
	tear_down(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_wait_for_their_age_and_go_together),
		cmocka_unit_test(a_full_batch_does_not_wait),
		cmocka_unit_test(batches_go_one_by_one_the_oldest_first),
		cmocka_unit_test(a_failure_sends_the_same_batch_again_under_its_name),
		cmocka_unit_test(after_its_wait_it_tries_again_by_itself),
		cmocka_unit_test(a_refused_batch_does_not_hold_up_the_next),
		cmocka_unit_test(what_was_not_acknowledged_is_there_after_a_restart),
		cmocka_unit_test(a_request_that_cannot_start_is_tried_later),
		cmocka_unit_test(another_collector_gets_what_the_last_did_not),
		cmocka_unit_test(what_cannot_be_written_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
