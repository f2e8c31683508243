/*
 * Packets in, traffic observations out. Takes frames with their times as they were
 * captured, follows the TCP connections in them and emits one observation for every
 * service and window. Reads no clock and touches no device: a capture file and a live
 * interface give the same. Memory is fixed when it is made; whatever finds no room is
 * counted in struct meter_counts.
 */
#ifndef FLOW_METER_H
#define FLOW_METER_H

#include "astray/obs.h"
#include "astray/services.h"
#include "unwrap.h"

struct meter;

struct meter_config {
	int64_t window_us;
	int64_t pause_us;       /* a silence beyond which nobody measured */
	bool exact_ends;        /* see struct windows_config */
	uint32_t flows;         /* connections followed at once: 232 bytes each, and
				   cells while they are needed, 376 on average at
				   most; who finds none is read less closely, and
				   counted (unbuffered) */
	unsigned service_limit; /* services, where none are configured */
	unsigned tunnels;       /* to look into: UNWRAP_GRE and others */
	bool keeps_no_names;    /* that DNS answers tell */
	uint64_t seed;          /* random: what outsiders must not guess */
	obs_emit_fn emit;
	void *emit_arg;
};

struct meter_counts {
	uint64_t packets;            /* all that came */
	uint64_t segments;           /* of them TCP */
	uint64_t datagrams;          /* of them UDP */
	uint64_t cut;                /* that ended before their headers did */
	uint64_t malformed;          /* that contradict themselves */
	struct unwrap_counts layers; /* what else was set aside on the way to TCP */
	uint64_t evicted; /* connections whose place was needed while they were open */
	uint64_t evicted_half_open;
	uint64_t unbuffered;       /* times that a buffer was wanted and none was left */
	uint64_t unread_heads;     /* HTTP/2 connections whose heads found no reader */
	uint64_t refused_services; /* connections that found no row for their service */
	uint64_t evicted_lookups;  /* questions to DNS servers that gave way to others */
	uint64_t displaced_names;  /* DNS answers that gave way to others */
	uint64_t unlisted_peers;   /* requests to servers beyond OBS_PEERS in a window */
};

/* The services are borrowed for its life; an empty list makes every server one. */
int meter_new(struct meter **out, const struct meter_config *config,
	const struct services *services);
void meter_free(struct meter *meter);

/* One frame: what was captured of wire_len bytes. link_type: enum link_layer_type. */
void meter_packet(struct meter *meter, int link_type, struct moment at,
	const uint8_t *bytes, uint32_t captured, uint32_t wire_len);
/* It has become this late, packets or not. */
void meter_advance(struct meter *meter, struct moment now);
/* Nothing more will come: ends all connections and emits the present window. */
void meter_finish(struct meter *meter);

void meter_count(const struct meter *meter, struct meter_counts *counts);

#endif
