/*
 * What the kernel says of its TCP sockets in, traffic observations out: connections,
 * refusals, SYNs without answer, retransmits, bytes and round trips of every service and
 * window; of requests nothing is known, nor of services that have only hosts by suffix
 * and no address: they are not told at all. Sockets are asked for again and again; those that
 * are destroyed in between are told of by the kernel with their last counts, so that
 * nothing is missed. Our own (own_mark.h) do not count. Reads no clock and touches no
 * device. Memory is fixed when it is made; whatever finds no room is counted.
 */
#ifndef FLOW_SOCKET_METER_H
#define FLOW_SOCKET_METER_H

#include "address_book.h"
#include "astray/obs.h"
#include "diag_message.h"

struct socket_meter;

struct socket_meter_config {
	int64_t window_us;
	int64_t pause_us;       /* a silence beyond which nobody measured */
	unsigned sockets;       /* followed at once */
	unsigned service_limit; /* services, where none are configured */
	obs_emit_fn emit;
	void *emit_arg;
};

struct socket_meter_counts {
	uint64_t sockets;          /* heard of: rows of lists and destructions */
	uint64_t refused_sockets;  /* that found no room */
	uint64_t refused_services; /* connections that found no row for their service */
	uint64_t shared;           /* connections to an address of several services */
};

/* The services and the book are borrowed for its life; an empty list makes every address
 * and port one that this machine connects to. */
int socket_meter_new(struct socket_meter **out, const struct socket_meter_config *config,
	const struct services *services, const struct address_book *book);
void socket_meter_free(struct socket_meter *meter);

/* One socket, out of a list or destroyed. */
void socket_meter_hear(struct socket_meter *meter, const struct diag_message *socket);
/* A list of all sockets has ended: those that two lists in turn lack are gone. */
void socket_meter_list_ended(struct socket_meter *meter);
void socket_meter_advance(struct socket_meter *meter, struct moment now);
/* Emits the present window. */
void socket_meter_finish(struct socket_meter *meter);

void socket_meter_count(
	const struct socket_meter *meter, struct socket_meter_counts *counts);

#endif
