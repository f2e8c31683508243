#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <pthread.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "notify_test.h"
#include "webhook.h"

/* A server in a thread, since the trial runs a loop of its own: takes two requests, one
 * after the other, and answers each with the next of its answers. */
struct server {
	int listener, port;
	const char *answers[2];
	char heard[2][8192];
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct server *server = arg;

	for (int i = 0; i < 2 && server->answers[i]; i++) {
		int fd = accept(server->listener, NULL, NULL);
		size_t len = 0;

		while (!strstr(server->heard[i], "\n\r\n") ||
			!strchr(server->heard[i], '}') ||
			server->heard[i][len - 1] != '\n')
			len += (size_t)read(fd, server->heard[i] + len,
				sizeof(server->heard[i]) - 1 - len);
		(void)!write(fd, server->answers[i], strlen(server->answers[i]));
		(void)close(fd);
	}
	return NULL;
}

static void start_server(struct server *server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->listener, 4), 0);
	assert_int_equal(
		getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static int try_target(const char *name, int port, char **said)
{
	static struct notify_config config; /* large */
	static const struct log silent;
	size_t len;
	FILE *out = open_memstream(said, &len);
	int exit_code;

	config.count = 1;
	config.targets[0] = (struct notifier_target){
		.name = "oncall", .kind = &webhook_notifier, .least = SEVERITY_WARN};
	(void)snprintf(
		config.targets[0].url, NOTIFIER_URL, "http://127.0.0.1:%d/hook", port);
	exit_code = notify_test(&(struct notify_test_order){.config = &config,
		.target = name,
		.dashboard = "",
		.log = &silent,
		.out = out});
	assert_int_equal(fclose(out), 0);
	return exit_code;
}

static void both_are_told_and_answers_printed(void **state)
{
	static struct server server = {
		.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: "
			    "close\r\n\r\nheard",
			"HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n"}};
	char *said;

	(void)state;
	start_server(&server);
	assert_int_equal(try_target("oncall", server.port, &said), EX_OK);
	assert_int_equal(pthread_join(server.thread, NULL), 0);
	assert_non_null(strstr(said, "oncall, opened, to http://127.0.0.1"));
	assert_non_null(strstr(said, ": status 200: heard\n"));
	assert_non_null(strstr(said, "oncall, resolved, to "));
	assert_non_null(strstr(server.heard[0], "\"state\":\"opened\""));
	assert_non_null(strstr(server.heard[0], "This is a test"));
	assert_non_null(strstr(server.heard[1], "\"state\":\"resolved\""));
	assert_int_equal(close(server.listener), 0);
	free(said);
}

static void what_was_not_taken_is_told(void **state)
{
	static struct server server = {
		.answers = {"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"}};
	char *said;

	(void)state;
	start_server(&server);
	assert_int_equal(try_target("oncall", server.port, &said), EX_UNAVAILABLE);
	assert_int_equal(pthread_join(server.thread, NULL), 0);
	assert_int_equal(close(server.listener), 0);
	assert_non_null(strstr(said, "status 400"));
	free(said);
	assert_int_equal(try_target("oncall", 1, &said), EX_TEMPFAIL);
	assert_non_null(strstr(said, "refused"));
	free(said);
	assert_int_equal(try_target("nobody", 1, &said), EX_USAGE);
	assert_string_equal(said, "");
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_are_told_and_answers_printed),
		cmocka_unit_test(what_was_not_taken_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
