/*
 * Traces many paths at once on a libuv loop, at a bounded rate, by the best sockets that
 * this process is allowed. A trace
 * ends by one call of its done function; those that still run when the tracer is closed
 * end without.
 */
#ifndef TRACE_TRACER_H
#define TRACE_TRACER_H

#include <stdint.h>

#include "astray/fault.h"
#include "astray/moment.h"
#include "path.h"
#include "trace_record.h"

struct uv_loop_s;
struct tracer;

struct tracer_limits {
	int64_t rate; /* packets a second, in all */
	/* And of them towards one destination, and to one router; 0: the same. */
	int64_t peer_rate, router_rate;
	unsigned traces; /* asked for at once */
};

struct tracer_result {
	struct trace_order order;
	struct moment at;             /* when it began */
	const struct path *path;      /* borrowed for the call */
	const struct fan *fan;        /* the same; NULL unless all paths were asked for */
	const struct mtu_search *mtu; /* the same; NULL: not asked for, or not reached */
	int rc; /* negative: sending failed, and what is known ends there */
};

typedef void (*tracer_done_fn)(void *arg, const struct tracer_result *result);

struct tracer_counts {
	uint64_t sent, received;
	uint64_t foreign;   /* packets that were no answers to ours */
	uint64_t malformed; /* and those that contradicted themselves */
	uint64_t duplicate;
	uint64_t dropped;  /* arrivals that the kernel had no room for */
	uint64_t unlisted; /* answers from more addresses than a path lists */
};

/* Opens the sockets of both families, and does with one where the machine has only that.
 */
int tracer_open(struct tracer **out, struct uv_loop_s *loop,
	const struct tracer_limits *limits, struct fault *fault);
/* `closed` is called from the loop when nothing is left of it; it may be NULL. */
void tracer_close(struct tracer *tracer, void (*closed)(void *arg), void *arg);

/* Begins a trace, or joins the one of the same flow that is under way: two would disturb
 * each other at the destination. STATUS_LIMIT when as many as allowed are asked for,
 * -ENETUNREACH and the like when there is no way to the peer. */
int tracer_start(struct tracer *tracer, const struct trace_order *order,
	tracer_done_fn done, void *arg);

/* By which kind of socket these are traced here, for people. */
const char *tracer_way(
	const struct tracer *tracer, uint8_t family, enum obs_protocol protocol);
/* 0, or what to do where neither family may be traced by this protocol. */
int tracer_allows(
	const struct tracer *tracer, enum obs_protocol protocol, struct fault *fault);
/* Raw sockets serve all protocols; without them each has its own way, or none. */
bool tracer_is_privileged(const struct tracer *tracer);

struct tracer_counts tracer_count(const struct tracer *tracer);

#endif
