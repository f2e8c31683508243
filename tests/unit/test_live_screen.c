#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "live_screen.h"

#define HOPS 6

/* Hops of 1, 2, … ms, the third of them silent; the destination misses what it is told
 * to. */
static void add_round(struct round_table *table, int64_t answered_by_last)
{
	struct obs_trace *trace = calloc(1, sizeof(*trace));

	assert_non_null(trace);
	trace->reached = true;
	trace->hop_count = HOPS;
	for (unsigned i = 0; i < HOPS; i++) {
		struct obs_hop *hop = &trace->hops[i];

		*hop = (struct obs_hop){.ttl = i + 1,
			.sent = 2,
			.answered = i == 2         ? 0
				    : i + 1 < HOPS ? 2
						   : answered_by_last,
			.rtt_us = (i + 1) * 1000 + 10 * table->rounds};
		if (hop->answered)
			hop->address = (struct address){
				.family = 4, .bytes = {192, 0, 2, (uint8_t)(i + 1)}};
		(void)snprintf(hop->name, sizeof(hop->name), "r%u.example.net", i + 1);
	}
	round_table_add(table, trace);
	free(trace);
}

static char *print_new(const struct live_screen *screen)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	live_screen_print(out, screen);
	assert_int_equal(fclose(out), 0);
	return text;
}

static unsigned count_lines(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* The most characters of a line, escape sequences and UTF-8's further bytes left out. */
static unsigned widest(const char *text)
{
	unsigned width = 0, most = 0;

	for (; *text; text++) {
		if (*text == '\033') {
			text += strcspn(text, "mKJ");
			continue;
		}
		width = *text == '\n' ? 0
				      : width + (((unsigned char)*text & 0xc0) != 0x80);
		if (width > most)
			most = width;
	}
	return most;
}

static void it_never_leaves_the_terminal(void **state)
{
	struct round_table table = {0};
	struct live_screen_host hosts[] = {
		{"one.example", "", &table}, {"two.example", "", &table}};
	struct live_screen screen = {.hosts = hosts, .host_count = 2, .colours = true};

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		add_round(&table, 1);
	for (screen.rows = 1; screen.rows < 30; screen.rows++)
		for (screen.columns = 1; screen.columns < 200; screen.columns += 7) {
			char *text;

			screen.mode = screen.columns % LIVE_SCREEN_MODES;
			screen.help = screen.rows & 1;
			text = print_new(&screen);
			assert_in_range(count_lines(text), 1, screen.rows);
			assert_in_range(widest(text), 0, screen.columns);
			free(text);
		}
}

static void assert_shows(const struct live_screen *screen, const char *what, bool shown)
{
	char *text = print_new(screen);

	if ((strstr(text, what) != NULL) != shown)
		fail_msg("\"%s\" is %sin: %s", what, shown ? "not " : "", text);
	free(text);
}

static void all_hosts_are_whole_where_there_is_room(void **state)
{
	struct round_table tables[2] = {0};
	struct live_screen_host hosts[] = {{"one.example", "", &tables[0]},
		{"two.example", "", &tables[1]}, {"three.example", "no such host", NULL}};
	struct live_screen screen = {
		.hosts = hosts, .host_count = 3, .rows = 40, .columns = 120};

	(void)state;
	add_round(&tables[0], 2);
	add_round(&tables[1], 2);
	assert_shows(&screen, "r1.example.net", true);
	assert_shows(&screen, "three.example  no such host", true);
	/* Else only one of them, with its destination. */
	screen.rows = 12;
	screen.selected = 1;
	assert_shows(&screen, "> two.example", true);
	assert_shows(&screen, "one.example  1 rounds, 6 hops, 6.000 ms", true);
	assert_shows(&screen, "r6.example.net", true);
	screen.rows = 9;
	assert_shows(&screen, "r5.example.net", false);
	assert_shows(&screen, "r6.example.net", true);
}

static void loss_is_red_and_only_with_colours(void **state)
{
	struct round_table table = {0};
	struct live_screen_host host = {"one.example", "", &table};
	struct live_screen screen = {
		.hosts = &host, .host_count = 1, .rows = 40, .columns = 120};

	(void)state;
	add_round(&table, 1);
	assert_shows(&screen, "loss 50.0%", true);
	assert_shows(&screen, "\033[31m", false);
	screen.colours = true;
	assert_shows(&screen, "\033[31m", true);
}

static void each_display_shows_its_own(void **state)
{
	struct round_table table = {0};
	struct live_screen_host host = {"one.example", "", &table};
	struct live_screen screen = {
		.hosts = &host, .host_count = 1, .rows = 40, .columns = 160};

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		add_round(&table, i == 2 ? 0 : 2);
	assert_shows(&screen, "SPREAD", true);
	screen.mode = LIVE_SCREEN_HISTORY;
	assert_shows(&screen, "▁▃·█", true);
	screen.mode = LIVE_SCREEN_PLACES;
	table.rows[0].place = (struct place){.asn = 64500,
		.country = "NL",
		.city = "Amsterdam",
		.source = PLACE_SOURCE_MMDB,
		.verdict = PLACE_IMPOSSIBLE};
	assert_shows(&screen, "AS64500", true);
	assert_shows(&screen, "NL Amsterdam (by a database): too soon for there", true);
	screen.numeric = true;
	assert_shows(&screen, "192.0.2.1", true);
	assert_shows(&screen, "r1.example.net", false);
	screen.paused = screen.help = true;
	assert_shows(&screen, "PAUSED", true);
	assert_shows(&screen, "begin anew", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_never_leaves_the_terminal),
		cmocka_unit_test(all_hosts_are_whole_where_there_is_room),
		cmocka_unit_test(loss_is_red_and_only_with_colours),
		cmocka_unit_test(each_display_shows_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
