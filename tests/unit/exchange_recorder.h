/*
 * An exchange_sink for tests: remembers what it is told. And the pieces that
 * conversations are made of: TLS records and hellos.
 */
#ifndef TEST_EXCHANGE_RECORDER_H
#define TEST_EXCHANGE_RECORDER_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "buffer_pool.h"
#include "exchange.h"
#include "slab.h"

#define RECORDER_TIMES 64

struct recorder {
	unsigned count[EXCHANGE_HANDSHAKE + 1]; /* by enum exchange_event */
	int64_t response_us[RECORDER_TIMES];
	int64_t last_us; /* the latest of them */
	int64_t last_byte_us[RECORDER_TIMES];
	int64_t handshake_us;
	unsigned hosts; /* times that a host, or none, was told */
	char host[256];
	enum obs_naming host_by;
	uint16_t host_port;
	bool host_is_outer;
	unsigned messages;
	uint32_t message_len; /* the last one's: as sent, as captured, its first byte */
	size_t message_have;
	uint8_t message_first;
	struct exchange_sink sink;
};

static inline void recorder_event(void *arg, enum exchange_event event, int64_t value_us)
{
	struct recorder *recorder = arg;
	unsigned number = recorder->count[event]++;

	if (event == EXCHANGE_RESPONSE)
		recorder->last_us = value_us;
	if (event == EXCHANGE_RESPONSE && number < RECORDER_TIMES)
		recorder->response_us[number] = value_us;
	if (event == EXCHANGE_LAST_BYTE && number < RECORDER_TIMES)
		recorder->last_byte_us[number] = value_us;
	if (event == EXCHANGE_HANDSHAKE)
		recorder->handshake_us = value_us;
}

static inline void recorder_host(void *arg, const struct exchange_host *host)
{
	struct recorder *recorder = arg;

	recorder->hosts++;
	recorder->host_by = host->by;
	recorder->host_port = host->port;
	recorder->host_is_outer = host->outer;
	(void)snprintf(recorder->host, sizeof(recorder->host), "%.*s", (int)host->len,
		host->name ? host->name : "");
}

static inline void recorder_message(void *arg, enum exchange_side from,
	struct cursor bytes, uint32_t len, struct moment at)
{
	struct recorder *recorder = arg;

	(void)from;
	(void)at;
	recorder->messages++;
	recorder->message_len = len;
	recorder->message_have = cursor_left(&bytes);
	recorder->message_first = cursor_take_u8(&bytes);
}

static inline void recorder_init(struct recorder *recorder, struct buffer_pool *pool)
{
	*recorder =
		(struct recorder){.sink = {recorder_event, recorder_host,
					  recorder_message, recorder, pool, NULL, NULL}};
}

static inline size_t make_record(uint8_t *out, uint8_t type, size_t len)
{
	out[0] = type;
	out[1] = 3;
	out[2] = 3;
	out[3] = (uint8_t)(len >> 8);
	out[4] = (uint8_t)len;
	memset(out + 5, 0xa5, len);
	return 5 + len;
}

static inline uint8_t *add_extension(
	uint8_t *at, unsigned type, const void *bytes, size_t len)
{
	at[0] = (uint8_t)(type >> 8);
	at[1] = (uint8_t)type;
	at[2] = (uint8_t)(len >> 8);
	at[3] = (uint8_t)len;
	if (len)
		memcpy(at + 4, bytes, len);
	return at + 4 + len;
}

static inline size_t end_hello(
	uint8_t *out, uint8_t type, uint8_t *extensions, const uint8_t *end)
{
	size_t message = (size_t)(end - out) - 5;

	extensions[0] = (uint8_t)((end - extensions - 2) >> 8);
	extensions[1] = (uint8_t)(end - extensions - 2);
	out[5] = type;
	out[6] = 0;
	out[7] = (uint8_t)((message - 4) >> 8);
	out[8] = (uint8_t)(message - 4);
	out[0] = 22;
	out[1] = 3;
	out[2] = 1;
	out[3] = (uint8_t)(message >> 8);
	out[4] = (uint8_t)message;
	return message + 5;
}

/* A ClientHello record with a server name behind `padding` bytes of another extension. */
static inline size_t make_client_hello(uint8_t *out, const char *name, size_t padding)
{
	static const uint8_t zeros[8192];
	uint8_t server_name[300];
	size_t len = strlen(name);
	uint8_t *at = out + 9, *extensions;

	memset(at, 0, 34);
	at += 34;
	*at++ = 0;                       /* session */
	memcpy(at, "\0\2\x13\1\1\0", 6); /* one suite, one compression */
	extensions = at + 6;
	at = add_extension(extensions + 2, 21, zeros, padding);
	server_name[0] = (uint8_t)((len + 3) >> 8);
	server_name[1] = (uint8_t)(len + 3);
	server_name[2] = 0;
	server_name[3] = (uint8_t)(len >> 8);
	server_name[4] = (uint8_t)len;
	memcpy(server_name + 5, name, len);
	at = add_extension(at, 0, server_name, len + 5);
	return end_hello(out, 1, extensions, at);
}

static inline size_t make_server_hello(uint8_t *out, int is_1_3)
{
	uint8_t *at = out + 9, *extensions;

	memset(at, 0x11, 34);
	at += 34;
	*at++ = 0;
	memcpy(at, "\x13\1\0", 3);
	extensions = at + 3;
	at = extensions + 2;
	if (is_1_3)
		at = add_extension(at, 43, "\3\4", 2);
	return end_hello(out, 2, extensions, at);
}

#endif
