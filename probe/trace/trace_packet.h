/*
 * One packet that a trace wants to send.
 */
#ifndef TRACE_TRACE_PACKET_H
#define TRACE_TRACE_PACKET_H

#include <stdint.h>

#include "probe_packet.h"

struct trace_packet {
	struct probe_flow flow;
	uint64_t tag; /* the caller's, comes back with the stamp */
	uint16_t id;
	uint16_t padding; /* zeros behind it */
	uint8_t ttl;
};

#endif
