/*
 * The head of an HTTP/1.x message: what is needed to tell requests from each other and to
 * know where the body ends. Tolerant as servers are (bare LF, any case, blank lines in
 * front), strict where it decides framing. Pure. Source: RFC 9112 §2-§6.
 */
#ifndef PROTOCOL_HTTP_HEAD_H
#define PROTOCOL_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_NO_LENGTH INT64_C(-1)

struct http_head {
	bool is_request;
	bool is_head;    /* the HEAD method: its answer has no body */
	bool is_connect; /* the CONNECT method: a tunnel follows a 2xx answer */
	int status;      /* of an answer */
	bool chunked;
	int64_t content_length; /* HTTP_HEAD_NO_LENGTH: not given */
	const char
		*host; /* inside the bytes that were read, without its port; NULL: none */
	size_t host_len;
	uint16_t port; /* where a proxy is asked to go (CONNECT, absolute-form); else 0 */
};

/* Reads a head, its blank line included; one that was cut is read as far as it goes.
 * STATUS_SYNTAX when it is no HTTP/1 message or its framing contradicts itself. */
int http_head_read(struct http_head *out, const uint8_t *bytes, size_t len);

/* The end of the head: feed it byte runs; *matched is its state between them (0 at
 * first). Returns how many of the bytes belong to the head; *complete says whether it
 * ends there. */
size_t http_head_scan(uint8_t *matched, const uint8_t *bytes, size_t len, bool *complete);

/* Whether a message can begin like this: a method and a space, or "HTTP/1."; any prefix
 * of these will do. */
bool http_head_may_be_request(const uint8_t *bytes, size_t len);
bool http_head_may_be_answer(const uint8_t *bytes, size_t len);

/* A host without the port behind it, or the brackets around it; *len becomes its length.
 */
const char *http_head_without_port(const char *host, size_t *len);

/* Whether a host is an address in letters, and so nobody's name. */
bool http_head_is_address(const char *host, size_t len);

#endif
