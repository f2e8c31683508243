/*
 * In the place of astray/fetch.h's client: requests are kept for the test to look at, and
 * answered when and how the test says. Included by one test file of a program.
 */
#ifndef ASTRAY_SCRIPTED_FETCH_H
#define ASTRAY_SCRIPTED_FETCH_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/fetch.h"

struct fetch_request {
	bool running;
	char method[16], url[OBS_TEXT + 64], authorization[256], if_none_match[128];
	char ca_file[OBS_TEXT], certificate_file[OBS_TEXT];
	uint8_t body[128 * 1024];
	size_t body_len;
	fetch_done_fn done;
	void *arg;
};

struct fetch {
	struct fetch_request request; /* one at a time */
	unsigned started;
	int start_rc; /* what the next fetch_start returns */
};

static void scripted_fetch_keep(
	struct fetch_request *request, const struct fetch_order *order)
{
	(void)snprintf(request->method, sizeof(request->method), "%s",
		order->method ? order->method : "GET");
	(void)snprintf(request->url, sizeof(request->url), "%s", order->url);
	(void)snprintf(request->ca_file, sizeof(request->ca_file), "%s",
		order->ca_file ? order->ca_file : "");
	(void)snprintf(request->certificate_file, sizeof(request->certificate_file), "%s",
		order->certificate_file ? order->certificate_file : "");
	for (const struct fetch_header *header = order->headers; header && header->name;
		header++) {
		if (strcmp(header->name, "Authorization") == 0)
			(void)snprintf(request->authorization,
				sizeof(request->authorization), "%s", header->value);
		if (strcmp(header->name, "If-None-Match") == 0)
			(void)snprintf(request->if_none_match,
				sizeof(request->if_none_match), "%s", header->value);
	}
	assert_true(order->body_len <= sizeof(request->body));
	if (order->body_len)
		memcpy(request->body, order->body, order->body_len);
	request->body_len = order->body_len;
}

int fetch_start(struct fetch *fetch, struct fetch_request **out,
	const struct fetch_order *order, fetch_done_fn done, void *arg)
{
	struct fetch_request *request = &fetch->request;

	if (fetch->start_rc)
		return fetch->start_rc;
	assert_false(request->running);
	memset(request, 0, sizeof(*request));
	scripted_fetch_keep(request, order);
	request->running = true;
	request->done = done;
	request->arg = arg;
	fetch->started++;
	if (out)
		*out = request;
	return 0;
}

static void scripted_fetch_answer(struct fetch *fetch, const struct fetch_answer *answer)
{
	assert_true(fetch->request.running);
	fetch->request.running = false;
	fetch->request.done(fetch->request.arg, answer);
}

static void scripted_fetch_reply(struct fetch *fetch, long status, const char *body)
{
	struct fetch_answer answer = {.status = status,
		.body = body,
		.body_len = strlen(body),
		.retry_after_s = OBS_ABSENT};

	scripted_fetch_answer(fetch, &answer);
}

void fetch_cancel(struct fetch_request *request)
{
	struct fetch_answer answer = {
		.rc = -ECANCELED, .body = "", .retry_after_s = OBS_ABSENT};

	request->running = false;
	request->done(request->arg, &answer);
}

#endif
