#include "astray/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>
#include <curl/curl.h>
#include <openssl/x509.h>

#include "astray/now.h"
#include "astray/status.h"
#include "fetch_lookup.h"
#include "fetch_transfer.h"
#include "fetch_trust.h"

#define CONNECTIONS_KEPT 16L
/* While something is measured the loop is asked to come by this often, to see how late it
 * is. */
#define BEAT_MS 5
#define LATE_US 5000

struct fetch {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer; /* libcurl's */
	uv_timer_t beat;
	struct tick last_beat;
	struct fetch_request *running;
	unsigned measuring; /* of these */
	struct fetch_trust trust;
	unsigned parts; /* handles that are not closed yet */
	bool closed;
};

struct fetch_request {
	struct fetch *fetch;
	struct fetch_request *next, *previous;
	struct fetch_transfer *transfer;
	uv_timer_t timer; /* ends it */
	struct fetch_lookup *lookup;
	fetch_done_fn done;
	void *arg;

	int64_t timeout_us;
	struct tick started;
	bool measure, late;
	unsigned turn;
	int64_t dns_us; /* of our own question */
};

/* One socket of libcurl's on the loop. */
struct watch {
	uv_poll_t handle;
	struct fetch *fetch;
	curl_socket_t fd;
};

static void part_gone(struct fetch *fetch)
{
	if (--fetch->parts == 0) {
		free(fetch);
		curl_global_cleanup();
	}
}

/* ---- endings ---- */

static void unlink_request(struct fetch_request *request)
{
	struct fetch *fetch = request->fetch;

	if (request->next)
		request->next->previous = request->previous;
	if (request->previous)
		request->previous->next = request->next;
	else
		fetch->running = request->next;
	if (request->measure && --fetch->measuring == 0)
		(void)uv_timer_stop(&fetch->beat);
}

static void free_request(struct fetch_request *request)
{
	fetch_transfer_free(request->transfer);
	free(request);
}

static void request_closed(uv_handle_t *handle)
{
	struct fetch_request *request = handle->data;
	struct fetch *fetch = request->fetch;

	free_request(request);
	part_gone(fetch);
}

static void note_lateness(struct fetch *fetch)
{
	struct tick now = now_tick();

	if (tick_since_us(now, fetch->last_beat) > BEAT_MS * INT64_C(1000) + LATE_US)
		for (struct fetch_request *request = fetch->running; request;
			request = request->next)
			request->late |= request->measure;
	fetch->last_beat = now;
}

static struct fetch_answer failure(int rc, enum obs_check_error error, const char *text)
{
	struct fetch_answer answer = {.rc = rc, .error = error};

	(void)snprintf(answer.error_text, sizeof(answer.error_text), "%s", text);
	return answer;
}

/* With rc, error and its text already in the answer. */
static void finish(struct fetch_request *request, struct fetch_answer *answer)
{
	struct fetch *fetch = request->fetch;

	if (request->measure)
		note_lateness(fetch);
	unlink_request(request);
	fetch_lookup_cancel(request->lookup);
	answer->late = request->late;
	fetch_transfer_fill(answer, request->transfer);
	answer->dns_us = request->dns_us;
	answer->total_us = tick_since_us(now_tick(), request->started);
	/* Not an error when it was never added. */
	(void)curl_multi_remove_handle(
		fetch->multi, fetch_transfer_easy(request->transfer));
	uv_close((uv_handle_t *)&request->timer, request_closed);
	request->done(request->arg, answer);
}

static void end_transfer(struct fetch_request *request, CURLcode code)
{
	struct fetch_answer answer = {0};

	fetch_transfer_judge(&answer, request->transfer, (int)code);
	finish(request, &answer);
}

static void end_finished(struct fetch *fetch)
{
	struct fetch_request *request;
	CURLMsg *message;
	int left;

	/* A done function may close everything. */
	while (!fetch->closed && (message = curl_multi_info_read(fetch->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		end_transfer(request, message->data.result);
	}
}

static void time_is_up(uv_timer_t *timer)
{
	struct fetch_request *request = timer->data;
	char span[MOMENT_TEXT], text[128];
	struct fetch_answer answer;

	(void)snprintf(text, sizeof(text), "%s within %s",
		request->lookup ? "the name was not resolved"
				: fetch_transfer_awaited(request->transfer),
		moment_span_text(request->timeout_us, span));
	answer = failure(
		-ETIMEDOUT, request->lookup ? OBS_CHECK_DNS : OBS_CHECK_TIMEOUT, text);
	finish(request, &answer);
}

/* ---- libcurl's sockets and timer on the loop ---- */

static void socket_ready(uv_poll_t *handle, int status, int events)
{
	struct watch *watch = handle->data;
	struct fetch *fetch = watch->fetch;
	int running, flags = 0;

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(fetch->multi, watch->fd, flags, &running);
	end_finished(fetch);
}

static void timer_fired(uv_timer_t *timer)
{
	struct fetch *fetch = timer->data;
	int running;

	(void)curl_multi_socket_action(fetch->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	end_finished(fetch);
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *arg)
{
	struct fetch *fetch = arg;

	(void)multi;
	if (fetch->closed)
		return 0;
	if (timeout_ms < 0)
		(void)uv_timer_stop(&fetch->timer);
	else
		(void)uv_timer_start(&fetch->timer, timer_fired, (uint64_t)timeout_ms, 0);
	return 0;
}

static void watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;

	part_gone(watch->fetch);
	free(watch);
}

static struct watch *new_watch(struct fetch *fetch, curl_socket_t fd)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->fetch = fetch;
	watch->fd = fd;
	if (uv_poll_init_socket(fetch->loop, &watch->handle, fd)) {
		free(watch);
		return NULL;
	}
	watch->handle.data = watch;
	fetch->parts++;
	(void)curl_multi_assign(fetch->multi, fd, watch);
	return watch;
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct fetch *fetch = arg;
	struct watch *watch = known;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch)
			uv_close((uv_handle_t *)&watch->handle, watch_closed);
		(void)curl_multi_assign(fetch->multi, fd, NULL);
		return 0;
	}
	if (!watch)
		watch = new_watch(fetch, fd);
	if (!watch)
		return -1; /* fails the transfers */
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&watch->handle, events, socket_ready) ? -1 : 0;
}

static void beat_fired(uv_timer_t *timer)
{
	note_lateness(timer->data);
}

/* ---- starting ---- */

static int renew_trust(struct fetch *fetch, const struct fetch_order *order)
{
	const char *file = order->ca_file;

	if (!file)
		file = curl_version_info(CURLVERSION_NOW)->cainfo;
	if (!file)
		file = X509_get_default_cert_file();
	return fetch_trust_renew(&fetch->trust, file, now_tick());
}

static int add_transfer(struct fetch_request *request)
{
	CURLM *multi = request->fetch->multi;

	return curl_multi_add_handle(multi, fetch_transfer_easy(request->transfer))
		       ? -ENOMEM
		       : 0;
}

static int connect_to(struct fetch_request *request, const struct address *peer)
{
	int rc = fetch_transfer_connect_to(request->transfer, peer);

	return rc ? rc : add_transfer(request);
}

static void name_resolved(void *arg, int rc, const struct address *list, unsigned count)
{
	struct fetch_request *request = arg;
	enum obs_check_error error = OBS_CHECK_DNS;
	struct fetch_answer answer;

	request->lookup = NULL;
	request->dns_us = tick_since_us(now_tick(), request->started);
	if (rc == 0) {
		error = OBS_CHECK_OK;
		rc = connect_to(request, &list[request->turn % count]);
	} else if (rc == UV_EAI_MEMORY || rc == -EMFILE) {
		error = OBS_CHECK_OK;
	}
	if (rc == 0)
		return;
	answer = failure(rc, error, status_text(rc));
	finish(request, &answer);
}

static int begin(struct fetch_request *request, const char *host)
{
	struct address peer;

	if (!request->measure)
		return add_transfer(request);
	if (address_parse(&peer, host) == 0)
		return connect_to(request, &peer);
	return fetch_lookup_start(
		&request->lookup, request->fetch->loop, host, name_resolved, request);
}

static int new_request(struct fetch_request **out, struct fetch *fetch,
	const struct fetch_order *order, bool secure)
{
	struct fetch_request *request = calloc(1, sizeof(*request));
	int rc;

	*out = request;
	if (!request)
		return -ENOMEM;
	request->fetch = fetch;
	request->timeout_us = order->timeout_us;
	request->measure = order->measure;
	request->turn = order->turn;
	request->dns_us = OBS_ABSENT;
	rc = fetch_transfer_new(
		&request->transfer, order, secure, &fetch->trust, request);
	if (rc == 0)
		return 0;
	free(request);
	*out = NULL;
	return rc;
}

static void link_request(struct fetch_request *request)
{
	struct fetch *fetch = request->fetch;

	request->next = fetch->running;
	if (request->next)
		request->next->previous = request;
	fetch->running = request;
	fetch->parts++;
	(void)uv_timer_init(fetch->loop, &request->timer);
	request->timer.data = request;
	uv_update_time(fetch->loop); /* a busy callback may have called us */
	/* One more: the loop's clock counts whole milliseconds, and may be almost one
	 * behind. */
	(void)uv_timer_start(&request->timer, time_is_up,
		(uint64_t)(request->timeout_us / 1000) + 1, 0);
	request->started = now_tick();
	if (request->measure && fetch->measuring++ == 0) {
		fetch->last_beat = request->started;
		(void)uv_timer_start(&fetch->beat, beat_fired, BEAT_MS, BEAT_MS);
	}
}

int fetch_start(struct fetch *fetch, struct fetch_request **out,
	const struct fetch_order *order, fetch_done_fn done, void *arg)
{
	struct fetch_request *request;
	char host[OBS_NAME];
	bool secure;
	int rc;

	if (out)
		*out = NULL;
	if (fetch->closed)
		return -ECANCELED;
	rc = fetch_transfer_read_url(host, sizeof(host), &secure, order->url);
	if (rc == 0 && secure && order->measure)
		rc = renew_trust(fetch, order);
	if (rc == 0)
		rc = new_request(&request, fetch, order, secure);
	if (rc)
		return rc;
	rc = begin(request, host);
	if (rc) {
		free_request(request);
		return rc;
	}
	request->done = done;
	request->arg = arg;
	link_request(request);
	if (out)
		*out = request;
	return 0;
}

void fetch_cancel(struct fetch_request *request)
{
	struct fetch_answer answer =
		failure(-ECANCELED, OBS_CHECK_OK, status_text(-ECANCELED));

	finish(request, &answer);
}

/* ---- the client ---- */

static void timer_closed(uv_handle_t *handle)
{
	part_gone(handle->data);
}

static void init_timer(struct fetch *fetch, uv_timer_t *timer)
{
	(void)uv_timer_init(fetch->loop, timer);
	timer->data = fetch;
	fetch->parts++;
}

int fetch_open(struct fetch **out, struct uv_loop_s *loop)
{
	struct fetch *fetch;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return STATUS_LIBRARY;
	fetch = calloc(1, sizeof(*fetch));
	if (!fetch)
		goto fail;
	fetch->loop = loop;
	fetch->multi = curl_multi_init();
	if (!fetch->multi)
		goto fail;
	(void)curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	(void)curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETDATA, fetch);
	(void)curl_multi_setopt(fetch->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	(void)curl_multi_setopt(fetch->multi, CURLMOPT_TIMERDATA, fetch);
	(void)curl_multi_setopt(fetch->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	init_timer(fetch, &fetch->timer);
	init_timer(fetch, &fetch->beat);
	*out = fetch;
	return 0;

fail:
	free(fetch);
	curl_global_cleanup();
	return -ENOMEM;
}

void fetch_close(struct fetch *fetch)
{
	if (!fetch)
		return;
	fetch->closed = true;
	while (fetch->running)
		fetch_cancel(fetch->running);
	(void)curl_multi_cleanup(fetch->multi);
	fetch_trust_drop(&fetch->trust);
	uv_close((uv_handle_t *)&fetch->timer, timer_closed);
	uv_close((uv_handle_t *)&fetch->beat, timer_closed);
}
