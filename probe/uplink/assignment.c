#include "assignment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/moment.h"
#include "astray/status.h"
#include "backoff.h"

#define EVERY_US MOMENT_MINUTE_US
#define JITTER_US (5 * MOMENT_SECOND_US)
#define RETRY_FIRST_US MOMENT_SECOND_US
#define RETRY_LIMIT_US MOMENT_MINUTE_US

struct assignment {
	const struct log *log;
	struct fetch *fetch;
	struct collector_access access;
	enum obs_role role;
	assignment_changed_fn changed;
	void *arg;
	uv_timer_t timer;
	struct backoff backoff;
	struct fetch_request *request;
	bool asking;
	char etag[sizeof(((struct fetch_answer *)0)->etag)]; /* of what is known */
	char said[OBS_TEXT];                                 /* of a failure; "": none */
	unsigned closing; /* parts that are still to go */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void part_gone(struct assignment *assignment)
{
	if (--assignment->closing > 0)
		return;
	assignment->closed(assignment->closed_arg);
	free(assignment);
}

static void time_to_ask(uv_timer_t *timer)
{
	assignment_ask(timer->data);
}

static uint64_t random_number(void)
{
	uint64_t number = 0;

	(void)!getrandom(&number, sizeof(number), 0);
	return number;
}

static void ask_in(struct assignment *assignment, int64_t wait_us)
{
	(void)uv_timer_start(
		&assignment->timer, time_to_ask, (uint64_t)wait_us / 1000 + 1, 0);
}

static void failed(struct assignment *assignment, const char *why)
{
	int64_t wait_us = backoff_next_us(&assignment->backoff, 0, random_number());

	if (strcmp(why, assignment->said) != 0)
		log_warn(assignment->log, "assignment",
			"%s: %s; what was assigned last stays in force",
			assignment->access.url, why);
	(void)snprintf(assignment->said, sizeof(assignment->said), "%s", why);
	ask_in(assignment, wait_us);
}

static void succeeded(struct assignment *assignment)
{
	assignment->said[0] = '\0';
	backoff_reset(&assignment->backoff);
	ask_in(assignment, EVERY_US + (int64_t)(random_number() % JITTER_US));
}

static void take_text(struct assignment *assignment, const struct fetch_answer *answer)
{
	if (answer->truncated) {
		failed(assignment, "the assignment is longer than a probe takes");
		return;
	}
	(void)snprintf(assignment->etag, sizeof(assignment->etag), "%s", answer->etag);
	assignment->changed(assignment->arg, answer->body, answer->body_len);
	succeeded(assignment);
}

static void judge(struct assignment *assignment, const struct fetch_answer *answer)
{
	char why[96];

	if (answer->rc) {
		failed(assignment, answer->error_text[0] ? answer->error_text
							 : status_text(answer->rc));
	} else if (answer->status == 200) {
		take_text(assignment, answer);
	} else if (answer->status == 304) {
		succeeded(assignment);
	} else if (answer->status == 404) {
		log_debug(assignment->log, "assignment", "the collector assigns nothing");
		succeeded(assignment);
	} else {
		(void)snprintf(why, sizeof(why), "asking for the assignment: status %ld",
			answer->status);
		failed(assignment, why);
	}
}

static void answered(void *arg, const struct fetch_answer *answer)
{
	struct assignment *assignment = arg;

	assignment->asking = false;
	assignment->request = NULL;
	if (assignment->closing)
		part_gone(assignment);
	else
		judge(assignment, answer);
}

static int start_asking(struct assignment *assignment, struct fault *fault)
{
	struct fetch_header headers[] = {{"If-None-Match", assignment->etag}, {0}};
	struct collector_order order;
	char path[64];
	int rc;

	(void)snprintf(path, sizeof(path), "/v1/assignment?role=%s",
		obs_role_text(assignment->role));
	rc = collector_access_order(&order, &assignment->access, path,
		assignment->etag[0] ? headers : NULL, fault);
	if (rc)
		return rc;
	order.order.answer_limit = ASSIGNMENT_BYTES_MAX;
	return fetch_start(assignment->fetch, &assignment->request, &order.order,
		answered, assignment);
}

void assignment_ask(struct assignment *assignment)
{
	struct fault fault = {0};
	int rc;

	if (assignment->asking || assignment->closing)
		return;
	(void)uv_timer_stop(&assignment->timer);
	assignment->asking = true;
	rc = start_asking(assignment, &fault);
	if (rc == 0)
		return;
	assignment->asking = false;
	failed(assignment, fault.why[0] ? fault.why : status_text(rc));
}

void assignment_configure(struct assignment *assignment,
	const struct collector_access *access, enum obs_role role)
{
	assignment->role = role;
	assignment->access = *access;
	/* Another collector's tag means nothing to this one. */
	assignment->etag[0] = '\0';
	assignment_ask(assignment);
}

int assignment_open(struct assignment **out, struct uv_loop_s *loop,
	const struct log *log, struct fetch *fetch, const struct collector_access *access,
	enum obs_role role, assignment_changed_fn changed, void *arg)
{
	struct assignment *assignment = calloc(1, sizeof(*assignment));

	*out = NULL;
	if (!assignment)
		return -ENOMEM;
	assignment->log = log;
	assignment->fetch = fetch;
	assignment->access = *access;
	assignment->role = role;
	assignment->changed = changed;
	assignment->arg = arg;
	assignment->backoff =
		(struct backoff){.first_us = RETRY_FIRST_US, .limit_us = RETRY_LIMIT_US};
	(void)uv_timer_init(loop, &assignment->timer);
	assignment->timer.data = assignment;
	ask_in(assignment, 0);
	*out = assignment;
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	part_gone(handle->data);
}

void assignment_close(struct assignment *assignment, void (*closed)(void *arg), void *arg)
{
	assignment->closed = closed;
	assignment->closed_arg = arg;
	assignment->closing = assignment->asking ? 2 : 1;
	uv_close((uv_handle_t *)&assignment->timer, timer_closed);
	if (assignment->asking)
		fetch_cancel(assignment->request);
}
