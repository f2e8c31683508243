/*
 * One connection of the server: bytes from the socket, through TLS, to a request; an
 * answer back. Requests on one connection are answered one after the other; while one is
 * being answered nothing is read, so that a peer cannot pile up work.
 */
#ifndef ASTRAY_HTTP_CONNECTION_H
#define ASTRAY_HTTP_CONNECTION_H

#include <stdint.h>
#include <uv.h>

#include "http_server.h"
#include "http_tls.h"

#define HTTP_CONNECTION_READ_BYTES ((size_t)64 * 1024)
#define HTTP_CONNECTION_RECORD_BYTES ((size_t)16 * 1024) /* the largest TLS record */

struct http_connection;

/* What every connection of a server uses. */
struct http_connection_host {
	uv_loop_t *loop;
	const struct log *log;
	struct http_settings settings;
	struct http_counters counters;
	struct http_tls *tls; /* NULL: without */
	http_handler_fn handler;
	void *handler_arg;
	/* A connection has been freed, or an exchange answered. */
	void (*freed)(
		struct http_connection_host *host, struct http_connection *connection);
	unsigned exchanges; /* with the handler */
	/* Room for what one read brings: the loop handles one at a time. */
	uint8_t read_buffer[HTTP_CONNECTION_READ_BYTES];
	uint8_t plain_buffer[HTTP_CONNECTION_RECORD_BYTES];
};

struct http_exchange {
	struct http_connection_host *host;
	struct http_connection *connection; /* NULL: the client has left */
	struct http_request_reader *reader;
};

/* Accepts what waits at the listener. */
int http_connection_accept(struct http_connection **out,
	struct http_connection_host *host, uv_stream_t *listener);
const struct address *http_connection_peer(const struct http_connection *connection);
int http_connection_start(struct http_connection *connection);
/* Ends it now; host->freed follows from the loop. */
void http_connection_end(struct http_connection *connection);
/* Ends it once the running request is answered; at once when there is none. */
void http_connection_drain(struct http_connection *connection);

/* Both end the exchange. */
void http_connection_answer(
	struct http_exchange *exchange, const struct http_reply *reply);
struct http_stream *http_connection_stream(struct http_exchange *exchange,
	const char *content_type, void (*gone)(void *arg), void *arg);
void http_connection_send(struct http_stream *stream, const void *bytes, size_t len);
void http_connection_stream_end(struct http_stream *stream);

#endif
