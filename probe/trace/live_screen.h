/*
 * What a terminal shows while traces are repeated: every host with all its hops where
 * there is room, otherwise one of them and a line for each other. Pure: text out, fitted
 * to a width and a height.
 */
#ifndef TRACE_LIVE_SCREEN_H
#define TRACE_LIVE_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "round_table.h"

enum live_screen_mode {
	LIVE_SCREEN_TIMES,   /* last, least, mean, most, spread */
	LIVE_SCREEN_HISTORY, /* the last rounds as bars */
	LIVE_SCREEN_PLACES,  /* networks, places, and how these are known */
	LIVE_SCREEN_MODES,
};

struct live_screen_host {
	const char *host;
	const char *state; /* "" or why there is nothing to see */
	const struct round_table *table;
};

struct live_screen {
	const struct live_screen_host *hosts;
	unsigned host_count, selected;
	unsigned rows, columns; /* of the terminal */
	enum live_screen_mode mode;
	bool paused, help;
	bool numeric; /* addresses, also where names are known */
	bool colours;
};

/* No more lines than it has rows, each ended. */
void live_screen_print(FILE *out, const struct live_screen *screen);

#endif
