#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "astray/status.h"
#include "collector_config.h"

static int read_text(struct collector_config **out, const char *text, struct fault *fault)
{
	char path[] = "/tmp/astray-config-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	*fault = (struct fault){0};
	rc = collector_config_read(out, path, fault);
	if (rc)
		assert_string_equal(fault->input, path);
	(void)unlink(path);
	return rc;
}

static void the_least_configuration_has_defaults(void **state)
{
	struct collector_config *config;
	struct fault fault;
	char file[COLLECTOR_CONFIG_TEXT];

	(void)state;
	assert_int_equal(read_text(&config, "{}", &fault), 0);
	assert_int_equal(config->listen.port, 8443);
	assert_false(config->tls || config->web);
	assert_int_equal(config->journal_keep_us, 90 * MOMENT_DAY_US);
	assert_int_equal(config->quota_bytes_per_minute, 120 << 20);
	assert_string_equal(collector_config_file(config, "journal.db", file),
		"/var/lib/astray-collector/journal.db");
	collector_config_free(config);
}

static void the_example_is_good(void **state)
{
	struct collector_config *config;
	struct fault fault = {0};
	char text[1024];

	(void)state;
	if (collector_config_read(&config, EXAMPLE, &fault))
		fail_msg("%s", fault_text(&fault, text, sizeof(text)));
	assert_true(config->tls && config->web && config->services.count > 0);
	assert_true(config->notify.count > 0);
	collector_config_free(config);
}

static void a_fault_names_its_line_and_key(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *field;
	} table[] = {
		{"{\n\"lisen\": \"127.0.0.1:1\"}", 2, "lisen"},
		{"{\"listen\": \"nowhere\"}", 0, "listen"},
		{"{\"listen\": \"0.0.0.0:8443\"}", 0, "tls"},
		{"{\n\"tls\": {\"certificate\": \"a\"}}", 2, "tls"},
		{"{\n\"tls\": {\"client_ca\": \"a\"}}", 2, "tls"},
		{"{\"probes\": {}}", 1, "probes"},
		{"{\"probes\": [\n{}]}", 2, "probes[0]"},
		{"{\"probes\": [\n{\"name\": \"a\"}]}", 2, "probes[0]"},
		{"{\"probes\": [\n{\"name\": \"operator\", \"refused\": true}]}", 2,
			"probes[0]"},
		{"{\"probes\": [\n{\"name\": \"a\", \"token_file\": \"/no\"}]}", 2,
			"probes[0].token_file"},
		{"{\"web\": {\n\"listen\": \"x\"}}", 1, "web.listen"},
		{"{\"journal\": {\n\"keep\": \"1 s\"}}", 2, "journal.keep"},
		{"{\"assignment\": {\n\"gatway\": {}}}", 2, "assignment.gatway"},
		{"{\"log\": {\"level\": \"loud\"}}", 1, "log.level"},
		{"{\"services\": [{}]}", 1, NULL},
		{"{", 1, NULL},
	};
	struct collector_config *config;
	struct fault fault;

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_true(read_text(&config, table[i].text, &fault) < 0);
		assert_null(config);
		if (fault.line != table[i].line ||
			(table[i].field && strcmp(fault.field, table[i].field) != 0))
			fail_msg("row %u: line %u field %s: %s", i, fault.line,
				fault.field, fault.why);
	}
}

static void tokens_and_refusals_become_rules(void **state)
{
	char token[] = "/tmp/astray-token-XXXXXX", text[512];
	struct collector_config *config;
	struct ingest_rules rules;
	struct fault fault;
	int fd = mkstemp(token);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0123456789abcdef\n", 17), 17);
	(void)close(fd);
	(void)snprintf(text, sizeof(text),
		"{\"probes\": [{\"name\": \"a\", \"token_file\": \"%s\"},"
		" {\"name\": \"b\", \"refused\": true}]}",
		token);
	assert_int_equal(read_text(&config, text, &fault), 0);
	rules = collector_config_rules(config);
	assert_int_equal(rules.token_count, 1);
	assert_string_equal(rules.tokens[0].probe, "a");
	assert_true(secret_matches(&rules.tokens[0].secret, "0123456789abcdef"));
	assert_int_equal(rules.refused_count, 1);
	assert_string_equal(rules.refused[0], "b");
	collector_config_free(config);
	(void)snprintf(text, sizeof(text),
		"{\"probes\": [{\"name\": \"a\", \"token_file\": \"%s\"},"
		" {\"name\": \"b\", \"token_file\": \"%s\"}]}",
		token, token);
	assert_int_equal(read_text(&config, text, &fault), STATUS_DUPLICATE);
	(void)unlink(token);
}

static void every_key_is_described(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	collector_config_describe(out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "client_ca"));
	assert_non_null(strstr(text, "probe_mb_per_minute"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_configuration_has_defaults),
		cmocka_unit_test(the_example_is_good),
		cmocka_unit_test(a_fault_names_its_line_and_key),
		cmocka_unit_test(tokens_and_refusals_become_rules),
		cmocka_unit_test(every_key_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
