/*
 * Ethernet frames with TCP in IPv4 or IPv6, as a bench's made traffic wants them:
 * addresses by number, timestamps as Linux sends them, no checksums (a capture on the
 * sending machine has none either).
 */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_FRAME_HEAD_MAX (14 + 40 + 32)
#define BENCH_FRAME_MAX (BENCH_FRAME_HEAD_MAX + 1460)

enum {
	BENCH_FRAME_FIN = 1,
	BENCH_FRAME_SYN = 2,
	BENCH_FRAME_RST = 4,
	BENCH_FRAME_ACK = 16
};

struct bench_frame {
	bool v6;
	bool from_server;
	uint32_t client, server; /* numbers that become addresses */
	uint16_t client_port, server_port;
	uint32_t seq, ack;
	uint32_t stamp_ms, echo_ms;
	uint8_t flags;
	uint16_t len; /* of the payload, which the caller puts behind the head */
};

/* Writes everything before the payload and returns its length. */
unsigned bench_frame_head(
	uint8_t out[static BENCH_FRAME_HEAD_MAX], const struct bench_frame *frame);

/* A classic capture file, microseconds; false when it cannot be written. */
bool bench_frame_open_file(FILE *out);
bool bench_frame_write(FILE *out, uint64_t at_us, const uint8_t *bytes, unsigned len);

#endif
