/*
 * HTTP requests on a libuv loop: the one place that meets libcurl. Used by active checks (with
 * phases and certificate facts), by the uplink and by notifiers. Nothing blocks; a request ends
 * by exactly one call of its done function, also when it is cancelled or the client is closed.
 *
 * Phases are libcurl's, made absolute durations; connect time is the handshake round trip as
 * the kernel saw it (TCP_INFO) where that can be had. A sample during which the loop itself was
 * late by more than 5 ms is marked `late`, and its times are not to be believed.
 */
#ifndef ASTRAY_FETCH_H
#define ASTRAY_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"

struct uv_loop_s;
struct fetch;	     /* a client: connection cache, TLS settings */
struct fetch_request; /* one running request; a handle for cancelling only */

struct fetch_header {
	const char *name;
	const char *value;
};

struct fetch_order {
	const char *method; /* NULL: GET */
	const char *url;
	const struct fetch_header *headers; /* ends with a row without name; may be NULL */
	const void *body; /* copied */
	size_t body_len;
	int64_t timeout_us;    /* whole request */
	size_t answer_limit;   /* bytes of body kept; more is read and dropped (truncated is set) */
	bool fresh_connection; /* checks: no reuse, so that every phase is measured */
	bool follow_redirects;
	const char *ca_file;   /* NULL: the system's */
	const char *certificate_file, *key_file; /* client certificate, or NULL */
	bool insecure; /* go on when verification fails, and report it: checks only */
	const char *resolver; /* ask this DNS server instead of the system's, or NULL */
};

struct fetch_answer {
	int rc; /* 0: an HTTP answer came (whatever its status); else negative */
	enum obs_check_error error; /* the class of rc, in the wire's words */
	char error_text[OBS_TEXT];
	long status;
	const char *body; /* NUL behind the end; valid during the call */
	size_t body_len;
	bool truncated;
	int64_t retry_after_s; /* OBS_ABSENT without the header */
	char etag[128];
	struct address peer;
	/* phases, OBS_ABSENT when they did not happen */
	int64_t dns_us, connect_us, tls_us, first_byte_us, total_us;
	bool late;
	struct obs_certificate certificate;
};

typedef void (*fetch_done_fn)(void *arg, const struct fetch_answer *answer);

int fetch_open(struct fetch **out, struct uv_loop_s *loop);
/* Starts a request; *out may be NULL when nobody will cancel it. The order is copied. */
int fetch_start(struct fetch *fetch, struct fetch_request **out, const struct fetch_order *order,
	fetch_done_fn done, void *arg);
void fetch_cancel(struct fetch_request *request); /* done is called with -ECANCELED */
/* Cancels what runs and frees in the loop's next turns. NULL is fine. */
void fetch_close(struct fetch *fetch);

#endif
