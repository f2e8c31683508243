#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "assigned.h"
#include "astray/status.h"

static int make(struct assigned *out, const char *text, struct fault *fault)
{
	struct services services = {0};
	struct json_doc *doc;
	int rc;

	assert_int_equal(json_parse(&doc, text, strlen(text), 0, fault), 0);
	rc = 0;
	if (json_member(json_root(doc), "services"))
		rc = services_read(
			&services, doc, json_member(json_root(doc), "services"), fault);
	assert_int_equal(rc, 0);
	rc = assigned_make(
		out, &services, doc, json_member(json_root(doc), "assignment"), fault);
	services_free(&services);
	json_doc_free(doc);
	return rc;
}

static void each_role_has_the_services_and_its_own_sources(void **state)
{
	struct assigned assigned;

	(void)state;
	assert_int_equal(
		make(&assigned,
			"{\"services\":[{\"name\":\"exchange\",\"hosts\":[\"exchange."
			"example\"]}],\"assignment\":{\"gateway\":{\"sources\":{\"flow\":"
			"{"
			"\"interface\":\"eth0\"}}}}}",
			NULL),
		0);
	assert_non_null(
		strstr(assigned.roles[OBS_ENDPOINT].body, "\"name\":\"exchange\""));
	assert_null(strstr(assigned.roles[OBS_ENDPOINT].body, "sources"));
	assert_non_null(strstr(assigned.roles[OBS_GATEWAY].body,
		"\"sources\":{\"flow\":{\"interface\":\"eth0\"}}"));
	assert_string_not_equal(
		assigned.roles[OBS_ENDPOINT].etag, assigned.roles[OBS_GATEWAY].etag);
	assert_string_equal(
		assigned.roles[OBS_ENDPOINT].etag, assigned.roles[OBS_SENTINEL].etag);
	assert_true(assigned_etag_matches(
		&assigned.roles[OBS_GATEWAY], assigned.roles[OBS_GATEWAY].etag));
	assert_false(assigned_etag_matches(
		&assigned.roles[OBS_GATEWAY], assigned.roles[OBS_ENDPOINT].etag));
	assert_false(assigned_etag_matches(&assigned.roles[OBS_GATEWAY], NULL));
	assigned_free(&assigned);
}

static void nothing_said_is_nothing_assigned(void **state)
{
	struct assigned assigned;

	(void)state;
	assert_int_equal(make(&assigned, "{}", NULL), 0);
	for (unsigned i = 0; i < ASSIGNED_ROLES; i++)
		assert_null(assigned.roles[i].body);
	assigned_free(&assigned);
}

static void what_is_no_assignment_is_refused(void **state)
{
	struct assigned assigned;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(make(&assigned, "{\"assignment\":{\"gatway\":{}}}", &fault),
		STATUS_UNKNOWN);
	assert_non_null(strstr(fault.field, "gatway"));
	assert_int_equal(
		make(&assigned, "{\"assignment\":{\"gateway\":{\"source\":{}}}}", &fault),
		STATUS_UNKNOWN);
	assert_int_equal(
		make(&assigned, "{\"assignment\":{\"gateway\":{\"sources\":[]}}}",
			&fault),
		STATUS_SYNTAX);
	assert_true(make(&assigned, "{\"assignment\":[]}", &fault) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_has_the_services_and_its_own_sources),
		cmocka_unit_test(nothing_said_is_nothing_assigned),
		cmocka_unit_test(what_is_no_assignment_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
