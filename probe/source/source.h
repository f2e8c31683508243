/*
 * A source is one way of measuring. It is one row in the agent's table: a name, its
 * options, and how to start and stop it. It knows its environment and emit(); nothing
 * about spools, uplinks or other sources. To add one: a folder, a row, a test.
 */
#ifndef ASTRAY_SOURCE_H
#define ASTRAY_SOURCE_H

#include <stddef.h>

#include "astray/conf.h"
#include "astray/log.h"
#include "astray/obs.h"
#include "astray/services.h"

struct uv_loop_s;
struct geo;

struct source_env {
	struct uv_loop_s *loop;
	const struct log *log;
	const struct geo *geo;           /* NULL: no tags */
	const struct services *services; /* outlives the source */
	const struct place
		*here; /* where this probe stands; unlocated when nobody said */
	obs_emit_fn emit;
	void *emit_arg;
};

struct source_kind {
	const char *name; /* its section in the configuration */
	const char *help;
	const struct conf_option *options;
	size_t settings_size;
	/* Sets *out and returns 0, or fails with the fault saying what to do (no
	 * capability, no such interface, …); the agent goes on without this source and
	 * says so. */
	int (*start)(void **out, const struct source_env *env, const void *settings,
		struct fault *fault);
	/* Adds the source's counters to a health observation; may be NULL. */
	void (*report)(void *source, struct obs_health *health);
	/* Ends it; `stopped` is called from the loop once nothing of it is left. */
	void (*stop)(void *source, void (*stopped)(void *arg), void *arg);
};

#endif
