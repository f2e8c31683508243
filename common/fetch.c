#include "astray/fetch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <uv.h>
#include <curl/curl.h>
#include <openssl/ssl.h>

#include "astray/now.h"
#include "astray/status.h"
#include "fetch_certificate.h"
#include "fetch_lookup.h"
#include "fetch_trust.h"

#define CONNECTIONS_KEPT 16L
#define REDIRECTS_MAX 5L
#define CA_KEPT_S ((long)(FETCH_TRUST_KEPT_US / MOMENT_SECOND_US))
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
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	char curl_text[CURL_ERROR_SIZE];
	uv_timer_t timer; /* ends it */
	struct fetch_lookup *lookup;
	fetch_done_fn done;
	void *arg;

	int64_t timeout_us;
	struct tick started;
	bool measure, late;
	unsigned turn;
	struct address peer;  /* chosen, when measuring */
	int64_t dns_us;       /* of our own question */
	int64_t handshake_us; /* by the kernel */
	curl_socket_t socket; /* of the measured connection */
	bool was_reset;
	struct obs_certificate certificate;

	char *body;
	size_t body_len, body_room, body_limit;
	bool truncated;
};

/* One socket of libcurl's on the loop. */
struct watch {
	uv_poll_t handle;
	struct fetch *fetch;
	curl_socket_t fd;
};

/* How a request ended, before it is put into the answer's words. */
struct ending {
	int rc;
	enum obs_check_error error;
	const char *text;
};

static void part_gone(struct fetch *fetch)
{
	if (--fetch->parts == 0) {
		free(fetch);
		curl_global_cleanup();
	}
}

/* ---- what libcurl and the kernel know of a request ---- */

static int64_t curl_time(CURL *easy, CURLINFO which)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(easy, which, &us) == CURLE_OK ? us : 0;
}

static int64_t phase(int64_t from_us, int64_t until_us)
{
	return until_us > 0 && until_us >= from_us ? until_us - from_us : OBS_ABSENT;
}

static void fill_phases(struct fetch_answer *answer, const struct fetch_request *request)
{
	CURL *easy = request->easy;
	int64_t lookup = curl_time(easy, CURLINFO_NAMELOOKUP_TIME_T);
	int64_t connect = curl_time(easy, CURLINFO_CONNECT_TIME_T);
	int64_t tls = curl_time(easy, CURLINFO_APPCONNECT_TIME_T);

	answer->late = request->late;
	answer->dns_us = request->dns_us;
	answer->connect_us = request->handshake_us;
	if (answer->connect_us == OBS_ABSENT && !request->late)
		answer->connect_us = phase(lookup, connect);
	answer->tls_us = phase(connect, tls);
	answer->first_byte_us = phase(curl_time(easy, CURLINFO_PRETRANSFER_TIME_T),
		curl_time(easy, CURLINFO_STARTTRANSFER_TIME_T));
	answer->total_us = tick_since_us(now_tick(), request->started);
}

static void fill_peer(struct fetch_answer *answer, const struct fetch_request *request)
{
	char *text = NULL;

	answer->peer = request->peer;
	if (answer->peer.family == 0 &&
		curl_easy_getinfo(request->easy, CURLINFO_PRIMARY_IP, &text) ==
			CURLE_OK &&
		text && address_parse(&answer->peer, text))
		answer->peer = (struct address){0};
}

static void fill_head(struct fetch_answer *answer, CURL *easy)
{
	struct curl_header *header;
	curl_off_t retry_after_s = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
	(void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	answer->retry_after_s = retry_after_s > 0 ? retry_after_s : OBS_ABSENT;
	if (curl_easy_header(easy, "etag", 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
		strlen(header->value) < sizeof(answer->etag))
		(void)strcpy(answer->etag, header->value);
}

/* The kernel's round trip of the handshake is only there until data flows, and is no
 * measure of what was waited for when a SYN was lost. */
static void read_handshake(struct fetch_request *request)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (request->socket != CURL_SOCKET_BAD &&
		getsockopt(request->socket, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
		info.tcpi_total_retrans == 0 && info.tcpi_rtt > 0)
		request->handshake_us = info.tcpi_rtt;
}

/* ---- libcurl calling back ---- */

static size_t body_came(char *bytes, size_t one, size_t len, void *arg)
{
	struct fetch_request *request = arg;
	size_t space = request->body_limit - request->body_len;
	size_t kept = len < space ? len : space;

	(void)one;
	if (kept < len)
		request->truncated = true;
	if (request->body_len + kept >= request->body_room) {
		size_t room = 2 * (request->body_len + kept) + 512;
		char *larger = realloc(request->body, room);

		if (!larger)
			return CURL_WRITEFUNC_ERROR;
		request->body = larger;
		request->body_room = room;
	}
	memcpy(request->body + request->body_len, bytes, kept);
	request->body_len += kept;
	request->body[request->body_len] = '\0';
	return len;
}

static curl_socket_t socket_opened(
	void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch_request *request = arg;

	(void)purpose;
	request->socket = socket(address->family,
		address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
	return request->socket;
}

static int socket_done(void *arg, curl_socket_t fd)
{
	struct fetch_request *request = arg;
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	/* Nobody but the other side has ended it so far: we close it only now. */
	request->was_reset = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
			     info.tcpi_state == TCP_CLOSE;
	request->socket = CURL_SOCKET_BAD;
	return close(fd);
}

static int request_begins(void *arg, char *peer, char *here, int peer_port, int port)
{
	struct fetch_request *request = arg;

	(void)peer, (void)here, (void)peer_port, (void)port;
	if (request->handshake_us == OBS_ABSENT)
		read_handshake(request);
	return CURL_PREREQFUNC_OK;
}

static int chain_came(X509_STORE_CTX *chain, void *arg)
{
	struct fetch_request *request = arg;
	const SSL *ssl =
		X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	const X509 *leaf = X509_STORE_CTX_get0_cert(chain);
	int verified;

	if (leaf)
		fetch_certificate_read(&request->certificate, leaf);
	if (ssl)
		(void)snprintf(request->certificate.version,
			sizeof(request->certificate.version), "%s", SSL_get_version(ssl));
	verified = X509_verify_cert(chain);
	request->certificate.verified = verified > 0;
	return verified;
}

static CURLcode handshake_begins(CURL *easy, void *ctx, void *arg)
{
	struct fetch_request *request = arg;

	(void)easy;
	read_handshake(request);
	SSL_CTX_set1_cert_store(ctx, request->fetch->trust.store);
	SSL_CTX_set_cert_verify_callback(ctx, chain_came, request);
	return CURLE_OK;
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
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->headers);
	curl_slist_free_all(request->connect_to);
	free(request->body);
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

static void finish(struct fetch_request *request, const struct ending *ending)
{
	struct fetch_answer answer = {.rc = ending->rc,
		.error = ending->error,
		.retry_after_s = OBS_ABSENT,
		.body = request->body ? request->body : "",
		.body_len = request->body_len,
		.truncated = request->truncated};

	if (request->measure)
		note_lateness(request->fetch);
	unlink_request(request);
	fetch_lookup_cancel(request->lookup);
	fill_phases(&answer, request);
	fill_peer(&answer, request);
	if (answer.rc == 0)
		fill_head(&answer, request->easy);
	else
		(void)snprintf(
			answer.error_text, sizeof(answer.error_text), "%s", ending->text);
	answer.certificate = request->certificate;
	/* Not an error when it was never added. */
	(void)curl_multi_remove_handle(request->fetch->multi, request->easy);
	uv_close((uv_handle_t *)&request->timer, request_closed);
	request->done(request->arg, &answer);
}

static struct ending class_of_connect(const struct fetch_request *request)
{
	long error = 0;

	(void)curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &error);
	switch (error) {
	case ECONNREFUSED:
		return (struct ending){-ECONNREFUSED, OBS_CHECK_REFUSED, NULL};
	case ECONNRESET:
		return (struct ending){-ECONNRESET, OBS_CHECK_RESET, NULL};
	case ETIMEDOUT:
		return (struct ending){-ETIMEDOUT, OBS_CHECK_TIMEOUT, NULL};
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EADDRNOTAVAIL:
		return (struct ending){-(int)error, OBS_CHECK_OK, NULL};
	case 0:
		return (struct ending){-EHOSTUNREACH, OBS_CHECK_UNREACHABLE, NULL};
	default:
		return (struct ending){-(int)error, OBS_CHECK_UNREACHABLE, NULL};
	}
}

static struct ending class_of(const struct fetch_request *request, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK:
		return (struct ending){0};
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return (struct ending){UV_EAI_NONAME, OBS_CHECK_DNS, NULL};
	case CURLE_COULDNT_CONNECT:
		return class_of_connect(request);
	case CURLE_OPERATION_TIMEDOUT:
		return (struct ending){-ETIMEDOUT, OBS_CHECK_TIMEOUT, NULL};
	case CURLE_SSL_CONNECT_ERROR:
		if (request->was_reset)
			return (struct ending){-ECONNRESET, OBS_CHECK_RESET, NULL};
		return (struct ending){-EPROTO, OBS_CHECK_TLS, NULL};
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return (struct ending){-EPROTO, OBS_CHECK_TLS, NULL};
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return (struct ending){-ECONNRESET, OBS_CHECK_RESET, NULL};
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WRITE_ERROR:
		return (struct ending){-ENOMEM, OBS_CHECK_OK, NULL};
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_FAILED_INIT:
		return (struct ending){STATUS_LIBRARY, OBS_CHECK_OK, NULL};
	default: /* it answered, but not in HTTP as we know it */
		return (struct ending){STATUS_SYNTAX, OBS_CHECK_HTTP, NULL};
	}
}

static void end_transfer(struct fetch_request *request, CURLcode code)
{
	struct ending ending = class_of(request, code);

	if (code == CURLE_PEER_FAILED_VERIFICATION)
		request->certificate.verified = false; /* a good chain, of another name */
	ending.text = *request->curl_text ? request->curl_text : curl_easy_strerror(code);
	if (code == CURLE_COULDNT_CONNECT)
		ending.text = status_text(ending.rc); /* theirs says how long it took */
	finish(request, &ending);
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

static const char *awaited(const struct fetch_request *request)
{
	CURL *easy = request->easy;

	if (request->lookup)
		return "the name was not resolved";
	if (curl_time(easy, CURLINFO_CONNECT_TIME_T) == 0)
		return "no connection";
	if (curl_time(easy, CURLINFO_PRETRANSFER_TIME_T) == 0)
		return "the TLS handshake did not end";
	if (curl_time(easy, CURLINFO_STARTTRANSFER_TIME_T) == 0)
		return "no answer";
	return "the answer did not end";
}

static void time_is_up(uv_timer_t *timer)
{
	struct fetch_request *request = timer->data;
	struct ending ending = {
		-ETIMEDOUT, request->lookup ? OBS_CHECK_DNS : OBS_CHECK_TIMEOUT, NULL};
	char span[MOMENT_TEXT], text[128];

	(void)snprintf(text, sizeof(text), "%s within %s", awaited(request),
		moment_span_text(request->timeout_us, span));
	ending.text = text;
	finish(request, &ending);
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

static int read_url(char **host, bool *secure, const char *text)
{
	CURLU *url = curl_url();
	char *scheme = NULL;
	int rc = -ENOMEM;

	*host = NULL;
	*secure = false;
	if (!url)
		return rc;
	rc = STATUS_SYNTAX;
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) ||
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0))
		goto end;
	rc = STATUS_UNSUPPORTED;
	*secure = strcasecmp(scheme, "https") == 0;
	if (!*secure && strcasecmp(scheme, "http") != 0)
		goto end;
	rc = curl_url_get(url, CURLUPART_HOST, host, 0) ? STATUS_SYNTAX : 0;
end:
	curl_free(scheme);
	curl_url_cleanup(url);
	return rc;
}

static int add_header(struct fetch_request *request, const char *line)
{
	struct curl_slist *longer = curl_slist_append(request->headers, line);

	if (!longer)
		return -ENOMEM;
	request->headers = longer;
	return 0;
}

static int add_headers(struct fetch_request *request, const struct fetch_header *header)
{
	/* No round trip before a body. */
	int rc = add_header(request, "Expect:");

	for (; rc == 0 && header && header->name; header++) {
		char line[4096];
		int len = snprintf(
			line, sizeof(line), "%s: %s", header->name, header->value);

		if (len < 0 || (size_t)len >= sizeof(line) || strpbrk(line, "\r\n"))
			return -EINVAL;
		rc = add_header(request, line);
	}
	return rc;
}

/* Each returns 0, or something else when memory ran out: the only way in which these
 * fail. */
static unsigned set_method(CURL *easy, const struct fetch_order *order)
{
	const char *method = order->method ? order->method : order->body ? "POST" : "GET";
	unsigned failed = 0;

	if (strcmp(method, "HEAD") == 0)
		return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (order->body || strcmp(method, "POST") == 0) {
		failed |= curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)order->body_len);
		failed |= curl_easy_setopt(
			easy, CURLOPT_COPYPOSTFIELDS, order->body ? order->body : "");
	}
	return failed | curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static unsigned set_tls(CURL *easy, const struct fetch_order *order)
{
	/* The directory of certificates would be read file by file at each handshake. */
	unsigned failed = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);

	failed |= curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_KEPT_S);
	if (order->ca_file)
		failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, order->ca_file);
	if (order->certificate_file)
		failed |=
			curl_easy_setopt(easy, CURLOPT_SSLCERT, order->certificate_file);
	if (order->key_file)
		failed |= curl_easy_setopt(easy, CURLOPT_SSLKEY, order->key_file);
	return failed;
}

static unsigned set_redirects(CURL *easy, const struct fetch_order *order, bool secure)
{
	unsigned failed = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");

	failed |= curl_easy_setopt(
		easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
	failed |= curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	return failed | curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION,
				order->follow_redirects && !order->measure ? 1L : 0L);
}

static int renew_trust(struct fetch *fetch, const struct fetch_order *order)
{
	const char *file = order->ca_file;

	if (!file)
		file = curl_version_info(CURLVERSION_NOW)->cainfo;
	if (!file)
		file = X509_get_default_cert_file();
	return fetch_trust_renew(&fetch->trust, file, now_tick());
}

static unsigned set_measuring(CURL *easy, struct fetch_request *request)
{
	unsigned failed = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);

	failed |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	failed |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* What is trusted is here already, and libcurl must not take it for its own. */
	failed |= curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	failed |= curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_opened);
	failed |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
	failed |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, socket_done);
	failed |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, request);
	failed |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, request_begins);
	failed |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
	failed |= curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, handshake_begins);
	return failed | curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, request);
}

static int set_up(
	struct fetch_request *request, const struct fetch_order *order, bool secure)
{
	CURL *easy = request->easy;
	unsigned failed = curl_easy_setopt(easy, CURLOPT_URL, order->url);
	int rc = add_headers(request, order->headers);

	failed |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	failed |= curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	failed |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->curl_text);
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_came);
	failed |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	failed |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "astray/" ASTRAY_VERSION);
	failed |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	failed |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A name that is still being looked up must not hold the loop when its request
	 * ends. */
	failed |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	failed |= set_method(easy, order);
	failed |= set_tls(easy, order);
	failed |= set_redirects(easy, order, secure);
	if (order->measure)
		failed |= set_measuring(easy, request);
	return rc == 0 && failed ? -ENOMEM : rc;
}

static int connect_to_peer(struct fetch_request *request)
{
	char text[ADDRESS_TEXT], line[ADDRESS_TEXT + 8];

	(void)snprintf(line, sizeof(line),
		request->peer.family == 6 ? "::[%s]:" : "::%s:",
		address_text(&request->peer, text));
	request->connect_to = curl_slist_append(NULL, line);
	if (!request->connect_to ||
		curl_easy_setopt(request->easy, CURLOPT_CONNECT_TO, request->connect_to))
		return -ENOMEM;
	return curl_multi_add_handle(request->fetch->multi, request->easy) ? -ENOMEM : 0;
}

static void name_resolved(void *arg, int rc, const struct address *list, unsigned count)
{
	struct fetch_request *request = arg;
	struct ending ending = {.rc = rc, .error = OBS_CHECK_DNS};

	request->lookup = NULL;
	request->dns_us = tick_since_us(now_tick(), request->started);
	if (rc == 0) {
		request->peer = list[request->turn % count];
		ending.error = OBS_CHECK_OK;
		ending.rc = connect_to_peer(request);
	} else if (rc == UV_EAI_MEMORY || rc == -EMFILE) {
		ending.error = OBS_CHECK_OK;
	}
	ending.text = status_text(ending.rc);
	if (ending.rc)
		finish(request, &ending);
}

static int begin(struct fetch_request *request, const char *host)
{
	char bare[OBS_NAME];
	int len = (int)strlen(host);

	if (!request->measure)
		return curl_multi_add_handle(request->fetch->multi, request->easy)
			       ? -ENOMEM
			       : 0;
	if (*host == '[') {
		host++;
		len -= 2;
	}
	if (len <= 0 || len >= (int)sizeof(bare))
		return STATUS_SYNTAX;
	(void)snprintf(bare, sizeof(bare), "%.*s", len, host);
	if (address_parse(&request->peer, bare) == 0)
		return connect_to_peer(request);
	return fetch_lookup_start(
		&request->lookup, request->fetch->loop, bare, name_resolved, request);
}

static struct fetch_request *new_request(
	struct fetch *fetch, const struct fetch_order *order)
{
	struct fetch_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->fetch = fetch;
	request->timeout_us = order->timeout_us;
	request->body_limit = order->answer_limit;
	request->measure = order->measure;
	request->turn = order->turn;
	request->dns_us = request->handshake_us = OBS_ABSENT;
	request->socket = CURL_SOCKET_BAD;
	request->easy = curl_easy_init();
	if (request->easy)
		return request;
	free(request);
	return NULL;
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
	struct fetch_request *request = NULL;
	char *host;
	bool secure;
	int rc;

	if (out)
		*out = NULL;
	if (fetch->closed)
		return -ECANCELED;
	rc = read_url(&host, &secure, order->url);
	if (rc)
		return rc;
	if (secure && order->measure)
		rc = renew_trust(fetch, order);
	if (rc == 0 && !(request = new_request(fetch, order)))
		rc = -ENOMEM;
	if (rc == 0)
		rc = set_up(request, order, secure);
	if (rc == 0)
		rc = begin(request, host);
	curl_free(host);
	if (rc) {
		if (request)
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
	finish(request,
		&(struct ending){-ECANCELED, OBS_CHECK_OK, status_text(-ECANCELED)});
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
