/*
 * Traffic of the services without capturing: the kernel is asked for its TCP sockets once
 * a second, tells by itself of those that it destroys, and a socket_meter counts. Needs
 * no privilege. Addresses of the services are those that are configured and those that
 * the system's resolver gives for their hosts, asked again each minute; hosts by suffix
 * cannot be resolved, and have no others.
 */
#ifndef FLOW_SOCKET_WATCH_H
#define FLOW_SOCKET_WATCH_H

#include "astray/log.h"
#include "socket_meter.h"

struct uv_loop_s;
struct socket_watch;

struct socket_watch_options {
	struct uv_loop_s *loop;
	const struct log *log;
	const struct services *services; /* borrowed for its life */
	int64_t window_us;
	unsigned sockets; /* followed at once */
	unsigned service_limit;
	obs_emit_fn emit;
	void *emit_arg;
};

/* STATUS_UNSUPPORTED where the kernel tells nothing of its sockets. */
int socket_watch_open(struct socket_watch **out,
	const struct socket_watch_options *options, struct fault *fault);
/* Emits the present window. `closed` is called from the loop once nothing is left. */
void socket_watch_close(struct socket_watch *watch, void (*closed)(void *arg), void *arg);

struct socket_watch_counts {
	struct socket_meter_counts meter;
	uint64_t lost; /* times that the kernel found no room for its news */
};

void socket_watch_count(
	const struct socket_watch *watch, struct socket_watch_counts *counts);

#endif
