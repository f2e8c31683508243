#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent_config.h"
#include "agent_sources.h"
#include "astray/status.h"

static int read_text(struct agent_config **out, const char *text, struct fault *fault)
{
	char path[] = "/tmp/astray-config-XXXXXX";
	int fd = mkstemp(path);
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	rc = agent_config_read(out, path, agent_sources, fault);
	(void)unlink(path);
	if (rc)
		assert_string_equal(fault->input, path);
	return rc;
}

static struct agent_config *good(const char *text)
{
	struct agent_config *config;
	struct fault fault = {0};

	if (read_text(&config, text, &fault))
		fail_msg("%s: %s", fault.field, fault.why);
	return config;
}

static void assert_refused(const char *text, int rc, unsigned line, const char *field)
{
	struct agent_config *config;
	struct fault fault = {0};

	assert_int_equal(read_text(&config, text, &fault), rc);
	assert_null(config);
	assert_string_equal(fault.field, field);
	assert_int_equal(fault.line, line);
	assert_true(fault.why[0]);
}

#define HEAD "{\"probe\":\"p\",\n\"collector\":{\"url\":\"https://c.example\"}"

static void the_example_is_good_and_says_every_section(void **state)
{
	struct agent_config *config;
	struct fault fault = {0};

	(void)state;
	if (agent_config_read(&config, EXAMPLE, agent_sources, &fault))
		fail_msg("%s:%u: %s: %s", EXAMPLE, fault.line, fault.field, fault.why);
	assert_true(config->uplink.probe[0]);
	assert_true(config->here.located);
	assert_true(config->geo_city[0] && config->geo_asn[0]);
	assert_true(config->label_count > 0);
	agent_config_free(config);
}

static void what_is_left_out_has_its_default(void **state)
{
	struct agent_config *config = good(HEAD "}");

	(void)state;
	assert_string_equal(config->uplink.probe, "p");
	assert_int_equal(config->role, OBS_ENDPOINT);
	assert_int_equal(config->uplink.batch_age_us, 45000000);
	assert_int_equal(config->uplink.quiet_age_us, 120000000);
	assert_string_equal(config->spool_directory, "/var/lib/astray-probe");
	assert_int_equal(config->spool_limit_bytes, 64 * 1024 * 1024);
	assert_false(config->here.located);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	assert_true(config->needs_assignment);
	agent_config_free(config);
	config = good(HEAD ",\"services\":[],\"sources\":{}}");
	assert_false(config->needs_assignment);
	agent_config_free(config);
}

static void everything_that_is_said_is_read(void **state)
{
	struct agent_config *config = good(
		"{\"probe\":\"tyo-1\",\"role\":\"sentinel\",\"user\":\"astray\",\n"
		"\"labels\":{\"site\":\"tokyo\"}, // a comment\n"
		"\"collector\":{\"url\":\"http://127.0.0.1:8443\",\"certificate\":\"c\","
		"\"key\":\"k\",\"ca\":\"a\",\"batch_age\":\"1 s\"},\n"
		"\"spool\":{\"directory\":\"/x\",\"limit_mb\":4},\n"
		"\"here\":{\"country\":\"JP\",\"latitude\":0,\"longitude\":-180},\n"
		"\"log\":{\"level\":\"debug\",\"format\":\"json\"}}");

	(void)state;
	assert_int_equal(config->role, OBS_SENTINEL);
	assert_string_equal(config->user, "astray");
	assert_string_equal(config->labels[0].key, "site");
	assert_string_equal(config->labels[0].value, "tokyo");
	assert_string_equal(config->uplink.access.key_file, "k");
	assert_int_equal(config->uplink.batch_age_us, 1000000);
	assert_int_equal(config->uplink.quiet_age_us, 1000000);
	assert_int_equal(config->spool_limit_bytes, 4 * 1024 * 1024);
	assert_true(config->here.located);
	assert_string_equal(config->here.country, "JP");
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(config->log_format, LOG_FORMAT_JSON);
	agent_config_free(config);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
	(void)state;
	assert_refused("{}", STATUS_MISSING, 0, "probe");
	assert_refused("{\"probe\":\"two words\"}", STATUS_RANGE, 0, "probe");
	assert_refused("{\"probe\":\"p\"}", STATUS_MISSING, 0, "collector.url");
	assert_refused(HEAD ",\"spol\":{}}", STATUS_UNKNOWN, 2, "spol");
	assert_refused(
		HEAD ",\n\"spool\":{\"limit_mb\":3}}", STATUS_RANGE, 3, "spool.limit_mb");
	assert_refused(HEAD ",\"role\":\"router\"}", STATUS_UNKNOWN, 0, "role");
	assert_refused(
		HEAD ",\"labels\":{\"site\":\"to kyo\"}}", STATUS_RANGE, 2, "labels");
	assert_refused(HEAD ",\"labels\":[]}", STATUS_SYNTAX, 2, "labels");
	assert_refused(HEAD ",\"here\":{\"latitude\":1}}", STATUS_MISSING, 2, "here");
	assert_refused(
		HEAD ",\"here\":{\"country\":\"jp\"}}", STATUS_RANGE, 2, "here.country");
	assert_refused(
		HEAD ",\"log\":{\"level\":\"loud\"}}", STATUS_UNKNOWN, 2, "log.level");
	assert_refused(HEAD ",\"sources\":{\"trace\":{\"max_ttl\":0}}}", STATUS_RANGE, 2,
		"sources.trace.max_ttl");
	assert_refused(HEAD "}x", STATUS_SYNTAX, 2, "");
}

static void observations_do_not_travel_in_the_clear(void **state)
{
	static const char *const urls[] = {"http://collector.example:8443",
		"ftp://c.example", "collector.example", "https://",
		"http://127.0.0.1.evil.example:80"};
	char text[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		(void)snprintf(text, sizeof(text),
			"{\"probe\":\"p\",\"collector\":{\"url\":\"%s\"}}", urls[i]);
		assert_refused(text, STATUS_RANGE, 1, "collector.url");
	}
}

static void a_certificate_without_its_key_is_refused(void **state)
{
	(void)state;
	assert_refused(
		"{\"probe\":\"p\",\"collector\":{\"url\":\"https://c\",\"key\":\"k\"}}",
		STATUS_MISSING, 1, "collector");
}

static void a_file_that_is_not_there_is_said(void **state)
{
	struct agent_config *config;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(
		agent_config_read(&config, "/nowhere/p.json", agent_sources, &fault),
		-ENOENT);
	assert_string_equal(fault.input, "/nowhere/p.json");
}

static void the_description_names_every_source(void **state)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	agent_config_describe(out, agent_sources);
	(void)fclose(out);
	for (unsigned i = 0; agent_sources[i]; i++) {
		char name[64];

		(void)snprintf(
			name, sizeof(name), "\nsources.%s:\n", agent_sources[i]->name);
		assert_non_null(strstr(text, name));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_is_good_and_says_every_section),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(everything_that_is_said_is_read),
		cmocka_unit_test(what_is_wrong_is_named_with_its_place),
		cmocka_unit_test(observations_do_not_travel_in_the_clear),
		cmocka_unit_test(a_certificate_without_its_key_is_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_said),
		cmocka_unit_test(the_description_names_every_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
