/*
 * One attempt to tell one target, and what its answer means.
 */
#ifndef NOTIFY_NOTIFY_SEND_H
#define NOTIFY_NOTIFY_SEND_H

#include "astray/fetch.h"
#include "notifier.h"

struct notify_send_order {
	const struct notifier_target *target;
	const char *incident;
	int64_t change_number;
	const char *body;
	size_t len;
};

enum notify_send_result {
	NOTIFY_SEND_TAKEN,
	NOTIFY_SEND_REFUSED, /* this message, for good: it would be refused again */
	NOTIFY_SEND_FAILED,  /* try again */
};

/* The id that the other side can tell repetitions by is made of incident and change. */
int notify_send_start(struct fetch *fetch, const struct notify_send_order *order,
	struct moment now, fetch_done_fn done, void *arg);
enum notify_send_result notify_send_result(const struct fetch_answer *answer);

#define NOTIFY_SEND_TEXT 640
/* "status 503: overloaded" or why there was no answer; safe to show. */
const char *notify_send_text(
	const struct fetch_answer *answer, char buf[static NOTIFY_SEND_TEXT]);

#endif
