#include "http_server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/json.h"
#include "astray/moment.h"
#include "astray/status.h"
#include "http_connection.h"

#define BACKLOG 1024
#define BUCKETS 1024 /* connections by address */
#define DRAIN_MS 2000
#define REFUSAL_MAX 1024

struct peer_link {
	struct http_connection *connection;
	struct peer_link *next;
};

struct http_server {
	struct http_connection_host host; /* first: connections know it only */
	uv_tcp_t listener;
	uv_timer_t drain;
	unsigned open_handles;
	uint16_t port;
	uint64_t seed;
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
	char *certificate_file, *key_file, *client_ca_file;
	struct peer_link *peers[BUCKETS];
};

/* ---- who is connected */

static struct peer_link **bucket_of(
	struct http_server *server, const struct address *peer)
{
	return &server->peers[address_hash(peer, server->seed) % BUCKETS];
}

static unsigned count_peer(struct http_server *server, const struct address *peer)
{
	unsigned count = 0;

	for (struct peer_link *link = *bucket_of(server, peer); link; link = link->next)
		count += address_equal(http_connection_peer(link->connection), peer);
	return count;
}

static int remember(struct http_server *server, struct http_connection *connection)
{
	struct peer_link **bucket = bucket_of(server, http_connection_peer(connection));
	struct peer_link *link = malloc(sizeof(*link));

	if (!link)
		return -ENOMEM;
	*link = (struct peer_link){.connection = connection, .next = *bucket};
	*bucket = link;
	return 0;
}

static void forget(struct http_server *server, const struct http_connection *connection)
{
	struct peer_link **at = bucket_of(server, http_connection_peer(connection));

	while (*at && (*at)->connection != connection)
		at = &(*at)->next;
	if (*at) {
		struct peer_link *link = *at;

		*at = link->next;
		free(link);
	}
}

static void each_connection(
	struct http_server *server, void (*what)(struct http_connection *connection))
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct peer_link *link = server->peers[i]; link; link = link->next)
			what(link->connection);
}

/* ---- the end */

static void free_server(struct http_server *server)
{
	http_tls_close(server->host.tls);
	free(server->certificate_file);
	free(server->key_file);
	free(server->client_ca_file);
	free(server);
}

static void finish_when_empty(struct http_server *server)
{
	void (*closed)(void *arg) = server->closed;
	void *arg = server->closed_arg;

	if (!server->closing || server->open_handles || server->host.exchanges ||
		server->host.counters.open_connections)
		return;
	free_server(server);
	if (closed)
		closed(arg);
}

static void handle_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;

	server->open_handles--;
	finish_when_empty(server);
}

static void end_drain(struct http_server *server)
{
	each_connection(server, http_connection_end);
	if (!uv_is_closing((uv_handle_t *)&server->drain))
		uv_close((uv_handle_t *)&server->drain, handle_closed);
}

static void drain_ended(uv_timer_t *timer)
{
	end_drain(timer->data);
}

static void connection_freed(
	struct http_connection_host *host, struct http_connection *connection)
{
	struct http_server *server = (struct http_server *)host;

	if (connection)
		forget(server, connection);
	if (server->closing && !host->counters.open_connections && !host->exchanges)
		end_drain(server);
	finish_when_empty(server);
}

void http_server_close(struct http_server *server, void (*closed)(void *arg), void *arg)
{
	server->closing = true;
	server->closed = closed;
	server->closed_arg = arg;
	uv_close((uv_handle_t *)&server->listener, handle_closed);
	each_connection(server, http_connection_drain);
	if (server->host.counters.open_connections || server->host.exchanges)
		(void)uv_timer_start(&server->drain, drain_ended, DRAIN_MS, 0);
	else
		end_drain(server);
}

/* ---- the beginning */

static bool has_room_for(struct http_server *server, const struct address *peer)
{
	const struct http_settings *settings = &server->host.settings;

	return server->host.counters.open_connections <= settings->connections_max &&
	       count_peer(server, peer) < settings->connections_per_address;
}

static void connection_came(uv_stream_t *listener, int status)
{
	struct http_server *server = listener->data;
	struct http_connection *connection;
	int rc = status < 0
			 ? status
			 : http_connection_accept(&connection, &server->host, listener);
	bool room;

	if (status < 0 || (rc && !connection))
		return;
	server->host.counters.connections++;
	room = rc == 0 && has_room_for(server, http_connection_peer(connection));
	if (rc == 0 && !room)
		server->host.counters.refused_connections++;
	if (!room || remember(server, connection) || http_connection_start(connection))
		http_connection_end(connection);
}

static void set_default(int64_t *value, int64_t standard)
{
	if (*value == 0)
		*value = standard;
}

static void set_default_size(size_t *value, size_t standard)
{
	if (*value == 0)
		*value = standard;
}

static void fill_defaults(struct http_settings *settings)
{
	set_default_size(&settings->head_limit_bytes, 16 * (size_t)1024);
	set_default_size(&settings->body_limit_bytes, 1024 * (size_t)1024);
	set_default(&settings->head_timeout_us, 10 * MOMENT_SECOND_US);
	set_default(&settings->body_timeout_us, 30 * MOMENT_SECOND_US);
	set_default(&settings->idle_timeout_us, 75 * MOMENT_SECOND_US);
	if (!settings->connections_max)
		settings->connections_max = 4096;
	if (!settings->connections_per_address)
		settings->connections_per_address = 256;
}

static int copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static struct http_tls_files files_of(const struct http_server *server)
{
	return (struct http_tls_files){.certificate = server->certificate_file,
		.key = server->key_file,
		.client_ca = server->client_ca_file};
}

static int set_up(struct http_server *server, const struct http_settings *settings,
	struct fault *fault)
{
	struct http_tls_files files;

	if (copy_text(&server->certificate_file, settings->certificate_file) ||
		copy_text(&server->key_file, settings->key_file) ||
		copy_text(&server->client_ca_file, settings->client_ca_file) ||
		getrandom(&server->seed, sizeof(server->seed), 0) < 0)
		return fault_at(fault, -ENOMEM, "", "no memory");
	files = files_of(server);
	return files.certificate ? http_tls_open(&server->host.tls, &files, fault) : 0;
}

static int read_port(struct http_server *server)
{
	struct sockaddr_storage storage;
	struct address address;
	int len = sizeof(storage);
	int rc = uv_tcp_getsockname(&server->listener, (struct sockaddr *)&storage, &len);

	return rc ? rc
		  : address_from_sockaddr(
			    &address, &server->port, (struct sockaddr *)&storage);
}

static int listen_on(struct http_server *server, const struct http_settings *settings,
	struct fault *fault)
{
	struct sockaddr_storage storage;
	char text[ADDRESS_TEXT];
	int rc;

	(void)address_to_sockaddr(&settings->address, settings->port, &storage);
	rc = uv_tcp_bind(&server->listener, (struct sockaddr *)&storage, 0);
	if (rc == 0)
		rc = uv_listen(
			(uv_stream_t *)&server->listener, BACKLOG, connection_came);
	if (rc == 0)
		rc = read_port(server);
	if (rc)
		return fault_at(fault, rc, "listen", "%s port %u: %s",
			address_text(&settings->address, text), (unsigned)settings->port,
			status_text(rc));
	return 0;
}

static int init_handles(struct http_server *server, uv_loop_t *loop)
{
	int rc = uv_tcp_init(loop, &server->listener);

	if (rc)
		return rc;
	(void)uv_timer_init(loop, &server->drain);
	server->listener.data = server->drain.data = server;
	server->open_handles = 2;
	return 0;
}

int http_server_open(struct http_server **out, struct uv_loop_s *loop,
	const struct http_settings *settings, const struct log *log,
	http_handler_fn handler, void *arg, struct fault *fault)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int rc;

	*out = NULL;
	if (!server)
		return fault_at(fault, -ENOMEM, "", "no memory");
	server->host.loop = loop;
	server->host.log = log;
	server->host.settings = *settings;
	server->host.handler = handler;
	server->host.handler_arg = arg;
	server->host.freed = connection_freed;
	fill_defaults(&server->host.settings);
	rc = set_up(server, settings, fault);
	if (rc == 0)
		rc = init_handles(server, loop);
	if (rc) {
		free_server(server);
		return rc;
	}
	rc = listen_on(server, settings, fault);
	if (rc) {
		http_server_close(server, NULL, NULL);
		return rc;
	}
	*out = server;
	return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

int http_server_reload(struct http_server *server, struct fault *fault)
{
	struct http_tls_files files = files_of(server);

	return server->host.tls ? http_tls_reload(server->host.tls, &files, fault) : 0;
}

void http_server_read_counters(
	const struct http_server *server, struct http_counters *out)
{
	*out = server->host.counters;
}

/* ---- for handlers */

const struct http_request *http_server_request(const struct http_exchange *exchange)
{
	return http_request_of(exchange->reader);
}

const char *http_server_header(const struct http_exchange *exchange, const char *name)
{
	return http_request_header(exchange->reader, name);
}

bool http_server_parameter(
	const struct http_exchange *exchange, const char *name, char *buf, size_t cap)
{
	return http_request_parameter(
		http_request_of(exchange->reader)->query, name, buf, cap);
}

void http_server_reply(struct http_exchange *exchange, const struct http_reply *reply)
{
	http_connection_answer(exchange, reply);
}

void http_server_refuse(
	struct http_exchange *exchange, int status, const char *format, ...)
{
	struct json *body = json_new_object();
	char why[REFUSAL_MAX], text[REFUSAL_MAX * 6];
	va_list args;
	int len;

	va_start(args, format);
	(void)vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	json_add_text(body, "error", why);
	len = json_print(body, text, sizeof(text));
	json_free(body);
	http_connection_answer(exchange, &(struct http_reply){.status = status,
						 .content_type = "application/json",
						 .body = text,
						 .body_len = len > 0 ? (size_t)len : 0});
}

struct http_stream *http_server_stream(struct http_exchange *exchange,
	const char *content_type, void (*gone)(void *arg), void *arg)
{
	return http_connection_stream(exchange, content_type, gone, arg);
}

void http_server_stream_send(struct http_stream *stream, const void *bytes, size_t len)
{
	http_connection_send(stream, bytes, len);
}

void http_server_stream_end(struct http_stream *stream)
{
	http_connection_stream_end(stream);
}
