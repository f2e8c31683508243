/*
 * HTTP/1.1 over TLS (or without, on loopback) for probes, dashboards and scripts: libuv
 * for the sockets, OpenSSL for TLS, llhttp for the syntax. Everything that a stranger may
 * do is bounded: bytes of a head, bytes of a body, time for each, idle time, connections
 * in all and of one address, requests waiting on one connection.
 *
 * A request reaches the handler when all of it has arrived. The handler answers at once
 * or later, by exactly one http_server_reply() or http_server_stream(); the exchange
 * lives until then, also when the client has gone meanwhile (the answer is then dropped).
 */
#ifndef ASTRAY_HTTP_SERVER_H
#define ASTRAY_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/fault.h"
#include "astray/log.h"
#include "http_reply.h"
#include "http_request.h"

struct uv_loop_s;
struct http_server;
struct http_exchange; /* one request and the answer that it waits for */
struct http_stream;   /* an answer without end: server-sent events */

struct http_settings {
	struct address address;
	uint16_t port; /* 0: any free one, see http_server_port */
	/* PEM files; NULL certificate: no TLS. client_ca: certificates of clients are
	 * asked for and verified against it; a client without one is let in and has no
	 * name. */
	const char *certificate_file, *key_file, *client_ca_file;
	/* What is 0 becomes: 16 KiB, 1 MiB (as sent, before any decoding), 10 s, 30 s, 75
	 * s, 4096, 256. The head's time runs from the connection or the first byte, a TLS
	 * handshake included; the body's also bounds how long an answer may take to be
	 * read. */
	size_t head_limit_bytes, body_limit_bytes;
	int64_t head_timeout_us, body_timeout_us, idle_timeout_us;
	unsigned connections_max, connections_per_address;
};

struct http_counters {
	uint64_t connections, requests, refused_connections, bad_requests, timeouts,
		tls_failures;
	uint64_t open_connections, received_bytes, sent_bytes;
};

typedef void (*http_handler_fn)(void *arg, struct http_exchange *exchange);

int http_server_open(struct http_server **out, struct uv_loop_s *loop,
	const struct http_settings *settings, const struct log *log,
	http_handler_fn handler, void *arg, struct fault *fault);
uint16_t http_server_port(const struct http_server *server);
/* Reads certificates and keys again; on failure the old ones stay. */
int http_server_reload(struct http_server *server, struct fault *fault);
void http_server_read_counters(
	const struct http_server *server, struct http_counters *out);
/* Takes no more, lets running requests end for a moment, then closes all. `closed` is
 * called once nothing is left: the handler has answered all that it was given. */
void http_server_close(struct http_server *server, void (*closed)(void *arg), void *arg);

const struct http_request *http_server_request(const struct http_exchange *exchange);
/* The value of a header of the request (name in lower case), or NULL. */
const char *http_server_header(const struct http_exchange *exchange, const char *name);
/* A decoded parameter of the query: false when it is not there or does not fit. */
bool http_server_parameter(
	const struct http_exchange *exchange, const char *name, char *buf, size_t cap);

void http_server_reply(struct http_exchange *exchange, const struct http_reply *reply);
/* {"error":"…"} with that status. */
void http_server_refuse(struct http_exchange *exchange, int status, const char *format,
	...) __attribute__((format(printf, 3, 4)));

/* Answers 200 with a body that is sent piece by piece; `gone` is called once, from the
 * loop, when the client or either side's end comes, and the stream is freed behind it. A
 * client that reads too slowly is ended. NULL, and no call of `gone`, when the client has
 * left already. */
struct http_stream *http_server_stream(struct http_exchange *exchange,
	const char *content_type, void (*gone)(void *arg), void *arg);
void http_server_stream_send(struct http_stream *stream, const void *bytes, size_t len);
void http_server_stream_end(struct http_stream *stream);

#endif
