/*
 * An HTTP server for tests, on the test's own loop: it says what it is told to say.
 */
#ifndef TESTS_LOOP_SERVER_H
#define TESTS_LOOP_SERVER_H

#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Each request is answered with `answer` once a head has come; NULL: never;
 * "RST": by a reset. */
struct loop_server {
	uv_tcp_t listener;
	const char *answer;
	unsigned connections, open, most_open;
	char heard[8192];
	size_t heard_len;
	int port;
	unsigned requests;
	void (*came)(
		void *arg, const char *request); /* before each answer; may be NULL */
	void *arg;
};

static inline void loop_server_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	(void)handle, (void)wanted;
	*buf = uv_buf_init(malloc(4096), 4096);
}

static inline void loop_server_forget(uv_handle_t *handle)
{
	struct loop_server *server = handle->data;

	server->open--;
	free(handle);
}

static inline void loop_server_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct loop_server *server = stream->data;

	if (len > 0 && server->heard_len + (size_t)len < sizeof(server->heard)) {
		memcpy(server->heard + server->heard_len, buf->base, (size_t)len);
		server->heard_len += (size_t)len;
		server->heard[server->heard_len] = '\0';
	}
	free(buf->base);
	if (len < 0) {
		uv_close((uv_handle_t *)stream, loop_server_forget);
	} else if (server->answer && strcmp(server->answer, "RST") == 0) {
		assert_int_equal(
			uv_tcp_close_reset((uv_tcp_t *)stream, loop_server_forget), 0);
	} else if (server->answer && strstr(server->heard, "\r\n\r\n")) {
		uv_buf_t out;

		server->heard_len = 0;
		server->requests++;
		if (server->came)
			server->came(server->arg, server->heard);
		out = uv_buf_init(
			strdup(server->answer), (unsigned)strlen(server->answer));
		assert_int_equal(uv_try_write(stream, &out, 1), (int)out.len);
		free(out.base);
	}
}

static inline void loop_server_accept(uv_stream_t *listener, int status)
{
	struct loop_server *server = listener->data;
	uv_tcp_t *tcp = malloc(sizeof(*tcp));

	assert_int_equal(status, 0);
	assert_int_equal(uv_tcp_init(listener->loop, tcp), 0);
	tcp->data = server;
	server->connections++;
	server->open++;
	if (server->open > server->most_open)
		server->most_open = server->open;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)tcp), 0);
	assert_int_equal(
		uv_read_start((uv_stream_t *)tcp, loop_server_room, loop_server_read), 0);
}

static inline void loop_server_open(struct loop_server *server, uv_loop_t *loop)
{
	struct sockaddr_in address;
	int len = sizeof(address);

	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &address), 0);
	assert_int_equal(uv_tcp_init(loop, &server->listener), 0);
	server->listener.data = server;
	assert_int_equal(
		uv_tcp_bind(&server->listener, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(
		uv_listen((uv_stream_t *)&server->listener, 16, loop_server_accept), 0);
	assert_int_equal(
		uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &len),
		0);
	server->port = ntohs(address.sin_port);
}

static inline void loop_server_close_one(uv_handle_t *handle, void *arg)
{
	struct loop_server *server = arg;

	if (handle->type == UV_TCP && handle->data == server && !uv_is_closing(handle))
		uv_close(handle, handle == (uv_handle_t *)&server->listener
					 ? NULL
					 : loop_server_forget);
}

static inline void loop_server_close_all(struct loop_server *server)
{
	uv_walk(server->listener.loop, loop_server_close_one, server);
}

#endif
