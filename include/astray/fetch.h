/*
 * HTTP requests on a libuv loop: the one place that meets libcurl. Used by active checks
 * (with phases and certificate facts), by the uplink, by notifiers and for RDAP. Nothing
 * blocks, names included; a request ends by exactly one call of its done function, from
 * the loop or, when it is cancelled or the client is closed, before that call returns.
 *
 * Only http and https are spoken, HTTP/1.1, certificates are always verified, and a
 * redirect never leads from https to http. The system's CA bundle is read again every ten
 * minutes.
 */
#ifndef ASTRAY_FETCH_H
#define ASTRAY_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"

struct uv_loop_s;
struct fetch;         /* a client: its connections and TLS settings */
struct fetch_request; /* one running request; a handle for cancelling only */

struct fetch_header {
	const char *name;
	const char *value;
};

struct fetch_order {
	const char *method; /* NULL: GET, or POST with a body */
	const char *url;
	const struct fetch_header
		*headers; /* ends with a row without name; may be NULL */
	const void *body;
	size_t body_len;
	int64_t timeout_us;  /* whole request */
	size_t answer_limit; /* bytes of body kept; more is read and dropped (truncated is
				set) */
	/* For checks: a connection of its own without proxy or session resumption, so
	 * that every phase happens and is timed; and to one address, the turn-th (modulo
	 * their number) of those that the name has and that there is a way to. Redirects
	 * are not followed. */
	bool measure;
	unsigned turn;
	bool follow_redirects;
	const char *ca_file;                     /* NULL: the system's */
	const char *certificate_file, *key_file; /* client certificate, or NULL */
};

struct fetch_answer {
	int rc; /* 0: an HTTP answer came (whatever its status); else negative */
	/* The class of rc, in the wire's words. A negative rc without a class is this
	 * machine's own trouble (memory, descriptors, a certificate file) or -ECANCELED:
	 * it says nothing of the other side. */
	enum obs_check_error error;
	char error_text[OBS_TEXT];
	long status;
	const char *body; /* NUL behind the end; valid during the call */
	size_t body_len;
	bool truncated;
	int64_t retry_after_s; /* OBS_ABSENT without the header */
	char etag[128];
	struct address peer; /* whom it was sent to, also when nobody answered */
	/* Durations, OBS_ABSENT for a phase that did not happen or did not end.
	 * connect_us is the handshake's round trip as the kernel saw it, unless a SYN was
	 * sent twice. */
	int64_t dns_us, connect_us, tls_us, first_byte_us, total_us;
	/* The loop itself came late by more than 5 ms meanwhile: durations are not to be
	 * believed, except connect_us, which is then only given when it is the kernel's.
	 */
	bool late;
	struct obs_certificate
		certificate; /* of a measured https request, also when it failed */
};

typedef void (*fetch_done_fn)(void *arg, const struct fetch_answer *answer);

int fetch_open(struct fetch **out, struct uv_loop_s *loop);
/* Starts a request; *out (`out` may be NULL) is valid until done is called. Copies the
 * order. STATUS_SYNTAX: not a URL; STATUS_UNSUPPORTED: neither http nor https;
 * -ECANCELED: the client is being closed; STATUS_LIBRARY: the CA file of a measured
 * request cannot be read. */
int fetch_start(struct fetch *fetch, struct fetch_request **out,
	const struct fetch_order *order, fetch_done_fn done, void *arg);
void fetch_cancel(struct fetch_request *request); /* done is called with -ECANCELED */
/* Cancels what runs, and frees in the loop's next turns. NULL is fine. */
void fetch_close(struct fetch *fetch);

#endif
