#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "astray/now.h"
#include "astray/status.h"
#include "collector_config.h"
#include "first_files.h"
#include "http_tls.h"

static const char *const made[] = {"ca.pem", "ca-key.pem", "server.pem", "server-key.pem",
	"collector.json", "a.pem", "a-key.pem", "a.json", "b.pem", "b-key.pem", "b.json",
	NULL};

static struct first_files_order order_in(char folder[static 64])
{
	(void)snprintf(folder, 64, "/tmp/astray-first-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return (struct first_files_order){.folder = folder,
		.listen = "127.0.0.1:8443",
		.host = "collector.example",
		.hosts = {"collector.example", "127.0.0.1"},
		.data = "/var/lib/astray",
		.now = now_moment()};
}

static mode_t mode_of(const char *folder, const char *name)
{
	char path[512];
	struct stat found;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(stat(path, &found), 0);
	return found.st_mode & 0777;
}

static void remove_all(const char *folder)
{
	char path[512];

	for (const char *const *file = made; *file; file++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, *file);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
}

static void what_is_made_can_be_served(void **state)
{
	struct collector_config *config;
	struct fault fault = {0};
	struct http_tls *tls;
	char folder[64], path[128];
	struct first_files_order order = order_in(folder);

	(void)state;
	assert_false(first_files_exist(folder));
	assert_int_equal(first_files_collector(&order, &fault), 0);
	assert_true(first_files_exist(folder));
	(void)snprintf(path, sizeof(path), "%s/collector.json", folder);
	assert_int_equal(collector_config_read(&config, path, &fault), 0);
	assert_true(config->tls && config->web);
	assert_int_equal(
		http_tls_open(&tls,
			&(struct http_tls_files){.certificate = config->certificate,
				.key = config->key,
				.client_ca = config->client_ca},
			&fault),
		0);
	http_tls_close(tls);
	collector_config_free(config);
	remove_all(folder);
}

static void a_key_is_its_owners_alone(void **state)
{
	char folder[64], path[128];
	struct first_files_order order = order_in(folder);
	struct stat stat_buf;

	(void)state;
	assert_int_equal(first_files_collector(&order, NULL), 0);
	assert_int_equal(first_files_probe(&order, "a", NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/a-key.pem", folder);
	assert_int_equal(stat(path, &stat_buf), 0);
	assert_int_equal(stat_buf.st_mode & 0777, 0600);
	remove_all(folder);
}

static void probes_are_added_and_nothing_is_written_over(void **state)
{
	char folder[64];
	struct first_files_order order = order_in(folder);
	struct fault fault = {0};

	(void)state;
	assert_int_equal(first_files_collector(&order, &fault), 0);
	assert_int_equal(first_files_probe(&order, "a", &fault), 0);
	assert_int_equal(first_files_probe(&order, "b", &fault), 0);
	assert_int_equal(first_files_probe(&order, "a", &fault), -17);
	assert_non_null(strstr(fault.why, "a-key.pem"));
	assert_int_equal(first_files_collector(&order, &fault), -17);
	remove_all(folder);
}

static void a_name_that_would_do_harm_is_refused(void **state)
{
	static const char *const names[] = {
		"", "../a", "ca", "server", "collector", "operator", "a b"};
	char folder[64];
	struct first_files_order order = order_in(folder);

	(void)state;
	assert_int_equal(first_files_collector(&order, NULL), 0);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(first_files_probe(&order, names[i], NULL), STATUS_RANGE);
	remove_all(folder);
}

static void whom_it_runs_as_may_read_its_key_but_no_others(void **state)
{
	char folder[64];
	struct first_files_order order = order_in(folder);

	(void)state;
	order.shared = true;
	order.group = getgid();
	assert_int_equal(first_files_collector(&order, NULL), 0);
	assert_int_equal(first_files_probe(&order, "a", NULL), 0);
	assert_int_equal(mode_of(folder, "."), 0750);
	assert_int_equal(mode_of(folder, "server-key.pem"), 0640);
	assert_int_equal(mode_of(folder, "collector.json"), 0640);
	assert_int_equal(mode_of(folder, "ca-key.pem"), 0600);
	assert_int_equal(mode_of(folder, "a-key.pem"), 0600);
	remove_all(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_can_be_served),
		cmocka_unit_test(a_key_is_its_owners_alone),
		cmocka_unit_test(probes_are_added_and_nothing_is_written_over),
		cmocka_unit_test(a_name_that_would_do_harm_is_refused),
		cmocka_unit_test(whom_it_runs_as_may_read_its_key_but_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
