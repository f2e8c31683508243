#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fan_play.h"
#include "fan_view.h"

static char *draw_new(const struct diamond *diamond)
{
	struct trace_order order = {
		.peer = {.family = 4, .bytes = {203, 0, 113, 9}}, .protocol = OBS_ICMP};
	struct fan *fan;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	(void)play(&fan, diamond, 7);
	fan_view_print(out, "shop.example", &order, fan);
	assert_int_equal(fclose(out), 0);
	fan_free(fan);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned times = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		times++;
	return times;
}

static void a_bracket_holds_the_routers_of_one_hop(void **state)
{
	char *text = draw_new(&(struct diamond){.width = 4});

	(void)state;
	assert_non_null(strstr(text, "shop.example (203.0.113.9), icmp, all paths by"));
	assert_int_equal(count(text, "┬"), 1);
	assert_int_equal(count(text, "├"), 2);
	assert_int_equal(count(text, "└"), 1);
	/* Where it branches the reader is told where to. */
	assert_int_equal(count(text, "→"), 1);
	assert_non_null(strstr(text, "reached at hop 6"));
	free(text);
}

static void silence_and_balancing_by_packet_are_said(void **state)
{
	char *text = draw_new(&(struct diamond){.width = 1, .silent_hop = true});

	(void)state;
	assert_non_null(strstr(text, "  4 ─ *"));
	free(text);
	text = draw_new(&(struct diamond){.width = 4, .by_packet = true});
	assert_non_null(strstr(text, "balanced packet by packet"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bracket_holds_the_routers_of_one_hop),
		cmocka_unit_test(silence_and_balancing_by_packet_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
