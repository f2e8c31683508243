/*
 * What the packets of a trace look like to routers, which must not change from round to
 * round, and what only this run knows, so that answers cannot be guessed.
 */
#ifndef TRACE_FLOW_CHOICE_H
#define TRACE_FLOW_CHOICE_H

#include "probe_packet.h"
#include "trace_record.h"

/* Source ports, above those that Linux gives to connections by itself. */
#define FLOW_CHOICE_PORT_FIRST 61000
#define FLOW_CHOICE_PORT_LAST (FLOW_CHOICE_PORT_FIRST + TRACE_FLOW_MAX)

/* largest: packet that can leave towards it. */
/* The flow of an order, from the address that packets to its peer leave from, and the
 * first id of its probes. Negative when there is no way to the peer. identifier: of echo
 * requests. */
int flow_choice_make(struct probe_flow *flow, uint16_t *first_id, unsigned *largest,
	const struct trace_order *order, uint16_t identifier);

#endif
