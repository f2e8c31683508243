/*
 * One HTTP/1.1 request out of bytes that come in pieces: the one place that meets llhttp.
 * Pure: no socket, no clock. However the bytes are cut, the result is the same.
 *
 * Stricter than the library, because what two readers understand differently can smuggle
 * a second request: lines end in CR LF and in nothing else, no folded lines, no spaces
 * before a colon, one Host, a length or "chunked" but never both, no chunk extensions, no
 * trailers, only targets that begin with "/". Head, body and framing are bounded in bytes
 * before they are stored.
 */
#ifndef ASTRAY_HTTP_REQUEST_H
#define ASTRAY_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "astray/address.h"

struct http_request {
	const char *method; /* "GET"; HEAD reads as GET, and its answer is sent without
			       the body */
	const char *path;   /* decoded, without the query; always begins with "/" */
	const char *query;  /* as sent, without "?"; "" without one */
	const char *body;   /* a NUL stands behind it */
	size_t body_len;
	struct address peer;
	const char *client; /* common name of the verified client certificate, or "" */
};

#define HTTP_REQUEST_HEADERS 64

struct http_request_limits {
	size_t head_bytes;
	size_t body_bytes; /* as sent, before any decoding */
};

enum http_request_stage {
	HTTP_REQUEST_MORE, /* all bytes are used up, more are needed */
	HTTP_REQUEST_HEAD, /* the head is there; go on with what is left, even if that is
			      nothing */
	HTTP_REQUEST_DONE, /* all of it is there; what is left belongs to the next request
			    */
};

struct http_request_reader;

int http_request_open(
	struct http_request_reader **out, const struct http_request_limits *limits);
void http_request_close(struct http_request_reader *reader); /* NULL is fine */

/* Takes in bytes; *used says how many. A stage, or negative: the request is to be refused
 * with http_request_status() and its reason, and nothing behind it can be understood. */
int http_request_read(
	struct http_request_reader *reader, const void *bytes, size_t len, size_t *used);
int http_request_status(const struct http_request_reader *reader); /* 400, 413, 431, … */
const char *http_request_reason(const struct http_request_reader *reader);

/* Peer and client are for the caller to fill; the rest is valid until close. */
struct http_request *http_request_of(struct http_request_reader *reader);
/* The value of a header (name in lower case), or NULL. */
const char *http_request_header(
	const struct http_request_reader *reader, const char *name);
bool http_request_keeps_alive(const struct http_request_reader *reader);
bool http_request_expects_continue(const struct http_request_reader *reader);
bool http_request_is_head(const struct http_request_reader *reader);

/* A decoded parameter of a query: false when it is not there, is not well formed or does
 * not fit. */
bool http_request_parameter(const char *query, const char *name, char *buf, size_t cap);

#endif
