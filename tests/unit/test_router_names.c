#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "astray/status.h"
#include "geo_tables.h"
#include "router_names.h"

static struct router_names *open_tables(void)
{
	struct router_names *names;
	struct fault fault = {0};

	assert_int_equal(
		router_names_new(&names, geo_tables_places, geo_tables_rules, &fault), 0);
	return names;
}

static void the_carriers_names_say_where_their_routers_stand(void **state)
{
	static const struct {
		const char *name, *country, *city;
		uint32_t asn;
	} cases[] = {
		{"ae-2.r24.tokyjp05.jp.bb.gin.ntt.net", "JP", "Tokyo", 2914},
		{"ae-7.r21.amstnl07.nl.bb.gin.ntt.net", "NL", "Amsterdam", 2914},
		{"be2345.ccr41.ams03.atlas.cogentco.com", "NL", "Amsterdam", 174},
		{"be3084.ccr42.jfk02.atlas.cogentco.com", "US", "New York", 174},
		{"ldn-bb1-link.ip.twelve99.net", "GB", "London", 1299},
		{"100ge14-2.core1.hkg1.he.net", "HK", "Hong Kong", 6939},
		{"ae1.3.edge2.Amsterdam1.Level3.net", "NL", "Amsterdam", 3356},
		{"if-ae-2-2.tcore1.av2-amsterdam.as6453.net", "NL", "Amsterdam", 6453},
		{"osk004bb01.iij.net", "JP", "Osaka", 2497},
	};
	struct router_names *names = open_tables();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct place place = {.asn = cases[i].asn};

		assert_true(
			router_names_place(names, cases[i].name, cases[i].asn, &place));
		assert_string_equal(place.country, cases[i].country);
		assert_string_equal(place.city, cases[i].city);
		assert_int_equal(place.source, PLACE_SOURCE_RDNS);
		assert_true(place.located);
	}
	router_names_free(names);
}

static void a_name_counts_only_in_its_carriers_network(void **state)
{
	struct router_names *names = open_tables();
	struct place place = {0};

	(void)state;
	assert_false(router_names_place(
		names, "be2345.ccr41.ams03.atlas.cogentco.com", 64496, &place));
	assert_string_equal(place.country, "");
	assert_true(router_names_place(
		names, "be2345.ccr41.ams03.atlas.cogentco.com", 0, &place));
	router_names_free(names);
}

static void what_no_rule_knows_says_nothing(void **state)
{
	static const char *const names_without[] = {"", "he.net", ".he.net", "xhe.net",
		"a.he.net", "core1.zzz9.he.net", "evilatlas.cogentco.com",
		"1234.atlas.cogentco.com", "x.ip4.gtt.net", "-.-.-.ip4.gtt.net",
		"bb.gin.ntt.net", "jp.bb.gin.ntt.net"};
	struct router_names *names = open_tables();

	(void)state;
	for (size_t i = 0; i < sizeof(names_without) / sizeof(names_without[0]); i++) {
		struct place place = {0};

		assert_false(router_names_place(names, names_without[i], 0, &place));
	}
	router_names_free(names);
}

static void a_bad_table_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *places, *rules;
		unsigned line;
		int rc;
	} cases[] = {
		{"place AMS NL 52 4 Amsterdam\nplace X\n", "", 2, STATUS_SYNTAX},
		{"place AMS NL 95 4 Amsterdam\n", "", 1, STATUS_RANGE},
		{"town AMS\n", "", 1, STATUS_UNKNOWN},
		{"token iata AMS AMS\n", "", 1, STATUS_UNKNOWN},
		{"place AMS NL 52 4 Amsterdam\n",
			"rule he.net 1 1 iata core1.fra1.he.net AMS 6939\n", 1,
			STATUS_CORRUPT},
		{"place AMS NL 52 4 Amsterdam\n",
			"rule he.net 1 1 iata core1.ams1.he.net AMS\n", 1,
			STATUS_MISSING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct router_names *names;
		struct fault fault = {0};

		assert_int_equal(
			router_names_new(&names, cases[i].places, cases[i].rules, &fault),
			cases[i].rc);
		assert_int_equal(fault.line, cases[i].line);
		assert_null(names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_carriers_names_say_where_their_routers_stand),
		cmocka_unit_test(a_name_counts_only_in_its_carriers_network),
		cmocka_unit_test(what_no_rule_knows_says_nothing),
		cmocka_unit_test(a_bad_table_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
