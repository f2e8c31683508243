/*
 * The running collector from within: for collector.c, which starts and ends it, and for
 * the files that hold its other thoughts. Each says what the others may ask of it.
 */
#ifndef ASTRAY_COLLECTOR_INSIDE_H
#define ASTRAY_COLLECTOR_INSIDE_H

#include <uv.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "astray/moment.h"
#include "astray/service_manager.h"
#include "collector_config.h"

#define COLLECTOR_SNAPSHOT "judgement.snapshot"

struct http_exchange;

struct collector {
	uv_loop_t loop;
	struct collector_config *config; /* in force */
	struct log *log;
	struct service_manager manager;
	int lock_fd;
	struct geo *geo;
	struct store *store;
	struct notify *notify;
	struct pipeline *pipeline;
	struct journal *journal;
	struct ingest *ingest;
	struct api *api;
	struct metrics *metrics;
	struct checkpoint *checkpoint;
	struct http_server *probes, *web;
	uv_signal_t hangup, terminate, interrupt;
	uv_timer_t second;
	struct moment passed; /* the last second that the pipeline was told of */
	struct moment fed;    /* the rx of the last batch that it has seen of */
	bool whole;           /* all of the journal has been judged */
	bool snapshot_due;
	struct tick progress_at, turned_at; /* while the journal is judged again */
	unsigned seconds;
	bool handles_open, stopping, store_failing;
	int exit_code;
};

/* collector.c: logs the fault, returns rc. */
int collector_fail(struct collector *collector, int rc, const struct fault *fault);

/* collector_way.c: how observations and time go through it. An arg is the collector. */
void collector_way_feed(
	void *arg, const struct wire_origin *origin, const struct obs *obs);
/* What the journal says again after a start. */
void collector_way_feed_again(
	void *arg, const struct wire_origin *origin, const struct obs *obs);
void collector_way_learn_role(void *arg, const char *probe, enum obs_role role);
void collector_way_pass_second(struct collector *collector);
void collector_way_flush(struct collector *collector);
void collector_way_take_snapshot(struct collector *collector);
/* A pipeline of the configuration in force, with nothing learnt. */
int collector_way_open_pipeline(struct collector *collector, struct pipeline **out);

/* collector_rooms.c: what it is built of. */
int collector_rooms_open(struct collector *collector, struct fault *fault);
void collector_rooms_free(struct collector *collector);
/* The handler of the web listener; arg is the collector. */
void collector_rooms_asked(void *arg, struct http_exchange *exchange);

/* collector_resume.c: takes up the judgement where the last run left it. */
int collector_resume(struct collector *collector, struct fault *fault);

/* collector_reload.c: another configuration for the running collector. */
void collector_reload(struct collector *collector);

#endif
