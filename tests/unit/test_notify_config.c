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
#include "notify_config.h"

static struct notify_config config; /* large */

static int read_text(const char *text, struct fault *fault)
{
	struct json_doc *doc;
	int rc;

	memset(fault, 0, sizeof(*fault));
	assert_int_equal(json_parse(&doc, text, strlen(text), JSON_COMMENTS, fault), 0);
	rc = notify_config_read(&config, doc, json_root(doc), fault);
	json_doc_free(doc);
	return rc;
}

static void check_fault(const char *text, int rc, const char *field, unsigned line)
{
	struct fault fault;

	assert_int_equal(read_text(text, &fault), rc);
	assert_string_equal(fault.field, field);
	assert_int_equal(fault.line, line);
	assert_true(*fault.why);
}

static void write_file(const char *file, const char *text)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void targets_are_read_with_their_defaults(void **state)
{
	struct fault fault;

	(void)state;
	assert_int_equal(read_text("[{\"name\":\"oncall\",\"kind\":\"webhook\","
				   "\"url\":\"https://hook.example/x\"},\n"
				   "{\"name\":\"am\",\"kind\":\"alertmanager\","
				   "\"severity\":\"page\","
				   "\"url\":\"http://127.0.0.1:9093/\"}]",
				 &fault),
		0);
	assert_int_equal(config.count, 2);
	assert_string_equal(config.targets[0].kind->name, "webhook");
	assert_string_equal(config.targets[0].url, "https://hook.example/x");
	assert_int_equal(config.targets[0].least, SEVERITY_WARN);
	assert_string_equal(config.targets[1].url, "http://127.0.0.1:9093/api/v2/alerts");
	assert_int_equal(config.targets[1].least, SEVERITY_PAGE);
	assert_ptr_equal(notify_config_find(&config, "am"), &config.targets[1]);
	assert_null(notify_config_find(&config, "nobody"));
	assert_int_equal(notify_config_read(&config, NULL, NULL, &fault), 0);
	assert_int_equal(config.count, 0);
}

static void a_whole_alertmanager_address_stays(void **state)
{
	struct fault fault;

	(void)state;
	assert_int_equal(
		read_text("[{\"name\":\"am\",\"kind\":\"alertmanager\","
			  "\"url\":\"https://am.example/prefix/api/v2/alerts\"}]",
			&fault),
		0);
	assert_string_equal(
		config.targets[0].url, "https://am.example/prefix/api/v2/alerts");
}

static void mistakes_are_named_by_line_and_key(void **state)
{
	(void)state;
	check_fault("{}", STATUS_SYNTAX, "notify", 1);
	check_fault("[\n{\"kind\":\"webhook\"}]", STATUS_SYNTAX, "notify[0].name", 2);
	check_fault("[{\"name\":\"a\"}]", STATUS_MISSING, "notify[0].kind", 1);
	check_fault("[{\"name\":\"a\",\n\"kind\":\"webhok\"}]", STATUS_UNKNOWN,
		"notify[0].kind", 2);
	check_fault("[{\"name\":\"a\",\"kind\":\"webhook\"}]", STATUS_MISSING,
		"notify[0].url", 1);
	check_fault("[{\"name\":\"a\",\"kind\":\"webhook\",\n\"url\":\"hook.example\"}]",
		STATUS_SYNTAX, "notify[0].url", 2);
	check_fault("[{\"name\":\"a\",\"kind\":\"webhook\",\"url\":\"https://x\",\n\n"
		    "\"severity\":\"loud\"}]",
		STATUS_UNKNOWN, "notify[0].severity", 3);
	check_fault("[{\"name\":\"a\",\"kind\":\"webhook\",\"url\":\"https://x\"},\n"
		    "{\"name\":\"a\",\"kind\":\"webhook\",\"url\":\"https://x\"}]",
		STATUS_DUPLICATE, "notify[1].name", 2);
	check_fault("[{\"name\":\"a\",\"kind\":\"webhook\",\"url\":\"https://x\","
		    "\"retries\":3}]",
		STATUS_UNKNOWN, "notify[0].retries", 1);
	check_fault("[{\"name\":\"a\",\"kind\":\"pagerduty\"}]", STATUS_MISSING,
		"notify[0].secret_file", 1);
	check_fault("[{\"name\":\"a\",\"kind\":\"slack\",\"url\":\"https://x\","
		    "\"secret_file\":\"/x\"}]",
		STATUS_UNSUPPORTED, "notify[0].secret_file", 1);
}

static void secrets_are_read_from_their_files(void **state)
{
	char file[] = "/tmp/test_secret.XXXXXX", text[512];
	struct fault fault;

	(void)state;
	assert_int_equal(close(mkstemp(file)), 0);
	write_file(file, "  whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw \nanother line\n");
	(void)snprintf(text, sizeof(text),
		"[{\"name\":\"a\",\"kind\":\"webhook\",\"url\":\"https://x\","
		"\"secret_file\":\"%s\",\"token_file\":\"%s\"}]",
		file, file);
	assert_int_equal(read_text(text, &fault), 0);
	assert_string_equal(
		config.targets[0].secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	assert_string_equal(
		config.targets[0].token, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	write_file(file, "no secret of this kind\n");
	check_fault(text, STATUS_SYNTAX, "notify[0].token_file", 1);
	write_file(file, "nosecret\n");
	check_fault(text, STATUS_SYNTAX, "notify[0].secret_file", 1);
	write_file(file, "\n");
	check_fault(text, STATUS_MISSING, "notify[0].token_file", 1);
	assert_int_equal(unlink(file), 0);
	assert_true(read_text(text, &fault) < 0);
	assert_non_null(strstr(fault.why, file));
	memset(&config, 0, sizeof(config));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_read_with_their_defaults),
		cmocka_unit_test(a_whole_alertmanager_address_stays),
		cmocka_unit_test(mistakes_are_named_by_line_and_key),
		cmocka_unit_test(secrets_are_read_from_their_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
