#include "uplink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/squeeze.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "backoff.h"
#include "gather.h"
#include "patience.h"
#include "uplink_verdict.h"

#define RETRY_FIRST_US MOMENT_SECOND_US
/* A minute, so that after an outage everybody is back within it: 2,000 probes are 33 a
 * second. */
#define RETRY_LIMIT_US MOMENT_MINUTE_US
#define BATCH_LINE_MAX 512
/* News wait a moment for what is measured with them. */
#define NEWS_US (MOMENT_SECOND_US / 2)

struct uplink {
	const struct log *log;
	struct spool *spool;
	struct fetch *fetch;
	struct uplink_settings settings;
	struct gather gather;
	struct patience_memory patience;
	struct backoff backoff;
	struct fetch_request *request; /* of the batch that is being sent */
	int64_t seq;                   /* its number */
	bool sending;
	uv_timer_t age_timer, retry_timer;
	int disk_rc;                                          /* as it was last said */
	char said[sizeof(((struct uplink_verdict *)0)->why)]; /* of a failure; "": none */
	struct uplink_counts counts;
	unsigned closing; /* parts that are still to go */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void send_oldest(struct uplink *uplink);

static uint64_t random_number(void)
{
	uint64_t number = 0;

	/* Without randomness there is no jitter, which is no reason to stop. */
	(void)!getrandom(&number, sizeof(number), 0);
	return number;
}

static void part_gone(struct uplink *uplink)
{
	if (--uplink->closing > 0)
		return;
	gather_free(&uplink->gather);
	uplink->closed(uplink->closed_arg);
	free(uplink);
}

/* ---- in: gather and spool */

static void say_disk(struct uplink *uplink, int rc)
{
	if (rc == uplink->disk_rc)
		return;
	uplink->disk_rc = rc;
	if (rc)
		log_error(uplink->log, "spool",
			"%s: batches wait in memory, %d KiB at most, until the disk "
			"takes "
			"them again",
			status_text(rc), SPOOL_MEMORY_BYTES / 1024);
	else
		log_info(uplink->log, "spool", "the disk takes batches again");
}

void uplink_flush(struct uplink *uplink)
{
	const struct gather *gather = &uplink->gather;
	struct spool_lines lines = {gather->text, gather->len, gather->observations,
		gather->from, gather->until};

	(void)uv_timer_stop(&uplink->age_timer);
	if (gather->observations == 0)
		return;
	say_disk(uplink, spool_push(uplink->spool, &lines, now_moment()));
	gather_clear(&uplink->gather);
	send_oldest(uplink);
}

static void batch_aged(uv_timer_t *timer)
{
	uplink_flush(timer->data);
}

static void say_unwritable(
	struct uplink *uplink, const struct obs *obs, const struct fault *fault)
{
	char text[512];

	uplink->counts.unwritable++;
	/* What is wrong with one is wrong with the next: the rest is a number in the
	 * health. */
	if (uplink->counts.unwritable == 1)
		log_error(uplink->log, "uplink",
			"a %s observation is left out, and so will be others like it: %s",
			obs_kind_text(obs->kind), fault_text(fault, text, sizeof(text)));
}

static int64_t age_us(const struct uplink *uplink, enum patience patience)
{
	int64_t some_us = uplink->settings.batch_age_us;

	if (patience == PATIENCE_MUCH)
		return uplink->settings.quiet_age_us;
	return patience == PATIENCE_SOME || some_us < NEWS_US ? some_us : NEWS_US;
}

/* The most urgent line decides for all. */
static void wait_no_longer(struct uplink *uplink, int64_t us)
{
	uint64_t wait_ms = (uint64_t)us / 1000;

	if (uv_is_active((uv_handle_t *)&uplink->age_timer) &&
		uv_timer_get_due_in(&uplink->age_timer) <= wait_ms)
		return;
	(void)uv_timer_start(&uplink->age_timer, batch_aged, wait_ms, 0);
}

void uplink_add(void *arg, const struct obs *obs)
{
	struct uplink *uplink = arg;
	struct fault fault = {0};
	int rc = gather_add(&uplink->gather, obs, &fault);

	if (rc == STATUS_LIMIT) {
		uplink_flush(uplink);
		rc = gather_add(&uplink->gather, obs, &fault);
	}
	if (rc) {
		say_unwritable(uplink, obs, &fault);
		return;
	}
	if (!uplink->closing)
		wait_no_longer(
			uplink, age_us(uplink, patience_with(&uplink->patience, obs)));
}

/* ---- out: send, and what the answer means */

static void retry_due(uv_timer_t *timer)
{
	send_oldest(timer->data);
}

/* Said once, and again when the reason is another; the tries between are nobody's news.
 */
static void say_failure(struct uplink *uplink, const char *why, int64_t wait_us)
{
	char wait[MOMENT_TEXT];

	(void)moment_span_text(wait_us, wait);
	if (strcmp(why, uplink->said) == 0) {
		log_debug(uplink->log, "uplink", "%s: %s, next try in %s",
			uplink->settings.access.url, why, wait);
		return;
	}
	log_warn(uplink->log, "uplink",
		"%s: %s, next try in %s; batches wait in the spool meanwhile",
		uplink->settings.access.url, why, wait);
	(void)snprintf(uplink->said, sizeof(uplink->said), "%s", why);
}

static void try_later(struct uplink *uplink, int64_t not_before_us, const char *why)
{
	int64_t wait_us =
		backoff_next_us(&uplink->backoff, not_before_us, random_number());

	uplink->counts.failures++;
	say_failure(uplink, why, wait_us);
	(void)uv_timer_start(
		&uplink->retry_timer, retry_due, (uint64_t)wait_us / 1000 + 1, 0);
}

/* The spool may have dropped the batch meanwhile (STATUS_UNKNOWN): then it is reported
 * lost although it arrived, which is the harmless way to be wrong. */
static void forget(struct uplink *uplink)
{
	uplink->counts.acknowledged++;
	(void)spool_done(uplink->spool, uplink->seq);
}

static void set_aside(struct uplink *uplink, const char *why)
{
	int rc = spool_set_aside(uplink->spool, uplink->seq, why);

	uplink->counts.refused++;
	log_error(uplink->log, "uplink", "batch %lld is refused: %s; %s",
		(long long)uplink->seq, why,
		rc ? "it could not be kept"
		   : "it is kept in the spool's folder \"aside\"");
	/* One that cannot even be kept must not hold up the others. */
	if (rc)
		(void)spool_done(uplink->spool, uplink->seq);
}

static void act_on(struct uplink *uplink, const struct uplink_verdict *verdict)
{
	if (verdict->deed == UPLINK_RETRY) {
		try_later(uplink, verdict->not_before_us, verdict->why);
		return;
	}
	if (verdict->deed == UPLINK_FORGET)
		forget(uplink);
	else
		set_aside(uplink, verdict->why);
	if (uplink->said[0])
		log_info(uplink->log, "uplink", "%s: answers again after %u tries",
			uplink->settings.access.url, uplink->backoff.failures);
	uplink->said[0] = '\0';
	backoff_reset(&uplink->backoff);
	send_oldest(uplink);
}

static void answered(void *arg, const struct fetch_answer *answer)
{
	struct uplink *uplink = arg;
	struct uplink_verdict verdict = uplink_verdict_of(answer, uplink->seq);

	uplink->sending = false;
	uplink->request = NULL;
	if (!uplink->closing) {
		act_on(uplink, &verdict);
		return;
	}
	if (verdict.deed == UPLINK_FORGET)
		forget(uplink);
	part_gone(uplink);
}

/* Two frames behind each other are one text to a zstd reader, so the lines stay packed.
 */
static int make_body(uint8_t **out, size_t *len, const struct uplink *uplink,
	const struct spool_record *record)
{
	struct wire_batch batch = {.seq = record->seq,
		.sent = now_moment(),
		.observations = record->observations};
	char line[BATCH_LINE_MAX];
	size_t head_len = 0;
	void *head = NULL;
	int rc;

	(void)snprintf(batch.probe, sizeof(batch.probe), "%s", uplink->settings.probe);
	(void)snprintf(batch.boot, sizeof(batch.boot), "%s", record->boot);
	rc = wire_encode_batch(line, sizeof(line), &batch);
	if (rc > 0)
		rc = squeeze_pack(&head, &head_len, line, (size_t)rc);
	*out = rc == 0 && head ? malloc(head_len + record->packed_len) : NULL;
	if (*out) {
		memcpy(*out, head, head_len);
		memcpy(*out + head_len, record->packed, record->packed_len);
		*len = head_len + record->packed_len;
	}
	free(head);
	return *out || rc ? rc : -ENOMEM;
}

static int post(
	struct uplink *uplink, const struct spool_record *record, struct fault *fault)
{
	static const struct fetch_header headers[] = {
		{"Content-Type", "application/x-ndjson"},
		{"Content-Encoding", "zstd"},
		{0},
	};
	struct collector_order order;
	uint8_t *body = NULL;
	size_t body_len = 0;
	int rc = collector_access_order(
		&order, &uplink->settings.access, "/v1/observations", headers, fault);

	if (rc == 0)
		rc = make_body(&body, &body_len, uplink, record);
	if (rc == 0) {
		order.order.method = "POST";
		order.order.body = body;
		order.order.body_len = body_len;
		uplink->seq = record->seq;
		rc = fetch_start(
			uplink->fetch, &uplink->request, &order.order, answered, uplink);
	}
	free(body);
	return rc;
}

static void send_oldest(struct uplink *uplink)
{
	const struct spool_record *record;
	struct fault fault = {0};
	int rc;

	if (uplink->sending || uplink->closing ||
		uv_is_active((uv_handle_t *)&uplink->retry_timer))
		return;
	rc = spool_oldest(uplink->spool, &record, now_moment());
	if (rc == 0)
		return;
	uplink->sending = true;
	if (rc == 1)
		rc = post(uplink, record, &fault);
	if (rc == 0)
		return;
	uplink->sending = false;
	try_later(uplink, 0, fault.why[0] ? fault.why : status_text(rc));
}

void uplink_hurry(struct uplink *uplink)
{
	if (!uv_is_active((uv_handle_t *)&uplink->retry_timer))
		return;
	(void)uv_timer_stop(&uplink->retry_timer);
	backoff_reset(&uplink->backoff);
	send_oldest(uplink);
}

/* ---- life */

void uplink_configure(struct uplink *uplink, const struct uplink_settings *settings)
{
	uplink->settings = *settings;
	uplink_hurry(uplink);
}

int uplink_open(struct uplink **out, struct uv_loop_s *loop, const struct log *log,
	struct spool *spool, struct fetch *fetch, const struct uplink_settings *settings)
{
	struct uplink *uplink = calloc(1, sizeof(*uplink));

	*out = NULL;
	if (!uplink)
		return -ENOMEM;
	if (gather_init(&uplink->gather)) {
		free(uplink);
		return -ENOMEM;
	}
	uplink->log = log;
	uplink->spool = spool;
	uplink->fetch = fetch;
	uplink->settings = *settings;
	uplink->backoff =
		(struct backoff){.first_us = RETRY_FIRST_US, .limit_us = RETRY_LIMIT_US};
	/* Neither fails. */
	(void)uv_timer_init(loop, &uplink->age_timer);
	(void)uv_timer_init(loop, &uplink->retry_timer);
	uplink->age_timer.data = uplink->retry_timer.data = uplink;
	/* What an earlier run left behind is sent, too. */
	(void)uv_timer_start(&uplink->retry_timer, retry_due, 0, 0);
	*out = uplink;
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	part_gone(handle->data);
}

void uplink_close(struct uplink *uplink, void (*closed)(void *arg), void *arg)
{
	uplink->closed = closed;
	uplink->closed_arg = arg;
	uplink->closing = uplink->sending ? 3 : 2;
	uplink_flush(uplink);
	uv_close((uv_handle_t *)&uplink->age_timer, timer_closed);
	uv_close((uv_handle_t *)&uplink->retry_timer, timer_closed);
	if (uplink->sending)
		fetch_cancel(uplink->request);
}

struct uplink_counts uplink_count(const struct uplink *uplink)
{
	return uplink->counts;
}
