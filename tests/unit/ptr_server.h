/*
 * A DNS server for tests, on the test's own loop, that knows the name of every IPv4
 * address: "d-c-b-a.example.net" for a.b.c.d; or keeps silent, or knows none.
 */
#ifndef TESTS_PTR_SERVER_H
#define TESTS_PTR_SERVER_H

#include <string.h>
#include <uv.h>

#include "dns_builder.h"
#include "dns_endpoint.h"

struct ptr_server {
	uv_udp_t udp;
	struct dns_endpoint endpoint;
	bool silent, knows_none;
	unsigned asked;
	uint8_t question[512];
};

static inline void ptr_server_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct ptr_server *server = handle->data;

	(void)size;
	*buf = uv_buf_init((char *)server->question, sizeof(server->question));
}

/* Where the question ends; its first four labels with hyphens, as a host. */
static inline size_t ptr_server_read(
	const struct ptr_server *server, char name[static 64])
{
	size_t at = 12, len = 0;

	for (unsigned label = 0; server->question[at]; label++) {
		if (label < 4) {
			memcpy(name + len, server->question + at + 1,
				server->question[at]);
			len += server->question[at];
			name[len++] = label < 3 ? '-' : '.';
		}
		at += 1u + server->question[at];
	}
	memcpy(name + len, "example.net", sizeof("example.net"));
	return at + 5;
}

static inline void ptr_server_came(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
	const struct sockaddr *from, unsigned flags)
{
	struct ptr_server *server = udp->data;
	struct dns_builder b = {.len = 0};
	char name[64];
	uv_buf_t out;

	(void)buf, (void)flags;
	if (len <= 0)
		return;
	server->asked++;
	if (server->silent)
		return;
	dns_builder_raw(&b, server->question, ptr_server_read(server, name));
	b.bytes[2] = DNS_BUILDER_ANSWER >> 8;
	b.bytes[3] = server->knows_none ? 3 : 0;
	memset(b.bytes + 6, 0, 6);
	if (!server->knows_none)
		dns_builder_host(&b, DNS_ANSWER, "example.net", DNS_PTR, name);
	out = uv_buf_init((char *)b.bytes, (unsigned)b.len);
	(void)uv_udp_try_send(udp, &out, 1, from);
}

static inline void ptr_server_start(struct ptr_server *server, uv_loop_t *loop)
{
	struct sockaddr_in name;
	int len = sizeof(name);

	*server = (struct ptr_server){.udp.data = server};
	(void)uv_ip4_addr("127.0.0.1", 0, &name);
	(void)uv_udp_init(loop, &server->udp);
	server->udp.data = server;
	(void)uv_udp_bind(&server->udp, (struct sockaddr *)&name, 0);
	(void)uv_udp_getsockname(&server->udp, (struct sockaddr *)&name, &len);
	(void)uv_udp_recv_start(&server->udp, ptr_server_room, ptr_server_came);
	(void)address_from_sockaddr(&server->endpoint.address, &server->endpoint.port,
		(struct sockaddr *)&name);
}

static inline void ptr_server_stop(struct ptr_server *server)
{
	uv_close((uv_handle_t *)&server->udp, NULL);
}

#endif
