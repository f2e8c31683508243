#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "testimony.h"

static const struct testimony_source alone = {
	.vantage = 1, .site = 2, .weighty = true, .server = 10, .question = 20};

static struct testimony_source other(uint32_t vantage, uint64_t server)
{
	struct testimony_source source = alone;

	source.vantage = vantage;
	source.server = server;
	return source;
}

static void what_is_told_in_one_answer_is_told_once(void **state)
{
	struct testimony testimony = {0};
	struct testimony_weight weight;

	(void)state;
	(void)testimony_give(&testimony, 7, &alone, (struct moment){100});
	(void)testimony_give(&testimony, 7, &alone, (struct moment){100});
	weight = testimony_weigh(&testimony, 7);
	assert_int_equal(weight.items, 1);
	assert_int_equal(weight.rounds, 1);
	(void)testimony_give(&testimony, 7, &alone, (struct moment){200});
	weight = testimony_weigh(&testimony, 7);
	assert_int_equal(weight.rounds, 2);
	assert_int_equal(weight.since.us, 100);
}

static void vantages_and_servers_are_counted_once_each(void **state)
{
	struct testimony testimony = {0};
	struct testimony_source second = other(1, 11), third = other(2, 10);
	struct testimony_weight weight;

	(void)state;
	(void)testimony_give(&testimony, 7, &alone, (struct moment){1});
	(void)testimony_give(&testimony, 7, &second, (struct moment){2});
	(void)testimony_give(&testimony, 7, &third, (struct moment){3});
	(void)testimony_give(&testimony, 8, &third, (struct moment){3});
	weight = testimony_weigh(&testimony, 7);
	assert_int_equal(weight.items, 3);
	assert_int_equal(weight.vantages, 2);
	assert_int_equal(weight.servers, 2);
	assert_true(testimony_is_at(&testimony, 7, 2));
	assert_false(testimony_is_at(&testimony, 7, 3));
}

static void an_employees_machine_has_no_weight_alone(void **state)
{
	struct testimony testimony = {0};
	struct testimony_source light = alone;
	struct testimony_weight weight;

	(void)state;
	light.weighty = false;
	(void)testimony_give(&testimony, 7, &light, (struct moment){1});
	(void)testimony_give(&testimony, 7, &light, (struct moment){2});
	weight = testimony_weigh(&testimony, 7);
	assert_int_equal(weight.rounds, 0);
	assert_int_equal(weight.servers, 0);
	assert_int_equal(weight.most, 2);
}

static void the_server_itself_refutes_at_once_another_only_when_it_stays_silent(
	void **state)
{
	struct testimony testimony = {0};
	struct testimony_source second = other(1, 11), elsewhere = other(5, 10);
	struct testimony_item *item;

	(void)state;
	item = testimony_give(&testimony, 7, &alone, (struct moment){1});
	assert_false(testimony_is_refuted(item, &elsewhere));
	assert_false(testimony_is_refuted(item, &second));
	assert_false(testimony_is_refuted(item, &second));
	/* It was renewed: both are asked in each round, and each says its own. */
	item = testimony_give(&testimony, 7, &alone, (struct moment){2});
	assert_false(testimony_is_refuted(item, &second));
	assert_false(testimony_is_refuted(item, &second));
	assert_true(testimony_is_refuted(item, &second));
	assert_true(testimony_is_refuted(item, &alone));
	testimony_remove(&testimony, 0);
	assert_int_equal(testimony_weigh(&testimony, 7).items, 0);
}

static void when_it_is_full_the_longest_unsaid_gives_way(void **state)
{
	struct testimony testimony = {0};

	(void)state;
	for (unsigned i = 0; i <= TESTIMONY_ITEMS; i++)
		(void)testimony_give(
			&testimony, i + 1, &alone, (struct moment){1 + (int64_t)i});
	assert_int_equal(testimony.count, TESTIMONY_ITEMS);
	assert_int_equal(testimony.forgotten, 1);
	assert_int_equal(testimony_weigh(&testimony, 1).items, 0);
	assert_int_equal(testimony_weigh(&testimony, 2).items, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_in_one_answer_is_told_once),
		cmocka_unit_test(vantages_and_servers_are_counted_once_each),
		cmocka_unit_test(an_employees_machine_has_no_weight_alone),
		cmocka_unit_test(
			the_server_itself_refutes_at_once_another_only_when_it_stays_silent),
		cmocka_unit_test(when_it_is_full_the_longest_unsaid_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
