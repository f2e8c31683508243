#include "notify_test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "notify_send.h"

static const enum incident_state states[] = {INCIDENT_OPENED, INCIDENT_RESOLVED};

#define STATES (sizeof(states) / sizeof(states[0]))

struct trial {
	const struct notify_test_order *order;
	const struct notifier_target *target;
	uv_loop_t loop;
	struct fetch *fetch;
	struct incident *incident; /* too large for a stack */
	char *body;
	size_t next; /* of the states */
	int exit_code;
};

static void tell_next(struct trial *trial);

static void fail(struct trial *trial, const char *why, int exit_code)
{
	log_error(trial->order->log, "notify", "%s: %s", trial->order->target, why);
	trial->exit_code = exit_code;
}

static void answered(void *arg, const struct fetch_answer *answer)
{
	struct trial *trial = arg;
	char text[NOTIFY_SEND_TEXT];

	(void)fprintf(trial->order->out, "%s, %s, to %s: %s\n", trial->target->name,
		incident_state_text(trial->incident->state), trial->target->url,
		notify_send_text(answer, text));
	if (notify_send_result(answer) == NOTIFY_SEND_TAKEN) {
		tell_next(trial);
		return;
	}
	fail(trial, "it was not told",
		notify_send_result(answer) == NOTIFY_SEND_REFUSED ? EX_UNAVAILABLE
								  : EX_TEMPFAIL);
	fetch_close(trial->fetch);
}

static void make_incident(struct incident *incident)
{
	struct moment now = now_moment();

	incident->rx = incident->since = incident->opened = now;
	(void)snprintf(incident->id, sizeof(incident->id), "test-%" PRId64, now.us);
	incident->severity = SEVERITY_PAGE;
	incident->service_count = incident->evidence_count = 1;
	(void)snprintf(
		incident->services[0], sizeof(incident->services[0]), "%s", "test");
	(void)snprintf(incident->title, sizeof(incident->title), "%s",
		"This is a test of astray, nothing has happened");
	(void)snprintf(incident->text, sizeof(incident->text), "%s",
		"An operator asked whether incidents would be heard "
		"here. The end of this one "
		"follows at once.");
	incident->causes = 1u << CAUSE_TELEMETRY;
	incident->evidence[0] = (struct incident_evidence){
		.rx = now, .cause = CAUSE_TELEMETRY, .service = "test", .text = "a test"};
}

static void tell_next(struct trial *trial)
{
	struct notify_send_order send = {.target = trial->target,
		.incident = trial->incident->id,
		.body = trial->body};
	int rc;

	if (trial->next == STATES) {
		fetch_close(trial->fetch);
		return;
	}
	trial->incident->state = states[trial->next++];
	trial->incident->rx = now_moment();
	send.change_number = trial->incident->change_number = (unsigned)trial->next;
	rc = trial->target->kind->compose(trial->body, NOTIFIER_BODY_MAX, trial->target,
		trial->incident, trial->order->dashboard);
	if (rc >= 0) {
		send.len = (size_t)rc;
		rc = notify_send_start(
			trial->fetch, &send, now_moment(), answered, trial);
	}
	if (rc) {
		fail(trial, status_text(rc), status_exit_code(rc));
		fetch_close(trial->fetch);
	}
}

static int run(struct trial *trial)
{
	int rc = uv_loop_init(&trial->loop);

	if (rc) {
		fail(trial, status_text(rc), EX_OSERR);
		return trial->exit_code;
	}
	trial->incident = calloc(1, sizeof(*trial->incident));
	trial->body = malloc(NOTIFIER_BODY_MAX);
	rc = trial->incident && trial->body ? fetch_open(&trial->fetch, &trial->loop)
					    : -ENOMEM;
	if (rc == 0) {
		make_incident(trial->incident);
		tell_next(trial);
	} else {
		fail(trial, status_text(rc), EX_OSERR);
	}
	(void)uv_run(&trial->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&trial->loop);
	free(trial->incident);
	free(trial->body);
	return trial->exit_code;
}

int notify_test(const struct notify_test_order *order)
{
	struct trial trial = {.order = order, .exit_code = EX_OK};

	trial.target = notify_config_find(order->config, order->target);
	if (!trial.target) {
		fail(&trial, "no such target in the configuration's \"notify\"",
			EX_USAGE);
		return trial.exit_code;
	}
	return run(&trial);
}
