#include "notify_send.h"

#include <inttypes.h>
#include <stdio.h>

#include "astray/status.h"
#include "printable.h"

#define TIMEOUT_US (10 * MOMENT_SECOND_US)
#define ANSWER_KEPT 512
#define HEADERS_MAX (NOTIFIER_HEADERS + 3)

int notify_send_start(struct fetch *fetch, const struct notify_send_order *order,
	struct moment now, fetch_done_fn done, void *arg)
{
	const struct notifier_target *target = order->target;
	struct notifier_headers own = {0};
	struct fetch_header headers[HEADERS_MAX] = {{"Content-Type", "application/json"}};
	struct fetch_order request = {.url = target->url,
		.headers = headers,
		.body = order->body,
		.body_len = order->len,
		.timeout_us = TIMEOUT_US,
		.answer_limit = ANSWER_KEPT,
		.ca_file = *target->ca_file ? target->ca_file : NULL};
	char id[NOTIFIER_ID], bearer[NOTIFIER_SECRET + 8];
	unsigned count = 1;
	int rc = 0;

	(void)snprintf(
		id, sizeof(id), "%s-%" PRId64, order->incident, order->change_number);
	if (target->kind->sign)
		rc = target->kind->sign(&own, target, id, order->body, order->len, now);
	if (rc)
		return rc;
	for (unsigned i = 0; i < own.count; i++)
		headers[count++] =
			(struct fetch_header){own.rows[i].name, own.rows[i].value};
	if (*target->token) {
		(void)snprintf(bearer, sizeof(bearer), "Bearer %s", target->token);
		headers[count++] = (struct fetch_header){"Authorization", bearer};
	}
	return fetch_start(fetch, NULL, &request, done, arg);
}

/* Only what speaks of the message itself is final: a wrong token or path is an operator's
 * mistake, and what waits meanwhile must still be told when it is mended. */
enum notify_send_result notify_send_result(const struct fetch_answer *answer)
{
	if (answer->rc)
		return NOTIFY_SEND_FAILED;
	if (answer->status >= 200 && answer->status < 300)
		return NOTIFY_SEND_TAKEN;
	switch (answer->status) {
	case 400:
	case 413:
	case 415:
	case 422:
		return NOTIFY_SEND_REFUSED;
	default:
		return NOTIFY_SEND_FAILED;
	}
}

const char *notify_send_text(
	const struct fetch_answer *answer, char buf[static NOTIFY_SEND_TEXT])
{
	char body[ANSWER_KEPT + 1];

	printable_copy(body, sizeof(body), answer->body ? answer->body : "");
	if (answer->rc == 0)
		(void)snprintf(buf, NOTIFY_SEND_TEXT, "status %ld%s%s", answer->status,
			*body ? ": " : "", body);
	else
		(void)snprintf(buf, NOTIFY_SEND_TEXT, "%s",
			*answer->error_text ? answer->error_text
					    : status_text(answer->rc));
	return buf;
}
