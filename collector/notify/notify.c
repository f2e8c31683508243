#include "notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/fetch.h"
#include "astray/now.h"
#include "astray/status.h"
#include "notify_queue.h"
#include "notify_send.h"

#define REPEAT_US MOMENT_MINUTE_US
#define PAUSE_MIN_US MOMENT_SECOND_US
#define PAUSE_MAX_US (5 * MOMENT_MINUTE_US)
#define PAUSE_ASKED_MAX_US MOMENT_HOUR_US

/* One thing to be told to one target. */
struct message {
	struct message *next;
	int64_t row; /* in the queue; 0: only here */
	char incident[INCIDENT_ID];
	int64_t change_number;
	bool resolves;
	bool repeating;  /* told, and said again when due */
	bool superseded; /* a newer one is here: not said again */
	bool heard;      /* since the start */
	unsigned attempts;
	struct tick due; /* of a repeating one */
	size_t len;
	char body[];
};

/* A target and what it is to be told. */
struct outlet {
	struct notify *notify;
	const struct notifier_target *target;
	struct message *first;
	size_t count, bytes;
	unsigned failures; /* in a row */
	struct tick next;  /* not before */
	struct message *sending;
};

struct notify {
	const struct log *log;
	struct notify_config config;
	char dashboard[NOTIFIER_URL];
	struct notify_queue *queue;
	struct fetch *fetch;
	uv_timer_t timer;
	char *body; /* NOTIFIER_BODY_MAX */
	bool caught_up, closed;
	struct notify_counters counters;
	struct outlet outlets[NOTIFY_CONFIG_TARGETS];
};

static void send_due(struct notify *notify);

static void complain_of_disk(const struct notify *notify, int rc)
{
	log_error(notify->log, "notify", "the queue on disk: %s", status_text(rc));
}

/* ---- messages of an outlet ---- */

static struct message *new_message(const struct notify_queue_row *row)
{
	struct message *message = calloc(1, sizeof(*message) + row->body_len);

	if (!message)
		return NULL;
	message->row = row->id;
	(void)snprintf(message->incident, sizeof(message->incident), "%s", row->incident);
	message->change_number = row->change_number;
	message->resolves = row->resolves;
	message->repeating = row->told;
	message->len = row->body_len;
	memcpy(message->body, row->body, row->body_len);
	return message;
}

static void remove_message(struct outlet *outlet, struct message *message)
{
	struct message **link = &outlet->first;
	int rc = 0;

	while (*link != message)
		link = &(*link)->next;
	*link = message->next;
	outlet->count--;
	outlet->bytes -= message->len;
	if (message->row)
		rc = notify_queue_remove(outlet->notify->queue, message->row);
	if (rc)
		complain_of_disk(outlet->notify, rc);
	free(message);
}

static bool is_over(const struct outlet *outlet)
{
	return outlet->count > NOTIFY_WAITING_MAX || outlet->bytes > NOTIFY_WAITING_BYTES;
}

static void drop_oldest(struct outlet *outlet)
{
	struct message *oldest = outlet->first;

	if (oldest == outlet->sending)
		oldest = oldest->next;
	if (!oldest)
		return;
	log_error(outlet->notify->log, "notify",
		"%s: too much waits for it, \"%s\" is dropped untold",
		outlet->target->name, oldest->incident);
	outlet->notify->counters.dropped++;
	remove_message(outlet, oldest);
}

/* What the newer message says replaces what was said again and again. */
static void supersede(struct outlet *outlet, const char *incident)
{
	struct message *next;

	for (struct message *at = outlet->first; at; at = next) {
		next = at->next;
		if (!at->repeating || strcmp(at->incident, incident) != 0)
			continue;
		if (at == outlet->sending)
			at->superseded = true;
		else
			remove_message(outlet, at);
	}
}

static void append(struct outlet *outlet, struct message *message)
{
	struct message **link = &outlet->first;

	while (*link)
		link = &(*link)->next;
	*link = message;
	outlet->count++;
	outlet->bytes += message->len;
	while (is_over(outlet) && outlet->first->next)
		drop_oldest(outlet);
}

/* ---- what is sent next ---- */

static bool waits_behind(const struct outlet *outlet, const struct message *message)
{
	for (const struct message *at = outlet->first; at != message; at = at->next)
		if (!at->repeating && strcmp(at->incident, message->incident) == 0)
			return true;
	return false;
}

/* Changes of one incident go in their order. Between incidents the least tried goes
 * first, so that a message which the other side cannot take holds up no other;
 * repetitions come last. */
static bool goes_before(const struct message *a, const struct message *b)
{
	if (!b || a->repeating != b->repeating)
		return !b || b->repeating;
	return a->attempts < b->attempts;
}

static struct message *choose(const struct outlet *outlet, struct tick now)
{
	struct message *chosen = NULL;

	for (struct message *at = outlet->first; at; at = at->next) {
		if (at->repeating && tick_since_us(at->due, now) > 0)
			continue;
		if (goes_before(at, chosen) && !waits_behind(outlet, at))
			chosen = at;
	}
	return chosen;
}

/* When this outlet wants to be looked at again; OBS_ABSENT: not before something happens.
 */
static int64_t wait_of(const struct outlet *outlet, struct tick now)
{
	int64_t wait_us = OBS_ABSENT, pause_us = tick_since_us(outlet->next, now);

	if (outlet->sending)
		return OBS_ABSENT;
	for (const struct message *at = outlet->first; at; at = at->next) {
		int64_t due_us = at->repeating ? tick_since_us(at->due, now) : 0;

		if (wait_us == OBS_ABSENT || due_us < wait_us)
			wait_us = due_us > 0 ? due_us : 0;
	}
	return wait_us != OBS_ABSENT && pause_us > wait_us ? pause_us : wait_us;
}

static void timer_fired(uv_timer_t *timer)
{
	send_due(timer->data);
}

static void set_timer(struct notify *notify)
{
	struct tick now = now_tick();
	int64_t least_us = OBS_ABSENT;

	for (unsigned i = 0; i < notify->config.count; i++) {
		int64_t wait_us = wait_of(&notify->outlets[i], now);

		if (wait_us != OBS_ABSENT &&
			(least_us == OBS_ABSENT || wait_us < least_us))
			least_us = wait_us;
	}
	(void)uv_timer_stop(&notify->timer);
	if (least_us == OBS_ABSENT)
		return;
	uv_update_time(notify->timer.loop);
	(void)uv_timer_start(
		&notify->timer, timer_fired, (uint64_t)least_us / 1000 + 1, 0);
}

/* ---- what became of it ---- */

/* Half of it by chance, so that what failed together does not come back together. */
static int64_t pause_after(unsigned failures)
{
	int64_t pause_us = PAUSE_MIN_US << (failures < 10 ? failures - 1 : 9);
	uint32_t chance = 0;

	if (pause_us > PAUSE_MAX_US)
		pause_us = PAUSE_MAX_US;
	(void)!getrandom(&chance, sizeof(chance), 0);
	return pause_us / 2 + (int64_t)chance % (pause_us / 2 + 1);
}

static void was_told(struct outlet *outlet, struct message *message)
{
	struct notify *notify = outlet->notify;
	int rc;

	outlet->failures = 0;
	if (!message->repeating) {
		notify->counters.told++;
		log_info(notify->log, "notify", "%s: told of \"%s\", change %lld",
			outlet->target->name, message->incident,
			(long long)message->change_number);
	}
	if (!outlet->target->kind->repeats || message->resolves || message->superseded) {
		remove_message(outlet, message);
		return;
	}
	rc = message->row ? notify_queue_mark_told(notify->queue, message->row) : 0;
	if (rc)
		complain_of_disk(notify, rc);
	message->repeating = true;
	message->attempts = 0;
	message->due = (struct tick){now_tick().us + REPEAT_US};
}

static void was_refused(
	struct outlet *outlet, struct message *message, const struct fetch_answer *answer)
{
	char why[NOTIFY_SEND_TEXT];

	log_error(outlet->notify->log, "notify",
		"%s: refused \"%s\", change %lld: %s; it is dropped",
		outlet->target->name, message->incident,
		(long long)message->change_number, notify_send_text(answer, why));
	outlet->failures = 0;
	outlet->notify->counters.refused++;
	remove_message(outlet, message);
}

static void has_failed(
	struct outlet *outlet, struct message *message, const struct fetch_answer *answer)
{
	struct notify *notify = outlet->notify;
	char why[NOTIFY_SEND_TEXT], span[MOMENT_TEXT];
	int64_t pause_us, asked_us = answer->retry_after_s;

	message->attempts++;
	notify->counters.failed_attempts++;
	pause_us = pause_after(++outlet->failures);
	if (asked_us != OBS_ABSENT) {
		asked_us = asked_us > PAUSE_ASKED_MAX_US / MOMENT_SECOND_US
				   ? PAUSE_ASKED_MAX_US
				   : asked_us * MOMENT_SECOND_US;
		pause_us = pause_us < asked_us ? asked_us : pause_us;
	}
	outlet->next = (struct tick){now_tick().us + pause_us};
	log_warn(notify->log, "notify", "%s: \"%s\" is not told: %s, next try in %s",
		outlet->target->name, message->incident, notify_send_text(answer, why),
		moment_span_text(pause_us, span));
	if (message->superseded)
		remove_message(outlet, message);
}

static void answered(void *arg, const struct fetch_answer *answer)
{
	struct outlet *outlet = arg;
	struct message *message = outlet->sending;

	if (outlet->notify->closed)
		return;
	outlet->sending = NULL;
	switch (notify_send_result(answer)) {
	case NOTIFY_SEND_TAKEN:
		was_told(outlet, message);
		break;
	case NOTIFY_SEND_REFUSED:
		was_refused(outlet, message, answer);
		break;
	case NOTIFY_SEND_FAILED:
		has_failed(outlet, message, answer);
		break;
	}
	send_due(outlet->notify);
}

static void send_message(struct outlet *outlet, struct message *message)
{
	struct notify_send_order order = {.target = outlet->target,
		.incident = message->incident,
		.change_number = message->change_number,
		.body = message->body,
		.len = message->len};
	int rc;

	outlet->sending = message;
	rc = notify_send_start(
		outlet->notify->fetch, &order, now_moment(), answered, outlet);
	if (rc == 0)
		return;
	outlet->sending = NULL;
	has_failed(outlet, message,
		&(struct fetch_answer){.rc = rc, .retry_after_s = OBS_ABSENT});
}

static void send_due(struct notify *notify)
{
	struct tick now = now_tick();

	for (unsigned i = 0; i < notify->config.count; i++) {
		struct outlet *outlet = &notify->outlets[i];
		struct message *message;

		if (outlet->sending || tick_since_us(outlet->next, now) > 0)
			continue;
		message = choose(outlet, now);
		if (message)
			send_message(outlet, message);
	}
	set_timer(notify);
}

/* ---- what comes in ---- */

/* Composes and saves for one target. Negative: the disk failed. */
static int take_in(struct outlet *outlet, const struct incident *incident, bool saving)
{
	struct notify *notify = outlet->notify;
	const struct notifier_target *target = outlet->target;
	struct notify_queue_row row = {.target = target->name,
		.incident = incident->id,
		.change_number = incident->change_number,
		.resolves = incident->state == INCIDENT_RESOLVED,
		.body = notify->body};
	struct message *message;
	int len, rc = 0;

	if (incident->severity < target->least)
		return 0;
	len = target->kind->compose(
		notify->body, NOTIFIER_BODY_MAX, target, incident, notify->dashboard);
	if (len < 0)
		log_error(notify->log, "notify",
			"%s: \"%s\" cannot be put in its words: %s", target->name,
			incident->id, status_text(len));
	if (len <= 0)
		return 0;
	row.body_len = (size_t)len;
	if (saving)
		rc = notify_queue_add(notify->queue, &row);
	message = new_message(&row);
	if (!message) {
		log_error(notify->log, "notify", "%s: no memory for \"%s\"", target->name,
			incident->id);
		return rc; /* from disk, after a restart */
	}
	message->heard = true;
	supersede(outlet, incident->id);
	append(outlet, message);
	return rc;
}

/* The disk did not take it: the messages are here only, and go out all the same. */
static void forget_rows(struct notify *notify, const struct incident *incident)
{
	for (unsigned i = 0; i < notify->config.count; i++)
		for (struct message *at = notify->outlets[i].first; at; at = at->next)
			if (at->change_number == incident->change_number &&
				strcmp(at->incident, incident->id) == 0)
				at->row = 0;
	notify->counters.unsaved++;
}

static int take_in_all(
	struct notify *notify, const struct incident *incident, bool saving)
{
	int rc = 0, failed = 0;

	for (unsigned i = 0; i < notify->config.count; i++) {
		rc = take_in(&notify->outlets[i], incident, saving);
		failed = failed ? failed : rc;
	}
	if (!saving)
		return failed;
	rc = notify_queue_commit(notify->queue);
	return rc ? rc : failed;
}

static void note_heard(struct notify *notify, const char *incident)
{
	for (unsigned i = 0; i < notify->config.count; i++)
		for (struct message *at = notify->outlets[i].first; at; at = at->next)
			at->heard |= strcmp(at->incident, incident) == 0;
}

int notify_change(struct notify *notify, enum incident_change change,
	const struct incident *incident)
{
	int heard, rc;

	if (!notify->caught_up)
		note_heard(notify, incident->id);
	if (change == INCIDENT_CHANGE_UPDATED)
		return 0;
	heard = notify_queue_hear(notify->queue, incident);
	/* A disk that fails keeps nobody from hearing, unless it may be history. */
	if (heard == 0 || (heard < 0 && !notify->caught_up))
		return heard;
	rc = take_in_all(notify, incident, heard == 1);
	rc = heard < 0 ? heard : rc;
	if (rc) {
		complain_of_disk(notify, rc);
		forget_rows(notify, incident);
	}
	send_due(notify);
	return rc;
}

void notify_caught_up(struct notify *notify)
{
	struct message *next;

	notify->caught_up = true;
	for (unsigned i = 0; i < notify->config.count; i++)
		for (struct message *at = notify->outlets[i].first; at; at = next) {
			next = at->next;
			if (!at->repeating || at->heard)
				continue;
			if (at == notify->outlets[i].sending)
				at->superseded = true;
			else
				remove_message(&notify->outlets[i], at);
		}
}

void notify_read_counters(const struct notify *notify, struct notify_counters *out)
{
	*out = notify->counters;
	out->waiting = 0;
	for (unsigned i = 0; i < notify->config.count; i++)
		for (const struct message *at = notify->outlets[i].first; at;
			at = at->next)
			out->waiting += !at->repeating;
}

/* ---- life ---- */

static struct outlet *outlet_of(struct notify *notify, const char *target)
{
	for (unsigned i = 0; i < notify->config.count; i++)
		if (strcmp(notify->config.targets[i].name, target) == 0)
			return &notify->outlets[i];
	return NULL;
}

static int row_found(void *arg, const struct notify_queue_row *row)
{
	struct notify *notify = arg;
	struct outlet *outlet = outlet_of(notify, row->target);
	struct message *message;

	if (!outlet) {
		log_warn(notify->log, "notify",
			"%s is not configured any more, it is not told of \"%s\"",
			row->target, row->incident);
		return notify_queue_remove(notify->queue, row->id);
	}
	message = new_message(row);
	if (!message)
		return -ENOMEM;
	append(outlet, message);
	return 0;
}

static void free_messages(struct notify *notify)
{
	for (unsigned i = 0; i < notify->config.count; i++)
		while (notify->outlets[i].first) {
			struct message *message = notify->outlets[i].first;

			notify->outlets[i].first = message->next;
			free(message);
		}
}

static void drop_notify(struct notify *notify)
{
	free_messages(notify);
	notify_queue_close(notify->queue);
	free(notify->body);
	free(notify);
}

static struct notify *new_notify(const struct notify_settings *settings)
{
	struct notify *notify = calloc(1, sizeof(*notify));

	if (!notify)
		return NULL;
	notify->log = settings->log;
	notify->config = *settings->config;
	(void)snprintf(
		notify->dashboard, sizeof(notify->dashboard), "%s", settings->dashboard);
	for (unsigned i = 0; i < notify->config.count; i++)
		notify->outlets[i] = (struct outlet){
			.notify = notify, .target = &notify->config.targets[i]};
	notify->body = malloc(NOTIFIER_BODY_MAX);
	if (notify->body)
		return notify;
	free(notify);
	return NULL;
}

int notify_open(struct notify **out, struct uv_loop_s *loop,
	const struct notify_settings *settings, struct fault *fault)
{
	struct notify *notify = new_notify(settings);
	int rc;

	*out = NULL;
	if (!notify)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	rc = notify_queue_open(&notify->queue, settings->file, now_moment(), fault);
	if (rc)
		goto fail;
	rc = notify_queue_load(notify->queue, row_found, notify);
	if (rc == 0)
		rc = fetch_open(&notify->fetch, loop);
	if (rc) {
		(void)fault_at(fault, rc, "", "%s: %s", settings->file, status_text(rc));
		goto fail;
	}
	(void)uv_timer_init(loop, &notify->timer);
	notify->timer.data = notify;
	set_timer(notify);
	*out = notify;
	return 0;

fail:
	drop_notify(notify);
	return rc;
}

static void timer_closed(uv_handle_t *handle)
{
	drop_notify(handle->data);
}

void notify_close(struct notify *notify)
{
	if (!notify)
		return;
	notify->closed = true;
	fetch_close(notify->fetch);
	uv_close((uv_handle_t *)&notify->timer, timer_closed);
}
