#include "http_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "astray/json.h"
#include "astray/now.h"
#include "astray/status.h"

#define LINGER_US (2 * MOMENT_SECOND_US)
#define LINGER_BYTES ((size_t)4 * 1024 * 1024)
#define STREAM_CHATTER_BYTES \
	((size_t)16 * 1024) /* a client of a stream has nothing to say */
#define UNREAD_BYTES ((size_t)1024 * 1024)
#define KEEPALIVE_SECONDS 60
#define US_PER_MS 1000

enum stage {
	STAGE_IDLE,      /* between requests */
	STAGE_HEAD,      /* the head of one is coming in */
	STAGE_BODY,      /* its body is */
	STAGE_WAITING,   /* the handler has it */
	STAGE_SENDING,   /* the answer is on its way */
	STAGE_STREAMING, /* an answer without end */
	STAGE_LINGERING, /* all is said; what still comes is thrown away, so that no reset
			    eats it */
	STAGE_CLOSING,
};

struct rest {
	uint8_t *bytes;
	size_t at, len;
};

struct http_stream {
	struct http_connection *connection;
	void (*gone)(void *arg);
	void *arg;
};

struct http_connection {
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_shutdown_t shutdown;
	unsigned open_handles;
	struct http_connection_host *host;
	struct address peer;
	struct http_tls_session *tls;
	enum stage stage;
	bool closes; /* behind the answer */
	struct http_exchange *exchange;
	struct http_stream *stream;
	struct rest cipher, plain; /* came in behind a request that is being answered */
	size_t ignored_bytes;
};

struct outgoing {
	uv_write_t write;
	struct http_connection *connection;
	bool answer; /* the last piece of one */
	void *bytes;
};

/* ---- the end */

static void free_exchange(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	http_request_close(exchange->reader);
	free(exchange);
}

static void handle_closed(uv_handle_t *handle)
{
	struct http_connection *connection = handle->data;
	struct http_connection_host *host = connection->host;

	if (--connection->open_handles > 0)
		return;
	if (connection->stream) {
		connection->stream->gone(connection->stream->arg);
		free(connection->stream);
	}
	http_tls_session_free(connection->tls);
	free(connection->cipher.bytes);
	free(connection->plain.bytes);
	host->counters.open_connections--;
	host->freed(host, connection);
	free(connection);
}

void http_connection_end(struct http_connection *connection)
{
	if (connection->stage == STAGE_CLOSING)
		return;
	if (connection->stage == STAGE_WAITING)
		connection->exchange->connection =
			NULL; /* the handler still owes an answer */
	else
		free_exchange(connection->exchange);
	connection->exchange = NULL;
	connection->stage = STAGE_CLOSING;
	uv_close((uv_handle_t *)&connection->tcp, handle_closed);
	uv_close((uv_handle_t *)&connection->timer, handle_closed);
}

void http_connection_drain(struct http_connection *connection)
{
	connection->closes = true;
	if (connection->stage == STAGE_IDLE || connection->stage == STAGE_STREAMING ||
		(connection->stage == STAGE_HEAD && !connection->exchange))
		http_connection_end(connection);
}

/* ---- time */

static void refuse(struct http_connection *connection, int status, const char *reason);

static void timer_fired(uv_timer_t *timer)
{
	struct http_connection *connection = timer->data;
	enum stage stage = connection->stage;

	if (stage != STAGE_IDLE && stage != STAGE_LINGERING)
		connection->host->counters.timeouts++;
	if (stage == STAGE_BODY || (stage == STAGE_HEAD && connection->exchange))
		refuse(connection, 408, "the request took too long");
	else
		http_connection_end(connection);
}

static void allow(struct http_connection *connection, int64_t us)
{
	(void)uv_timer_start(&connection->timer, timer_fired,
		(uint64_t)(us + US_PER_MS - 1) / US_PER_MS, 0);
}

/* ---- out */

static void answer_sent(struct http_connection *connection);

static void written(uv_write_t *write, int status)
{
	struct outgoing *out = (struct outgoing *)write->data;
	struct http_connection *connection = out->connection;
	bool answer = out->answer;

	free(out->bytes);
	free(out);
	if (connection->stage == STAGE_CLOSING)
		return;
	if (status < 0)
		http_connection_end(connection);
	else if (answer)
		answer_sent(connection);
}

/* Takes over the bytes. */
static int put_raw(
	struct http_connection *connection, void *bytes, size_t len, bool answer)
{
	struct outgoing *out = calloc(1, sizeof(*out));
	uv_buf_t buf = uv_buf_init(bytes, (unsigned)len);
	int rc = out ? 0 : -ENOMEM;

	/* An answer is bounded by its handler; other bytes by how fast the peer reads. */
	if (!answer && uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp) >
			       UNREAD_BYTES)
		rc = -ENOBUFS;
	if (rc == 0) {
		*out = (struct outgoing){
			.connection = connection, .answer = answer, .bytes = bytes};
		out->write.data = out;
		rc = uv_write(
			&out->write, (uv_stream_t *)&connection->tcp, &buf, 1, written);
	}
	if (rc) {
		free(bytes);
		free(out);
		return rc;
	}
	connection->host->counters.sent_bytes += len;
	return 0;
}

static int flush_tls(struct http_connection *connection, bool answer)
{
	size_t len;
	void *bytes = http_tls_take_output(connection->tls, &len);

	return bytes ? put_raw(connection, bytes, len, answer) : 0;
}

/* Takes over the bytes. */
static int put(struct http_connection *connection, void *bytes, size_t len, bool answer)
{
	int rc;

	if (!connection->tls)
		return put_raw(connection, bytes, len, answer);
	rc = http_tls_encrypt(connection->tls, bytes, len);
	free(bytes);
	return rc ? rc : flush_tls(connection, answer);
}

static void answer(struct http_connection *connection, const struct http_reply *reply)
{
	struct http_request_reader *reader = connection->exchange->reader;
	struct http_reply_form form = {.now = now_moment(),
		.close = connection->closes || !http_request_keeps_alive(reader),
		.head_only = http_request_is_head(reader)};
	size_t len;
	char *bytes = http_reply_compose(reply, &form, &len);

	free_exchange(connection->exchange);
	connection->exchange = NULL;
	connection->closes = form.close;
	connection->stage = STAGE_SENDING;
	allow(connection, connection->host->settings.body_timeout_us);
	if (!bytes || put(connection, bytes, len, true))
		http_connection_end(connection);
}

static void refuse(struct http_connection *connection, int status, const char *reason)
{
	struct json *body = json_new_object();
	char text[512];
	int len;

	json_add_text(body, "error", reason);
	len = json_print(body, text, sizeof(text));
	json_free(body);
	connection->host->counters.bad_requests++;
	connection->closes = true;
	(void)uv_read_stop((uv_stream_t *)&connection->tcp);
	answer(connection, &(struct http_reply){.status = status,
				   .content_type = "application/json",
				   .body = text,
				   .body_len = len > 0 ? (size_t)len : 0});
}

/* ---- in */

static void keep(struct http_connection *connection, struct rest *rest,
	const uint8_t *bytes, size_t len)
{
	uint8_t *copy;

	if (len == 0)
		return;
	copy = malloc(len);
	if (!copy) {
		connection->closes =
			true; /* what was pipelined is lost: it must be sent again */
		return;
	}
	memcpy(copy, bytes, len);
	*rest = (struct rest){.bytes = copy, .len = len};
}

static void hand_over(struct http_connection *connection)
{
	struct http_exchange *exchange = connection->exchange;
	struct http_request *request = http_request_of(exchange->reader);

	request->peer = connection->peer;
	if (connection->tls)
		request->client = http_tls_client(connection->tls);
	connection->stage = STAGE_WAITING;
	connection->host->counters.requests++;
	connection->host->exchanges++;
	(void)uv_timer_stop(&connection->timer);
	(void)uv_read_stop((uv_stream_t *)&connection->tcp);
	connection->host->handler(connection->host->handler_arg, exchange);
}

static int begin_request(struct http_connection *connection)
{
	struct http_connection_host *host = connection->host;
	struct http_request_limits limits = {
		.head_bytes = host->settings.head_limit_bytes,
		.body_bytes = host->settings.body_limit_bytes};
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange || http_request_open(&exchange->reader, &limits)) {
		free(exchange);
		return -ENOMEM;
	}
	exchange->host = host;
	exchange->connection = connection;
	connection->exchange = exchange;
	if (connection->stage == STAGE_IDLE)
		allow(connection, host->settings.head_timeout_us);
	connection->stage = STAGE_HEAD;
	return 0;
}

static void head_came(struct http_connection *connection)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char *bytes;

	connection->stage = STAGE_BODY;
	allow(connection, connection->host->settings.body_timeout_us);
	if (!http_request_expects_continue(connection->exchange->reader))
		return;
	bytes = strdup(go_on);
	if (!bytes || put(connection, bytes, sizeof(go_on) - 1, false))
		http_connection_end(connection);
}

static bool is_reading(const struct http_connection *connection)
{
	return connection->stage <= STAGE_BODY;
}

/* Takes in plaintext up to the end of a request; what is behind it waits. */
static void take_plain(
	struct http_connection *connection, const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	bool again = len > 0;

	while (again && is_reading(connection)) {
		size_t used = 0;
		int rc = connection->exchange ? 0 : begin_request(connection);

		if (rc) {
			http_connection_end(connection);
			return;
		}
		rc = http_request_read(
			connection->exchange->reader, bytes + at, len - at, &used);
		at += used;
		again = rc == HTTP_REQUEST_HEAD || at < len;
		if (rc < 0)
			refuse(connection,
				http_request_status(connection->exchange->reader),
				http_request_reason(connection->exchange->reader));
		else if (rc == HTTP_REQUEST_HEAD)
			head_came(connection);
		else if (rc == HTTP_REQUEST_DONE) {
			keep(connection, &connection->plain, bytes + at, len - at);
			hand_over(connection);
			return;
		}
	}
}

static void tls_failed(struct http_connection *connection, int rc)
{
	char text[ADDRESS_TEXT];

	if (rc != UV_EOF) {
		connection->host->counters.tls_failures++;
		log_debug(connection->host->log, "http", "%s: TLS: %s, closed",
			address_text(&connection->peer, text),
			http_tls_failure(connection->tls));
	}
	(void)flush_tls(
		connection, false); /* an alert that says why, written before the close */
	http_connection_end(connection);
}

static void take_cipher(
	struct http_connection *connection, const uint8_t *bytes, size_t len)
{
	uint8_t *plain = connection->host->plain_buffer;
	int rc = 1;

	while (rc > 0 && is_reading(connection)) {
		rc = http_tls_decrypt(connection->tls, &bytes, &len, plain,
			HTTP_CONNECTION_RECORD_BYTES);
		if (rc >= 0 && flush_tls(connection, false))
			rc = -EIO;
		if (rc > 0)
			take_plain(connection, plain, (size_t)rc);
	}
	if (rc < 0)
		tls_failed(connection, rc);
	else if (connection->stage != STAGE_CLOSING)
		keep(connection, &connection->cipher, bytes, len);
}

static void take(struct http_connection *connection, const uint8_t *bytes, size_t len)
{
	if (connection->tls)
		take_cipher(connection, bytes, len);
	else
		take_plain(connection, bytes, len);
}

static void ignore(struct http_connection *connection, size_t len)
{
	size_t limit = connection->stage == STAGE_LINGERING ? LINGER_BYTES
							    : STREAM_CHATTER_BYTES;

	connection->ignored_bytes += len;
	if (connection->ignored_bytes > limit)
		http_connection_end(connection);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct http_connection *connection = handle->data;

	(void)suggested;
	*buf = uv_buf_init(
		(char *)connection->host->read_buffer, HTTP_CONNECTION_READ_BYTES);
}

static void bytes_came(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct http_connection *connection = stream->data;

	if (len == 0)
		return;
	if (len < 0) {
		http_connection_end(connection);
		return;
	}
	connection->host->counters.received_bytes += (uint64_t)len;
	if (is_reading(connection))
		take(connection, (const uint8_t *)buf->base, (size_t)len);
	else
		ignore(connection, (size_t)len);
}

static void read_on(struct http_connection *connection)
{
	if (uv_read_start((uv_stream_t *)&connection->tcp, give_buffer, bytes_came))
		http_connection_end(connection);
}

/* ---- behind an answer */

static void linger(struct http_connection *connection)
{
	connection->stage = STAGE_LINGERING;
	if (connection->tls) {
		http_tls_say_goodbye(connection->tls);
		(void)flush_tls(connection, false);
	}
	allow(connection, LINGER_US);
	if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, NULL))
		http_connection_end(connection);
	else
		read_on(connection);
}

static void take_rest(struct http_connection *connection, struct rest *rest,
	void (*taker)(struct http_connection *, const uint8_t *, size_t))
{
	struct rest mine = *rest;

	if (!mine.bytes || !is_reading(connection))
		return;
	*rest = (struct rest){0};
	taker(connection, mine.bytes, mine.len);
	free(mine.bytes);
}

static void answer_sent(struct http_connection *connection)
{
	if (connection->stage != STAGE_SENDING)
		return;
	if (connection->closes) {
		linger(connection);
		return;
	}
	connection->stage = STAGE_IDLE;
	allow(connection, connection->host->settings.idle_timeout_us);
	take_rest(connection, &connection->plain, take_plain);
	take_rest(connection, &connection->cipher, take_cipher);
	if (is_reading(connection))
		read_on(connection);
}

void http_connection_answer(
	struct http_exchange *exchange, const struct http_reply *reply)
{
	struct http_connection_host *host = exchange->host;

	host->exchanges--;
	if (exchange->connection)
		answer(exchange->connection, reply);
	else
		free_exchange(exchange);
	host->freed(host, NULL);
}

/* ---- streams */

struct http_stream *http_connection_stream(struct http_exchange *exchange,
	const char *content_type, void (*gone)(void *arg), void *arg)
{
	struct http_connection *connection = exchange->connection;
	struct http_connection_host *host = exchange->host;
	struct http_reply reply = {.status = 200,
		.content_type = content_type,
		.headers =
			(const struct http_header[]){{"Cache-Control", "no-store"}, {0}}};
	struct http_reply_form form = {.now = now_moment(), .endless = true};
	struct http_stream *stream = calloc(1, sizeof(*stream));
	size_t len;
	char *bytes = http_reply_compose(&reply, &form, &len);

	host->exchanges--;
	free_exchange(exchange);
	host->freed(host, NULL);
	if (!connection) {
		free(bytes);
		free(stream);
		return NULL;
	}
	connection->exchange = NULL;
	connection->stage = STAGE_STREAMING;
	if (!stream || !bytes || put(connection, bytes, len, false)) {
		free(stream);
		http_connection_end(connection);
		return NULL;
	}
	*stream =
		(struct http_stream){.connection = connection, .gone = gone, .arg = arg};
	connection->stream = stream;
	read_on(connection);
	return stream;
}

void http_connection_send(struct http_stream *stream, const void *bytes, size_t len)
{
	struct http_connection *connection = stream->connection;
	void *copy;

	if (connection->stage != STAGE_STREAMING || len == 0)
		return;
	copy = malloc(len);
	if (copy)
		memcpy(copy, bytes, len);
	if (!copy || put(connection, copy, len, false))
		http_connection_end(connection);
}

void http_connection_stream_end(struct http_stream *stream)
{
	http_connection_end(stream->connection);
}

/* ---- the beginning */

static int read_peer(struct http_connection *connection)
{
	struct sockaddr_storage storage;
	int len = sizeof(storage);
	int rc = uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&storage, &len);

	return rc ? rc
		  : address_from_sockaddr(
			    &connection->peer, NULL, (struct sockaddr *)&storage);
}

int http_connection_accept(struct http_connection **out,
	struct http_connection_host *host, uv_stream_t *listener)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));
	int rc;

	*out = NULL;
	if (!connection)
		return -ENOMEM;
	connection->host = host;
	connection->stage = STAGE_HEAD;
	rc = uv_tcp_init(host->loop, &connection->tcp);
	if (rc) {
		free(connection);
		return rc;
	}
	(void)uv_timer_init(host->loop, &connection->timer);
	connection->tcp.data = connection->timer.data = connection;
	connection->open_handles = 2;
	host->counters.open_connections++;
	rc = uv_accept(listener, (uv_stream_t *)&connection->tcp);
	if (rc == 0)
		rc = read_peer(connection);
	*out = connection;
	return rc;
}

const struct address *http_connection_peer(const struct http_connection *connection)
{
	return &connection->peer;
}

int http_connection_start(struct http_connection *connection)
{
	struct http_connection_host *host = connection->host;
	int rc = host->tls ? http_tls_session_new(&connection->tls, host->tls) : 0;

	if (rc)
		return rc;
	(void)uv_tcp_nodelay(&connection->tcp, 1);
	(void)uv_tcp_keepalive(&connection->tcp, 1, KEEPALIVE_SECONDS);
	allow(connection, host->settings.head_timeout_us);
	return uv_read_start((uv_stream_t *)&connection->tcp, give_buffer, bytes_came);
}
