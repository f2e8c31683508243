/*
 * Against servers of its own on loopback: one that says what a test tells it to, on the
 * same loop, and `openssl s_server` for TLS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>

#include "astray/fetch.h"
#include "astray/status.h"
#include "certificate_maker.h"
#include "loop_server.h"

#define SECOND_US INT64_C(1000000)

struct bench {
	uv_loop_t loop;
	struct loop_server server;
	struct fetch *fetch;
	unsigned done;
	struct fetch_answer answer;
	char body[256], url[64];
	struct fetch_request *to_cancel;
	bool close_when_done;
};

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_int_equal(uv_loop_init(&bench->loop), 0);
	loop_server_open(&bench->server, &bench->loop);
	assert_int_equal(fetch_open(&bench->fetch, &bench->loop), 0);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	fetch_close(bench->fetch);
	loop_server_close_all(&bench->server);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	free(bench);
	return 0;
}

static void done(void *arg, const struct fetch_answer *answer)
{
	struct bench *bench = arg;

	bench->done++;
	bench->answer = *answer;
	assert_true(answer->body_len < sizeof(bench->body));
	memcpy(bench->body, answer->body, answer->body_len + 1);
	if (bench->to_cancel) {
		struct fetch_request *other = bench->to_cancel;

		bench->to_cancel = NULL;
		fetch_cancel(other);
	}
	if (bench->close_when_done) {
		bench->close_when_done = false;
		fetch_close(bench->fetch);
		bench->fetch = NULL;
	}
}

static const char *url_at(struct bench *bench, const char *origin, int port)
{
	(void)snprintf(bench->url, sizeof(bench->url), "%s:%d/x", origin, port);
	return bench->url;
}

static const char *own_url(struct bench *bench)
{
	return url_at(bench, "http://127.0.0.1", bench->server.port);
}

static struct fetch_order order_for(const char *url)
{
	return (struct fetch_order){
		.url = url, .timeout_us = 10 * SECOND_US, .answer_limit = 100};
}

static void start(struct bench *bench, const struct fetch_order *order)
{
	assert_int_equal(fetch_start(bench->fetch, NULL, order, done, bench), 0);
}

static void run_until(struct bench *bench, unsigned count)
{
	while (bench->done < count)
		assert_true(uv_run(&bench->loop, UV_RUN_ONCE) != 0);
}

static void fetch_one(struct bench *bench, const struct fetch_order *order)
{
	bench->done = 0;
	start(bench, order);
	run_until(bench, 1);
	assert_int_equal(bench->done, 1);
}

static void an_answer_comes_with_all_that_it_says(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));

	bench->server.answer = "HTTP/1.1 503 Busy\r\nRetry-After: 17\r\nETag: \"v1\"\r\n"
			       "Content-Length: 5\r\n\r\nhello";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.rc, 0);
	assert_int_equal(bench->answer.error, OBS_CHECK_OK);
	assert_int_equal(bench->answer.status, 503);
	assert_string_equal(bench->body, "hello");
	assert_false(bench->answer.truncated);
	assert_int_equal(bench->answer.retry_after_s, 17);
	assert_string_equal(bench->answer.etag, "\"v1\"");
	assert_false(bench->answer.certificate.present);
}

static void a_body_is_sent_with_its_headers(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));
	const struct fetch_header headers[] = {
		{"Content-Type", "application/json"}, {"webhook-id", "i1"}, {0}};

	order.headers = headers;
	order.body = "{}";
	order.body_len = 2;
	bench->server.answer = "HTTP/1.1 204 Fine\r\n\r\n";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.status, 204);
	assert_string_equal(bench->body, "");
	assert_int_equal(bench->answer.retry_after_s, OBS_ABSENT);
	assert_non_null(strstr(bench->server.heard, "POST /x HTTP/1.1\r\n"));
	assert_non_null(
		strstr(bench->server.heard, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(bench->server.heard, "webhook-id: i1\r\n"));
	assert_non_null(strstr(bench->server.heard, "\r\n\r\n{}"));
	assert_null(strstr(bench->server.heard, "Expect"));
}

static void more_than_the_limit_is_read_and_dropped(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));

	order.answer_limit = 3;
	bench->server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.rc, 0);
	assert_true(bench->answer.truncated);
	assert_string_equal(bench->body, "hel");
	fetch_one(bench, &order);
	assert_int_equal(
		bench->server.connections, 1); /* the connection went on being good */
}

static void what_is_measured_has_a_connection_of_its_own(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));

	order.measure = true;
	bench->server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	fetch_one(bench, &order);
	fetch_one(bench, &order);
	assert_int_equal(bench->server.connections, 2);
	assert_int_equal(bench->answer.dns_us, OBS_ABSENT); /* an address needs none */
	assert_true(bench->answer.connect_us > 0);
	assert_true(bench->answer.connect_us < SECOND_US);
	assert_int_equal(bench->answer.tls_us, OBS_ABSENT);
	assert_true(bench->answer.first_byte_us >= 0);
	assert_true(bench->answer.total_us >= bench->answer.first_byte_us);
}

static void a_name_is_looked_up_and_timed(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order =
		order_for(url_at(bench, "http://localhost", bench->server.port));

	order.measure = true;
	bench->server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	for (order.turn = 0; order.turn < 2; order.turn++) {
		fetch_one(bench, &order); /* ::1 has no listener, 127.0.0.1 has */
		if (bench->answer.rc == 0)
			break;
		assert_int_equal(bench->answer.error, OBS_CHECK_REFUSED);
		assert_int_equal(bench->answer.peer.family, 6);
	}
	assert_int_equal(bench->answer.rc, 0);
	assert_int_equal(bench->answer.peer.family, 4);
	assert_true(bench->answer.dns_us >= 0);
	assert_non_null(strstr(bench->server.heard, "Host: localhost:"));
}

static void each_failure_has_its_class(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));

	order.measure = true;
	bench->server.answer = "RST";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.error, OBS_CHECK_RESET);
	assert_int_equal(bench->answer.rc, -ECONNRESET);
	assert_true(*bench->answer.error_text);
	assert_true(bench->answer.connect_us > 0);
	assert_int_equal(bench->answer.first_byte_us, OBS_ABSENT);

	bench->server.answer = "SSH-2.0-OpenSSH\r\nno HTTP at all\r\n\r\n";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.error, OBS_CHECK_HTTP);

	order.url = "http://127.0.0.1:1/";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.error, OBS_CHECK_REFUSED);
	assert_int_equal(bench->answer.rc, -ECONNREFUSED);
	assert_int_equal(bench->answer.peer.family, 4);
	assert_int_equal(bench->answer.connect_us, OBS_ABSENT);

	order.url = "http://no-such-name.invalid/";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.error, OBS_CHECK_DNS);
	assert_int_equal(bench->answer.peer.family, 0);
	assert_int_equal(bench->answer.connect_us, OBS_ABSENT);

	order.measure = false;
	order.url = "http://127.0.0.1:1/";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.error, OBS_CHECK_REFUSED);
	order.url = "http://no-such-name.invalid/";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.error, OBS_CHECK_DNS);
}

static void silence_ends_in_time(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));

	order.timeout_us = SECOND_US / 20;
	order.measure = true;
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.rc, -ETIMEDOUT);
	assert_int_equal(bench->answer.error, OBS_CHECK_TIMEOUT);
	assert_string_equal(bench->answer.error_text, "no answer within 50 ms");
	assert_true(bench->answer.connect_us > 0);
	assert_int_equal(bench->answer.first_byte_us, OBS_ABSENT);
	assert_true(bench->answer.total_us >= order.timeout_us);
}

static void block_for_20_ms(uv_timer_t *timer)
{
	const struct timespec pause = {.tv_nsec = 20000000};

	(void)nanosleep(&pause, NULL);
	uv_close((uv_handle_t *)timer, NULL);
}

static void a_loop_that_came_late_is_told(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));
	uv_timer_t blocker;

	order.timeout_us = SECOND_US / 20;
	order.measure = true;
	assert_int_equal(uv_timer_init(&bench->loop, &blocker), 0);
	assert_int_equal(uv_timer_start(&blocker, block_for_20_ms, 10, 0), 0);
	fetch_one(bench, &order);
	assert_true(bench->answer.late);
	assert_true(bench->answer.connect_us > 0); /* the kernel was not late */
}

static void cancelling_ends_it_at_once_and_once(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));
	struct fetch_request *request;

	assert_int_equal(fetch_start(bench->fetch, &request, &order, done, bench), 0);
	fetch_cancel(request);
	assert_int_equal(bench->done, 1);
	assert_int_equal(bench->answer.rc, -ECANCELED);
	assert_int_equal(bench->answer.error, OBS_CHECK_OK);

	order.measure = true;
	order.url = "http://localhost:1/";
	assert_int_equal(fetch_start(bench->fetch, &request, &order, done, bench), 0);
	fetch_cancel(request); /* its name is being looked up */
	assert_int_equal(bench->done, 2);
}

static void one_that_is_done_may_cancel_another(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));

	bench->server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	start(bench, &order);
	assert_int_equal(
		fetch_start(bench->fetch, &bench->to_cancel, &order, done, bench), 0);
	run_until(bench, 2);
	assert_int_equal(bench->done, 2);
}

static void one_that_is_done_may_close_all(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));

	bench->server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	bench->close_when_done = true;
	for (int i = 0; i < 5; i++)
		start(bench, &order);
	run_until(bench, 5);
	assert_int_equal(bench->done, 5);
	assert_null(bench->fetch);
}

static void orders_that_make_no_sense_are_refused(void **state)
{
	struct bench *bench = *state;
	const struct fetch_header forged[] = {{"X", "a\r\nHost: other"}, {0}};
	struct fetch_order order = order_for("file:///etc/passwd");

	assert_int_equal(
		fetch_start(bench->fetch, NULL, &order, done, bench), STATUS_UNSUPPORTED);
	order.url = "http://";
	assert_int_equal(
		fetch_start(bench->fetch, NULL, &order, done, bench), STATUS_SYNTAX);
	order.url = "not a url";
	assert_int_equal(
		fetch_start(bench->fetch, NULL, &order, done, bench), STATUS_SYNTAX);
	order.url = "http://127.0.0.1/";
	order.headers = forged;
	assert_int_equal(fetch_start(bench->fetch, NULL, &order, done, bench), -EINVAL);
	assert_int_equal(bench->done, 0);
}

static void a_redirect_is_followed_only_where_wished(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order = order_for(own_url(bench));

	bench->server.answer = "HTTP/1.1 302 There\r\nLocation: file:///etc/passwd\r\n"
			       "Content-Length: 0\r\n\r\n";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.rc, 0);
	assert_int_equal(bench->answer.status, 302);
	order.follow_redirects = true;
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.error, OBS_CHECK_HTTP);
	bench->server.answer = "HTTP/1.1 302 There\r\nLocation: /\r\n"
			       "Content-Length: 0\r\n\r\n";
	fetch_one(bench, &order); /* for ever */
	assert_int_equal(bench->answer.error, OBS_CHECK_HTTP);
}

/* ---- TLS ---- */

struct tls_server {
	char directory[32], certificate[64], key[64];
	pid_t pid;
	int port;
};

static void start_tls(struct tls_server *server, const struct certificate_wish *wish)
{
	EVP_PKEY *key = certificate_maker_key();
	X509 *x509 = certificate_maker_make(key, wish);
	char line[256];
	FILE *said;
	int ends[2];

	(void)strcpy(server->directory, "/tmp/test_fetch.XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	(void)snprintf(server->certificate, 64, "%s/c.pem", server->directory);
	(void)snprintf(server->key, 64, "%s/k.pem", server->directory);
	certificate_maker_write(server->certificate, x509, server->key, key);
	X509_free(x509);
	EVP_PKEY_free(key);
	assert_int_equal(pipe(ends), 0);
	server->pid = fork();
	if (server->pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		(void)execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0",
			"-www", "-cert", server->certificate, "-key", server->key, NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	said = fdopen(ends[0], "r");
	assert_non_null(said);
	server->port = 0;
	while (server->port == 0 && fgets(line, sizeof(line), said))
		(void)sscanf(line, "ACCEPT 127.0.0.1:%d", &server->port);
	assert_true(server->port > 0);
	(void)fclose(said);
}

static void stop_tls(struct tls_server *server)
{
	(void)kill(server->pid, SIGTERM);
	assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
	(void)unlink(server->certificate);
	(void)unlink(server->key);
	(void)rmdir(server->directory);
}

static void fetch_tls(
	struct bench *bench, const struct certificate_wish *wish, bool trusted)
{
	struct tls_server server;
	struct fetch_order order;

	start_tls(&server, wish);
	order = order_for(url_at(bench, "https://127.0.0.1", server.port));
	order.measure = true;
	order.ca_file = trusted ? server.certificate : NULL;
	fetch_one(bench, &order);
	stop_tls(&server);
	assert_true(bench->answer.certificate.present);
	assert_int_equal(strlen(bench->answer.certificate.spki_sha256), 64);
	assert_true(bench->answer.connect_us > 0);
}

static void a_good_certificate_is_verified(void **state)
{
	struct bench *bench = *state;

	fetch_tls(bench,
		&(struct certificate_wish){.common_name = "x",
			.alternative = "IP:127.0.0.1",
			.until_s = 3600},
		true);
	assert_string_equal(bench->answer.error_text, "");
	assert_int_equal(bench->answer.rc, 0);
	assert_int_equal(bench->answer.status, 200);
	assert_true(bench->answer.certificate.verified);
	assert_string_equal(bench->answer.certificate.version, "TLSv1.3");
	assert_string_equal(bench->answer.certificate.subject, "CN=x");
	assert_true(bench->answer.tls_us > 0);
}

static void check_untrusted(struct bench *bench, const char *why)
{
	assert_int_equal(bench->answer.error, OBS_CHECK_TLS);
	if (!strstr(bench->answer.error_text, why))
		fail_msg("\"%s\" does not say \"%s\"", bench->answer.error_text, why);
	assert_false(bench->answer.certificate.verified);
	assert_string_equal(bench->answer.certificate.version, "TLSv1.3");
	assert_int_equal(bench->answer.tls_us, OBS_ABSENT);
	assert_int_equal(bench->answer.first_byte_us, OBS_ABSENT);
}

static void a_bad_certificate_is_known_and_not_believed(void **state)
{
	struct bench *bench = *state;
	struct certificate_wish wish = {
		.common_name = "x", .alternative = "IP:127.0.0.1", .until_s = 3600};

	fetch_tls(bench, &wish, false);
	check_untrusted(bench, "self-signed");
	wish.alternative = "DNS:other.example";
	fetch_tls(bench, &wish, true);
	check_untrusted(bench, "no alternative certificate subject name matches");
	wish.alternative = "IP:127.0.0.1";
	wish.from_s = -7200;
	wish.until_s = -3600;
	fetch_tls(bench, &wish, true);
	check_untrusted(bench, "expired");
}

static void a_server_without_TLS_fails_the_handshake(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order =
		order_for(url_at(bench, "https://127.0.0.1", bench->server.port));

	order.measure = true;
	bench->server.answer = "RST";
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.error, OBS_CHECK_RESET);
	assert_true(bench->answer.connect_us > 0);
	assert_false(bench->answer.certificate.present);
}

static void a_missing_CA_file_is_our_own_trouble(void **state)
{
	struct bench *bench = *state;
	struct fetch_order order =
		order_for(url_at(bench, "https://127.0.0.1", bench->server.port));

	order.ca_file = "/no/such/file";
	order.measure = true;
	assert_int_equal(
		fetch_start(bench->fetch, NULL, &order, done, bench), STATUS_LIBRARY);
	order.measure = false;
	fetch_one(bench, &order);
	assert_int_equal(bench->answer.rc, STATUS_LIBRARY);
	assert_int_equal(bench->answer.error, OBS_CHECK_OK);
	assert_non_null(strstr(bench->answer.error_text, "/no/such/file"));
}

#define FETCH_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FETCH_TEST(an_answer_comes_with_all_that_it_says),
		FETCH_TEST(a_body_is_sent_with_its_headers),
		FETCH_TEST(more_than_the_limit_is_read_and_dropped),
		FETCH_TEST(what_is_measured_has_a_connection_of_its_own),
		FETCH_TEST(a_name_is_looked_up_and_timed),
		FETCH_TEST(each_failure_has_its_class),
		FETCH_TEST(silence_ends_in_time),
		FETCH_TEST(a_loop_that_came_late_is_told),
		FETCH_TEST(cancelling_ends_it_at_once_and_once),
		FETCH_TEST(one_that_is_done_may_cancel_another),
		FETCH_TEST(one_that_is_done_may_close_all),
		FETCH_TEST(orders_that_make_no_sense_are_refused),
		FETCH_TEST(a_redirect_is_followed_only_where_wished),
		FETCH_TEST(a_good_certificate_is_verified),
		FETCH_TEST(a_bad_certificate_is_known_and_not_believed),
		FETCH_TEST(a_server_without_TLS_fails_the_handshake),
		FETCH_TEST(a_missing_CA_file_is_our_own_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
