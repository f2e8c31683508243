/*
 * Name servers for tests, UDP and TCP, on the test's own loop: 127.x.y.1, 127.x.y.2, …,
 * all on one port. x and y are the process's own, so that tests beside each other never
 * want the same. What they say the test writes, into an answer that repeats the
 * question (its case, too).
 */
#ifndef TESTS_NAME_SERVER_H
#define TESTS_NAME_SERVER_H

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include <uv.h>

#include "dns_builder.h"
#include "dns_endpoint.h"

#define NAME_SERVERS 4

static inline struct address name_server_address(unsigned number)
{
	unsigned process = (unsigned)getpid();
	const uint8_t bytes[4] = {127, (uint8_t)(1 + (process >> 8) % 250),
		(uint8_t)process, (uint8_t)number};

	return address_v4(bytes);
}

static inline const char *name_server_text(unsigned number, char buf[static ADDRESS_TEXT])
{
	struct address address = name_server_address(number);

	return address_text(&address, buf);
}

struct name_servers;

struct name_server {
	struct name_servers *all;
	unsigned number; /* from 1: the last byte of its address */
	unsigned udp_asked, tcp_asked;
	uv_udp_t udp;
	uv_tcp_t listener;
};

struct name_servers {
	struct name_server list[NAME_SERVERS];
	uint16_t port;
	char room[512];
	struct dns_builder builder;
	/* Adds records (and flags) to the answer; false: no answer. */
	bool (*answer)(void *arg, const struct name_server *server, const char *name,
		unsigned type, bool tcp, struct dns_builder *out);
	void *arg;
};

static inline void name_server_flags(struct dns_builder *b, unsigned flags)
{
	b->bytes[2] = (uint8_t)(b->bytes[2] | flags >> 8);
	b->bytes[3] = (uint8_t)(b->bytes[3] | (flags & 0xff));
}

/* Into the builder; false: no answer. */
static inline bool name_server_say(
	struct name_server *server, const uint8_t *question, size_t len, bool tcp)
{
	struct dns_builder *b = &server->all->builder;
	char name[OBS_NAME] = "";
	size_t at = 12, used = 0;
	unsigned type;

	while (at < len && question[at]) {
		used += (size_t)snprintf(name + used, sizeof(name) - used, "%s%.*s",
			used ? "." : "", question[at], (const char *)question + at + 1);
		at += 1u + question[at];
	}
	assert_true(at + 4 < len);
	type = (unsigned)question[at + 1] << 8 | question[at + 2];
	dns_builder_begin(b, (unsigned)question[0] << 8 | question[1],
		DNS_BUILDER_ANSWER | (question[2] & 1) << 8, name, type);
	return server->all->answer(server->all->arg, server, name, type, tcp, b);
}

static inline void name_server_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	const struct name_server *server = handle->data;

	(void)size;
	*buf = uv_buf_init(server->all->room, sizeof(server->all->room));
}

static inline void name_server_heard(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
	const struct sockaddr *from, unsigned flags)
{
	struct name_server *server = udp->data;
	uv_buf_t out;

	(void)flags;
	if (len <= 0)
		return;
	server->udp_asked++;
	if (!name_server_say(server, (const uint8_t *)buf->base, (size_t)len, false))
		return;
	out = uv_buf_init(
		(char *)server->all->builder.bytes, (unsigned)server->all->builder.len);
	assert_int_equal(uv_udp_try_send(udp, &out, 1, from), (int)out.len);
}

static inline void name_server_forget(uv_handle_t *handle)
{
	free(handle);
}

/* A question comes in one piece on loopback. */
static inline void name_server_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct name_server *server = stream->data;
	struct dns_builder *b = &server->all->builder;
	uint8_t length[2];
	uv_buf_t out[2];

	if (len < 3) {
		if (!uv_is_closing((uv_handle_t *)stream))
			uv_close((uv_handle_t *)stream, name_server_forget);
		return;
	}
	server->tcp_asked++;
	if (!name_server_say(
		    server, (const uint8_t *)buf->base + 2, (size_t)len - 2, true))
		return;
	length[0] = (uint8_t)(b->len >> 8);
	length[1] = (uint8_t)b->len;
	out[0] = uv_buf_init((char *)length, 2);
	out[1] = uv_buf_init((char *)b->bytes, (unsigned)b->len);
	assert_int_equal(uv_try_write(stream, out, 2), (int)b->len + 2);
}

static inline void name_server_accept(uv_stream_t *listener, int status)
{
	uv_tcp_t *tcp = malloc(sizeof(*tcp));

	assert_int_equal(status, 0);
	assert_non_null(tcp);
	assert_int_equal(uv_tcp_init(listener->loop, tcp), 0);
	tcp->data = listener->data;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)tcp), 0);
	assert_int_equal(
		uv_read_start((uv_stream_t *)tcp, name_server_room, name_server_read), 0);
}

static inline void name_server_open(
	struct name_server *server, uv_loop_t *loop, uint16_t port)
{
	struct sockaddr_in address;
	char text[ADDRESS_TEXT];

	assert_int_equal(
		uv_ip4_addr(name_server_text(server->number, text), port, &address), 0);
	assert_int_equal(uv_udp_init(loop, &server->udp), 0);
	assert_int_equal(uv_tcp_init(loop, &server->listener), 0);
	server->udp.data = server->listener.data = server;
	assert_int_equal(uv_udp_bind(&server->udp, (struct sockaddr *)&address, 0), 0);
	if (!port) {
		int len = sizeof(address);

		assert_int_equal(uv_udp_getsockname(
					 &server->udp, (struct sockaddr *)&address, &len),
			0);
		server->all->port = ntohs(address.sin_port);
	}
	assert_int_equal(
		uv_tcp_bind(&server->listener, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(
		uv_listen((uv_stream_t *)&server->listener, 8, name_server_accept), 0);
	assert_int_equal(
		uv_udp_recv_start(&server->udp, name_server_room, name_server_heard), 0);
}

static inline void name_servers_open(struct name_servers *servers, uv_loop_t *loop)
{
	for (unsigned i = 0; i < NAME_SERVERS; i++) {
		servers->list[i] = (struct name_server){.all = servers, .number = i + 1};
		name_server_open(&servers->list[i], loop, servers->port);
	}
}

static inline struct dns_endpoint name_servers_endpoint(
	const struct name_servers *servers, unsigned number)
{
	struct dns_endpoint out = {
		.port = servers->port, .address = name_server_address(number)};

	return out;
}

static inline void name_servers_close_one(uv_handle_t *handle, void *arg)
{
	const struct name_servers *servers = arg;
	const struct name_server *server = handle->data;
	bool own = server >= servers->list && server < servers->list + NAME_SERVERS;

	if (!own || uv_is_closing(handle))
		return;
	uv_close(handle, handle == (const uv_handle_t *)&server->udp ||
					 handle == (const uv_handle_t *)&server->listener
				 ? NULL
				 : name_server_forget);
}

/* The loop must still be run. */
static inline void name_servers_close(struct name_servers *servers)
{
	uv_walk(servers->list[0].udp.loop, name_servers_close_one, servers);
}

#endif
