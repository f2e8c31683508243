#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "root_hints.h"

static void there_are_thirteen_servers_of_both_families(void **state)
{
	struct zone_cut root;
	unsigned families[7] = {0};

	(void)state;
	root_hints_fill(&root);
	assert_string_equal(root.zone, "");
	for (unsigned i = 0; i < root.address_count; i++) {
		families[root.addresses[i].address.family]++;
		assert_false(address_is_private(&root.addresses[i].address));
		assert_non_null(
			strstr(root.hosts[root.addresses[i].host], ".root-servers.net"));
	}
	assert_int_equal(families[4], 13);
	assert_int_equal(families[6], 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_thirteen_servers_of_both_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
