/*
 * Watches one zone's delegation at its parent's own servers: one question a round, to one
 * server after the other; a change is asked for again before it is believed (belief.h).
 * When nobody answers, rounds become rarer, up to one in five minutes, and that is said.
 */
#ifndef NAMES_PARENT_WATCH_H
#define NAMES_PARENT_WATCH_H

#include "astray/log.h"
#include "belief.h"
#include "finder.h"

struct uv_loop_s;
struct parent_watch;

struct parent_watch_order {
	struct uv_loop_s *loop;
	const struct log *log;
	struct dns_client *client;
	struct finder *finder;
	const char *zone; /* outlives the watch */
	int64_t interval_us;
	/* Each word, once it is clear that no forger and no slip spoke. */
	void (*heard)(void *arg, const struct delegation_word *word);
	/* The delegation that is believed from now on. */
	void (*believed)(void *arg, const struct delegation *delegation, bool changed);
	void *arg;
};

int parent_watch_open(struct parent_watch **out, const struct parent_watch_order *order);
/* Close the client first. `closed` is called from the loop. NULL is fine, not called
 * back. */
void parent_watch_close(struct parent_watch *watch, void (*closed)(void *arg), void *arg);

#endif
