#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "measure_plan.h"

struct settings {
	int64_t interval_us;
};

static const struct conf_option options[] = {
	{"interval", CONF_SPAN, offsetof(struct settings, interval_us), 0, 1e6, 86400e6,
		"\"1 min\"", "how often"},
	{0},
};

static const struct source_kind one = {
	.name = "one", .options = options, .settings_size = sizeof(struct settings)};
static const struct source_kind two = {
	.name = "two", .options = options, .settings_size = sizeof(struct settings)};
static const struct source_kind *const kinds[] = {&one, &two, NULL};

static struct measure_plan *plan_of(const char *own, const char *assigned)
{
	struct measure_plan *plan;
	struct fault fault = {0};

	if (measure_plan_new(&plan, kinds, own, assigned, &fault))
		fail_msg("%s: %s", fault.field, fault.why);
	return plan;
}

static int64_t interval_of(const struct measure_plan *plan, unsigned at)
{
	const struct settings *settings = plan->settings[at];

	assert_non_null(settings);
	return settings->interval_us;
}

static void only_named_sources_are_wanted(void **state)
{
	struct measure_plan *plan =
		plan_of("{\"sources\":{\"two\":{},\"one\":null}}", NULL);

	(void)state;
	assert_null(plan->settings[0]);
	assert_int_equal(interval_of(plan, 1), 60000000);
	assert_false(measure_plan_is_empty(plan));
	measure_plan_free(plan);
	plan = plan_of("{}", NULL);
	assert_true(measure_plan_is_empty(plan));
	measure_plan_free(plan);
}

static void the_probes_own_sections_win(void **state)
{
	static const char own[] =
		"{\"services\":[{\"name\":\"mine\",\"hosts\":[\"a.example\"]}]}";
	static const char assigned[] =
		"{\"services\":[{\"name\":\"theirs\",\"hosts\":[\"b.example\"]}],"
		"\"sources\":{\"one\":{\"interval\":\"5 s\"}}}";
	struct measure_plan *plan = plan_of(own, assigned);

	(void)state;
	assert_int_equal(plan->services.count, 1);
	assert_string_equal(plan->services.list[0].name, "mine");
	assert_int_equal(interval_of(plan, 0), 5000000);
	measure_plan_free(plan);
	plan = plan_of("{\"sources\":{\"two\":{}}}", assigned);
	assert_string_equal(plan->services.list[0].name, "theirs");
	assert_null(plan->settings[0]);
	measure_plan_free(plan);
}

static void assert_refused(const char *own, const char *assigned, const char *input,
	unsigned line, const char *field)
{
	struct measure_plan *plan;
	struct fault fault = {0};

	assert_true(measure_plan_new(&plan, kinds, own, assigned, &fault) < 0);
	assert_null(plan);
	assert_string_equal(fault.input, input);
	assert_int_equal(fault.line, line);
	assert_string_equal(fault.field, field);
	assert_true(fault.why[0]);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
	(void)state;
	assert_refused("{\n\"sources\":{\"tow\":{}}}", NULL, "", 2, "sources");
	assert_refused("{\"sources\":{\"one\":{\n\"intervall\":1}}}", NULL, "", 2,
		"sources.one.intervall");
	assert_refused("{}", "{\"sources\":{\"one\":{\"interval\":\"0 s\"}}}",
		"assignment", 1, "sources.one.interval");
	assert_refused("{}", "[]", "assignment", 0, "");
	assert_refused("{}", "{\"sources\":[]}", "assignment", 0, "sources");
}

static void every_short_prefix_of_an_assignment_is_refused(void **state)
{
	static const char whole[] =
		"{\"services\":[{\"name\":\"x\",\"hosts\":[\"x.example\"]}],"
		"\"sources\":{\"one\":{\"interval\":\"5 s\"}}}";
	char text[sizeof(whole)];

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		struct measure_plan *plan;

		memcpy(text, whole, len);
		text[len] = '\0';
		assert_true(measure_plan_new(&plan, kinds, "{}", text, NULL) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_named_sources_are_wanted),
		cmocka_unit_test(the_probes_own_sections_win),
		cmocka_unit_test(what_is_wrong_is_named_with_its_place),
		cmocka_unit_test(every_short_prefix_of_an_assignment_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
