/*
 * Tells people of incidents, at least once: every change that is said to the outside is
 * on disk before notify_change returns, and is sent to each target that wants it until it
 * was taken, with the same id each time. A target that fails is tried again with growing
 * pauses; it holds up no other. Of each target at most NOTIFY_WAITING_MAX messages wait;
 * beyond that the oldest is dropped and counted. Everything happens on one loop's thread;
 * notify_change blocks for the disk.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include <stdint.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "incident.h"
#include "notify_config.h"

struct uv_loop_s;
struct notify;

#define NOTIFY_WAITING_MAX 1000
#define NOTIFY_WAITING_BYTES ((size_t)16 * 1024 * 1024)

struct notify_settings {
	const char *file;      /* of the queue */
	const char *dashboard; /* the URL under which people see incidents, or "" */
	const struct notify_config *config; /* copied */
	const struct log *log;
};

struct notify_counters {
	uint64_t told, failed_attempts;
	uint64_t refused; /* by the other side, for good */
	uint64_t dropped; /* for want of room */
	uint64_t unsaved; /* could not be written to disk; sent from memory */
	uint64_t waiting; /* now */
};

int notify_open(struct notify **out, struct uv_loop_s *loop,
	const struct notify_settings *settings, struct fault *fault);
/* Stops at once and frees in the loop's next turns; what waits is on disk. NULL is fine.
 */
void notify_close(struct notify *notify);

/* The pipeline's hook. After a restart it is called for all of history again: what was
 * heard before is known and told nobody. Negative: it is not on disk, but is being sent.
 */
int notify_change(struct notify *notify, enum incident_change change,
	const struct incident *incident);
/* History has been fed: an open incident that was not heard of again is not open any
 * more. */
void notify_caught_up(struct notify *notify);

void notify_read_counters(const struct notify *notify, struct notify_counters *out);

#endif
