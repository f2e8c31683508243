/*
 * Round trips from the point of capture to the server and back, one sample at a time:
 * from the client's latest new byte to the first acknowledgement that covers it. A lone
 * segment may be acknowledged late on purpose, so that only those of two full ones or
 * more count, and such as come within the least round trip known; no sample is better
 * than a false one. Bytes that were sent twice are never timed. Source: RFC 6298 §3
 * (Karn), RFC 1122 §4.2.3.2.
 */
#ifndef FLOW_ROUND_TRIP_H
#define FLOW_ROUND_TRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"

#define ROUND_TRIP_NONE UINT32_MAX

struct round_trip {
	uint32_t sent_us;  /* when the byte before awaited was sent, the lower 32 bits of
			      it; 0: nothing is timed */
	uint32_t awaited;  /* an acknowledgement as far as this ends the sample */
	uint32_t least_us; /* ROUND_TRIP_NONE: not known */
	uint8_t segments;  /* full ones, sent since the last acknowledgement */
};

void round_trip_init(struct round_trip *trip);
/* The client sent len new bytes that end before seq_end. */
void round_trip_sent(
	struct round_trip *trip, uint32_t seq_end, uint32_t len, struct moment at);
/* The client sent something again. */
void round_trip_forget(struct round_trip *trip);
/* The server acknowledged; len: data that came with it. A sample in microseconds, or -1.
 */
int64_t round_trip_acknowledged(
	struct round_trip *trip, uint32_t ack, uint32_t len, struct moment at);
/* A sample that is certain: the handshake's. */
void round_trip_note(struct round_trip *trip, int64_t sample_us);

#endif
