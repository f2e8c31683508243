/*
 * Says at which TTLs a trace may ask now; those that it refuses are asked later. Where a
 * gate is wanted, NULL is one that is open.
 */
#ifndef TRACE_TTL_GATE_H
#define TRACE_TTL_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct ttl_gate {
	void *arg;
	bool (*open)(void *arg, uint8_t ttl);
};

static inline bool ttl_gate_is_open(const struct ttl_gate *gate, unsigned ttl)
{
	return !gate || gate->open(gate->arg, (uint8_t)ttl);
}

#endif
