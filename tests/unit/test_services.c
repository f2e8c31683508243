#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/services.h"
#include "astray/status.h"

static const char file[] =
	"[{\"name\":\"exchange\",\"hosts\":[\"Exchange.Example.\",\"*.exchange.example\"]"
	",\n"
	"\"ports\":[443,8443],\"url\":\"https://exchange.example/health\",\n"
	"\"zone\":\"exchange.example\",\"addresses\":[\"203.0.113.10\",\"2001:db8::10\"],"
	"\n"
	"\"expect\":{\"countries\":[\"JP\"],\"asns\":[64496],\"name_servers\":[\"NS-1515."
	"dns-61.example\"],\n"
	"\"mail\":[],\"issuers\":[\"Example CA\"]}},\n"
	"{\"name\":\"wiki\",\"hosts\":[\"*.example\",\"*.inner.exchange.example\"]}]";

static int read_text(struct services *services, const char *text, struct fault *fault)
{
	struct json_doc *doc;
	int rc;

	*fault = (struct fault){0};
	rc = json_parse(&doc, text, strlen(text), JSON_COMMENTS, fault);
	assert_int_equal(rc, 0);
	rc = services_read(services, doc, json_root(doc), fault);
	json_doc_free(doc);
	return rc;
}

static void a_file_is_read_as_written(void **state)
{
	struct services services;
	struct fault fault;
	const struct service *service;

	(void)state;
	assert_int_equal(read_text(&services, file, &fault), 0);
	assert_int_equal(services.count, 2);
	service = services_find(&services, "exchange");
	assert_non_null(service);
	assert_string_equal(service->hosts[0], "exchange.example");
	assert_int_equal(service->port_count, 2);
	assert_int_equal(service->expect.asns[0], 64496);
	assert_string_equal(service->expect.name_servers[0], "ns-1515.dns-61.example");
	assert_true(service->expect.mail_given);
	assert_int_equal(service->expect.mail_count, 0);
	service = services_find(&services, "wiki");
	assert_int_equal(service->ports[0], 443);
	assert_false(service->expect.countries_given);
	services_free(&services);
}

static void what_is_written_reads_back_the_same(void **state)
{
	struct services services, again;
	struct fault fault = {0};
	struct json *root = json_new_object();
	struct json_doc *doc;
	char *text;

	(void)state;
	assert_int_equal(read_text(&services, file, &fault), 0);
	services_write(&services, root);
	text = json_print_new(root);
	json_free(root);
	assert_int_equal(json_parse(&doc, text, strlen(text), 0, &fault), 0);
	assert_int_equal(services_read(&again, doc,
				 json_member(json_root(doc), "services"), &fault),
		0);
	assert_int_equal(again.count, services.count);
	for (size_t i = 0; i < again.count; i++)
		assert_memory_equal(
			&again.list[i], &services.list[i], sizeof(again.list[i]));
	json_doc_free(doc);
	free(text);
	services_free(&again);
	services_free(&services);
}

static void hosts_match_exactly_or_by_the_longest_suffix(void **state)
{
	struct services services;
	struct fault fault;

	(void)state;
	assert_int_equal(read_text(&services, file, &fault), 0);
	assert_string_equal(
		services_by_host(&services, "EXCHANGE.example")->name, "exchange");
	assert_string_equal(
		services_by_host(&services, "api.exchange.example")->name, "exchange");
	assert_string_equal(
		services_by_host(&services, "a.inner.exchange.example")->name, "wiki");
	assert_string_equal(services_by_host(&services, "other.example")->name, "wiki");
	assert_null(services_by_host(&services, "example"));
	assert_null(services_by_host(&services, "exchange.example.org"));
	assert_null(services_by_host(&services, ""));
	services_free(&services);
}

static void addresses_match_with_their_port_only(void **state)
{
	struct services services;
	struct fault fault;
	struct address address;

	(void)state;
	assert_int_equal(read_text(&services, file, &fault), 0);
	assert_int_equal(address_parse(&address, "2001:db8::10"), 0);
	assert_string_equal(
		services_by_address(&services, &address, 8443)->name, "exchange");
	assert_null(services_by_address(&services, &address, 80));
	services_free(&services);
}

static void refuses(const char *text, int rc, unsigned line, const char *field)
{
	struct services services;
	struct fault fault;

	assert_int_equal(read_text(&services, text, &fault), rc);
	assert_string_equal(fault.field, field);
	assert_int_equal(fault.line, line);
	assert_null(services.list);
}

static void every_bad_value_is_refused_with_line_and_field(void **state)
{
	(void)state;
	refuses("[{}]", STATUS_RANGE, 1, "services[0].name");
	refuses("[{\"name\":\"a b\"}]", STATUS_RANGE, 1, "services[0].name");
	refuses("[{\"name\":\"a\"},\n{\"name\":\"a\"}]", STATUS_DUPLICATE, 2,
		"services[1].name");
	refuses("[{\"name\":\"a\",\n\"host\":[]}]", STATUS_UNKNOWN, 2,
		"services[0].host");
	refuses("[{\"name\":\"a\",\"hosts\":[\"a..b\"]}]", STATUS_RANGE, 1,
		"services[0].hosts");
	refuses("[{\"name\":\"a\",\"hosts\":[\"*.\"]}]", STATUS_RANGE, 1,
		"services[0].hosts");
	refuses("[{\"name\":\"a\",\"hosts\":[\"a.*.b\"]}]", STATUS_RANGE, 1,
		"services[0].hosts");
	refuses("[{\"name\":\"a\",\"ports\":[0]}]", STATUS_RANGE, 1, "services[0].ports");
	refuses("[{\"name\":\"a\",\"ports\":[65536]}]", STATUS_RANGE, 1,
		"services[0].ports");
	refuses("[{\"name\":\"a\",\"ports\":443}]", STATUS_SYNTAX, 1,
		"services[0].ports");
	refuses("[{\"name\":\"a\",\"addresses\":[\"1.2.3\"]}]", STATUS_RANGE, 1,
		"services[0].addresses");
	refuses("[{\"name\":\"a\",\n\"expect\":{\"countries\":[\"jp\"]}}]", STATUS_RANGE,
		2, "services[0].expect.countries");
	refuses("[{\"name\":\"a\",\"expect\":{\"asns\":[-1]}}]", STATUS_RANGE, 1,
		"services[0].expect.asns");
	refuses("[{\"name\":\"a\",\"expect\":{\"country\":[]}}]", STATUS_UNKNOWN, 1,
		"services[0].expect.country");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_as_written),
		cmocka_unit_test(what_is_written_reads_back_the_same),
		cmocka_unit_test(hosts_match_exactly_or_by_the_longest_suffix),
		cmocka_unit_test(addresses_match_with_their_port_only),
		cmocka_unit_test(every_bad_value_is_refused_with_line_and_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
