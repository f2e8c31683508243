#include "live_capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/status.h"
#include "interface_watch.h"

#define TAPS 32    /* each has a ring of its own */
#define BATCH 4096 /* packets at once, so that the loop's other work has its turn */
#define ALL "any"  /* libpcap's name */

/* One interface. It lives until its handle is closed. */
struct tap {
	struct live_capture *live;
	int number; /* 0: all interfaces */
	char name[LINK_MESSAGE_NAME];
	struct capture *capture; /* NULL: it is there, but cannot be captured now */
	bool was_refused;        /* said so, and not to be said again */
	bool leaves;             /* its last packets are still to come */
	uint64_t left_ms;        /* since when, in the loop's time */
	uint64_t read;           /* packets handed over */
	uv_poll_t poll;
};

struct live_capture {
	struct live_capture_options options;
	char *filter;
	struct interface_watch *watch; /* NULL: all interfaces */
	unsigned count;
	struct tap *taps[TAPS];
	uint64_t gone_received, gone_dropped; /* on interfaces that are gone */
	uint64_t refused_interfaces;
	bool lost_one; /* perhaps after the news that it came back */
	int first_rc;  /* of the first that could not be captured, while it is opened */
	struct fault *first_fault;
	unsigned closing; /* handles whose close callback is still to come */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void free_live(struct live_capture *live)
{
	free(live->filter);
	free(live);
}

static void part_closed(void *arg)
{
	struct live_capture *live = arg;

	if (--live->closing > 0 || !live->closed)
		return;
	live->closed(live->closed_arg);
	free_live(live);
}

static void poll_closed(uv_handle_t *handle)
{
	struct tap *tap = handle->data;
	struct live_capture *live = tap->live;

	free(tap);
	part_closed(live);
}

static void stop_capture(struct tap *tap)
{
	struct live_capture *live = tap->live;
	uint64_t received, dropped;

	capture_counts(tap->capture, &received, &dropped);
	live->gone_received += received;
	live->gone_dropped += dropped;
	capture_close(tap->capture);
	tap->capture = NULL;
}

/* Its row goes to the last one. */
static void remove_tap(struct tap *tap)
{
	struct live_capture *live = tap->live;

	for (unsigned i = 0; i < live->count; i++)
		if (live->taps[i] == tap)
			live->taps[i] = live->taps[--live->count];
	if (!tap->capture) {
		free(tap);
		return;
	}
	live->closing++;
	uv_close((uv_handle_t *)&tap->poll, poll_closed);
	stop_capture(tap);
}

static struct tap *find_tap(const struct live_capture *live, int number)
{
	for (unsigned i = 0; i < live->count; i++)
		if (live->taps[i]->number == number && !live->taps[i]->leaves)
			return live->taps[i];
	return NULL;
}

static int read_capture(struct tap *tap, struct fault *fault)
{
	int count = capture_read(tap->capture, BATCH, tap->live->options.each,
		tap->live->options.arg, fault);

	tap->read += count > 0 ? (uint64_t)count : 0;
	return count;
}

/* What came last is not handed over yet; live_capture_read ends it. */
static void let_go(struct tap *tap)
{
	(void)uv_poll_stop(&tap->poll);
	tap->leaves = true;
	tap->left_ms = uv_now(tap->live->options.loop);
}

static void read_tap(struct tap *tap)
{
	struct live_capture *live = tap->live;
	struct fault fault = {0};

	if (!tap->capture || tap->leaves || read_capture(tap, &fault) >= 0)
		return;
	log_warn(live->options.log, "flow",
		"%s: %s; it is captured again once it is back", tap->name, fault.why);
	let_go(tap);
	live->lost_one = true;
}

/* True when it was the last that was to be had of an interface that is gone. */
static bool has_left(struct tap *tap)
{
	struct fault fault;

	if (!tap->leaves ||
		uv_now(tap->live->options.loop) - tap->left_ms < LIVE_CAPTURE_LAG_MS)
		return false;
	while (read_capture(tap, &fault) > 0)
		;
	remove_tap(tap);
	return true;
}

static void packets_waiting(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	read_tap(poll->data);
}

static int open_capture(struct tap *tap, struct fault *fault)
{
	struct live_capture *live = tap->live;
	struct capture_options options = {.interface = tap->name,
		.filter = live->filter,
		.buffer_bytes = live->options.buffer_bytes,
		.snaplen = live->options.snaplen};
	int rc = capture_open_live(&tap->capture, &options, fault);

	if (rc)
		return rc;
	rc = uv_poll_init(live->options.loop, &tap->poll, capture_fd(tap->capture));
	if (rc) {
		capture_close(tap->capture);
		tap->capture = NULL;
		return fault_at(fault, rc, "", "%s", status_text(rc));
	}
	tap->poll.data = tap;
	/* Does not fail once the handle is made. */
	(void)uv_poll_start(&tap->poll, UV_READABLE, packets_waiting);
	return 0;
}

static void try_capture(struct tap *tap)
{
	struct live_capture *live = tap->live;
	struct fault fault = {0};
	int rc = open_capture(tap, &fault);
	char text[1024];

	if (rc == 0) {
		log_info(
			live->options.log, "flow", "%s: captured from now on", tap->name);
		return;
	}
	if (live->first_fault && live->first_rc == 0) {
		live->first_rc = rc;
		*live->first_fault = fault;
	} else if (!live->first_fault && !tap->was_refused) {
		log_warn(live->options.log, "flow", "%s; its traffic is not measured",
			fault_text(&fault, text, sizeof(text)));
	}
	tap->was_refused = true;
}

static struct tap *add_tap(struct live_capture *live, int number, const char *name)
{
	struct tap *tap = live->count < TAPS ? calloc(1, sizeof(*tap)) : NULL;

	if (!tap) {
		live->refused_interfaces++;
		log_warn(live->options.log, "flow",
			"%s is one interface too many (%d are captured); its traffic is "
			"not measured",
			name, TAPS);
		return NULL;
	}
	tap->live = live;
	tap->number = number;
	(void)snprintf(tap->name, sizeof(tap->name), "%s", name);
	live->taps[live->count++] = tap;
	return tap;
}

static void interface_changed(void *arg, const struct link_message *message)
{
	struct live_capture *live = arg;
	bool wanted = !message->gone &&
		      link_message_is_named(live->options.interfaces, message->name);
	struct tap *tap = find_tap(live, message->number);

	if (tap && !wanted) {
		log_info(live->options.log, "flow", "%s: gone, and no longer captured",
			tap->name);
		if (tap->capture)
			let_go(tap);
		else
			remove_tap(tap);
		return;
	}
	if (!tap && wanted && message->up)
		tap = add_tap(live, message->number, message->name);
	if (!tap)
		return;
	(void)snprintf(tap->name, sizeof(tap->name), "%s", message->name);
	if (!tap->capture && message->up)
		try_capture(tap);
}

static void capture_all(struct live_capture *live)
{
	struct tap *tap = find_tap(live, 0);

	if (!tap)
		tap = add_tap(live, 0, ALL);
	if (tap && !tap->capture)
		try_capture(tap);
}

void live_capture_read(struct live_capture *live)
{
	for (unsigned i = 0; i < live->count;) {
		read_tap(live->taps[i]);
		i += !has_left(live->taps[i]);
	}
	if (!live->watch)
		capture_all(live);
	else if (live->lost_one)
		interface_watch_look(live->watch);
	live->lost_one = false;
}

static int begin(struct live_capture *live, struct fault *fault)
{
	int rc = 0;

	live->first_fault = fault;
	if (strcmp(live->options.interfaces, ALL) == 0)
		capture_all(live);
	else
		rc = interface_watch_open(
			&live->watch, live->options.loop, interface_changed, live, fault);
	live->first_fault = NULL;
	return rc;
}

static void drain(struct tap *tap)
{
	uint64_t received, dropped;
	struct fault fault;

	if (!tap->capture)
		return;
	capture_counts(tap->capture, &received, &dropped);
	while (tap->read + dropped < received && read_capture(tap, &fault) > 0)
		;
}

void live_capture_drain(struct live_capture *live)
{
	for (unsigned i = 0; i < live->count; i++)
		drain(live->taps[i]);
}

static bool captures_nothing(const struct live_capture *live)
{
	for (unsigned i = 0; i < live->count; i++)
		if (live->taps[i]->capture)
			return false;
	return true;
}

static int judge_beginning(struct live_capture *live, struct fault *fault)
{
	if (!captures_nothing(live))
		return 0;
	if (live->first_rc)
		return live->first_rc;
	if (live->options.patient) {
		log_warn(live->options.log, "flow",
			"there is no interface %s that is up; it is waited for",
			live->options.interfaces);
		return 0;
	}
	(void)snprintf(
		fault->input, sizeof(fault->input), "%s", live->options.interfaces);
	return fault_at(fault, -ENODEV, "",
		"there is no such interface that is up (ip link shows them)");
}

static void nobody_waits(void *arg)
{
	(void)arg;
}

int live_capture_open(struct live_capture **out,
	const struct live_capture_options *options, struct fault *fault)
{
	struct live_capture *live = calloc(1, sizeof(*live));
	char text[1024];
	int rc;

	*out = NULL;
	if (!live)
		return -ENOMEM;
	live->options = *options;
	live->filter = strdup(options->filter);
	rc = live->filter ? begin(live, fault) : -ENOMEM;
	if (rc == 0)
		rc = judge_beginning(live, fault);
	if (rc) {
		live_capture_close(live, nobody_waits, NULL);
		return rc;
	}
	/* Others are captured: it is said, and no failure. */
	if (live->first_rc)
		log_warn(options->log, "flow", "%s; its traffic is not measured",
			fault_text(fault, text, sizeof(text)));
	*out = live;
	return 0;
}

void live_capture_close(struct live_capture *live, void (*closed)(void *arg), void *arg)
{
	while (live->count > 0)
		remove_tap(live->taps[0]);
	live->closed = closed;
	live->closed_arg = arg;
	if (live->watch) {
		live->closing++;
		interface_watch_close(live->watch, part_closed, live);
	}
	if (live->closing == 0) {
		live->closing = 1;
		part_closed(live);
	}
}

int live_capture_set_filter(
	struct live_capture *live, const char *filter, struct fault *fault)
{
	char *copy = strdup(filter);
	int rc = copy ? 0 : -ENOMEM;

	if (rc)
		return rc;
	free(live->filter);
	live->filter = copy;
	for (unsigned i = 0; i < live->count && rc == 0; i++)
		if (live->taps[i]->capture)
			rc = capture_set_filter(live->taps[i]->capture, filter, fault);
	return rc;
}

void live_capture_count(
	const struct live_capture *live, struct live_capture_counts *counts)
{
	*counts = (struct live_capture_counts){.received = live->gone_received,
		.dropped = live->gone_dropped,
		.refused_interfaces = live->refused_interfaces};
	for (unsigned i = 0; i < live->count; i++) {
		uint64_t received, dropped;

		if (!live->taps[i]->capture)
			continue;
		counts->interfaces += !live->taps[i]->leaves;
		capture_counts(live->taps[i]->capture, &received, &dropped);
		counts->received += received;
		counts->dropped += dropped;
	}
}
