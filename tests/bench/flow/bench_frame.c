#include "bench_frame.h"

#include <string.h>

#define ETHERNET_LEN 14
#define TCP_LEN 32 /* with timestamps */

static uint8_t *put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
	return put_u16(put_u16(at, value >> 16), value & 0xffff);
}

/* 198.18.0.0/15 has clients in its lower half, servers in its upper one. */
static uint8_t *put_v4(uint8_t *at, bool server, uint32_t number)
{
	return put_u32(at, 0xc6120000u | (server ? 0x10000u : 0) | (number & 0xffff));
}

static uint8_t *put_v6(uint8_t *at, bool server, uint32_t number)
{
	at = put_u32(at, 0x20010db8);
	at = put_u32(at, server ? 2 : 1);
	return put_u32(put_u32(at, 0), number);
}

static uint8_t *put_ip(uint8_t *at, const struct bench_frame *frame)
{
	bool server = frame->from_server;
	uint32_t from = server ? frame->server : frame->client;
	uint32_t to = server ? frame->client : frame->server;

	if (frame->v6) {
		at = put_u32(at, 0x60000000);
		at = put_u16(at, TCP_LEN + frame->len);
		at = put_u16(at, 6 << 8 | 64);
		return put_v6(put_v6(at, server, from), !server, to);
	}
	at = put_u16(at, 0x4500);
	at = put_u16(at, 20u + TCP_LEN + frame->len);
	at = put_u16(at, frame->seq * 31 & 0xffff);
	at = put_u16(at, 0x4000);
	at = put_u16(at, 64 << 8 | 6);
	at = put_u16(at, 0);
	return put_v4(put_v4(at, server, from), !server, to);
}

unsigned bench_frame_head(
	uint8_t out[static BENCH_FRAME_HEAD_MAX], const struct bench_frame *frame)
{
	static const uint8_t ends[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	bool server = frame->from_server;
	uint8_t *at = out;

	memcpy(at, ends, sizeof(ends));
	at = put_u16(at + sizeof(ends), frame->v6 ? 0x86dd : 0x0800);
	at = put_ip(at, frame);
	at = put_u16(at, server ? frame->server_port : frame->client_port);
	at = put_u16(at, server ? frame->client_port : frame->server_port);
	at = put_u32(at, frame->seq);
	at = put_u32(at, frame->ack);
	at = put_u16(at, (TCP_LEN / 4) << 12 | frame->flags);
	at = put_u16(at, 64240);
	at = put_u32(at, 0);
	at = put_u32(at, 0x0101080a);
	at = put_u32(at, frame->stamp_ms);
	at = put_u32(at, frame->echo_ms);
	return (unsigned)(at - out);
}

bool bench_frame_open_file(FILE *out)
{
	const uint32_t head[6] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 65535, 1};

	return fwrite(head, sizeof(head), 1, out) == 1;
}

bool bench_frame_write(FILE *out, uint64_t at_us, const uint8_t *bytes, unsigned len)
{
	const uint32_t head[4] = {
		(uint32_t)(at_us / 1000000), (uint32_t)(at_us % 1000000), len, len};

	return fwrite(head, sizeof(head), 1, out) == 1 && fwrite(bytes, len, 1, out) == 1;
}
