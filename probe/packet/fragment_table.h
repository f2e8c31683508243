/*
 * Puts fragmented packets together again. Memory is fixed when it is made: so many
 * packets at once, the longest-untouched of which gives way to a new one. Copies of a
 * fragment, as mirrors make them, are passed over; fragments that overlap and differ, or
 * contradict each other's lengths, spoil their packet: real senders make none, and
 * whoever does wants us to read something else than the receiver does. What the capture
 * cut off stays cut: the packet is then known as far as its first gap. Pure. Source: RFC
 * 791 §3.2, RFC 8200 §4.5, RFC 5722.
 */
#ifndef PACKET_FRAGMENT_TABLE_H
#define PACKET_FRAGMENT_TABLE_H

#include "astray/moment.h"
#include "ip_layer.h"

struct fragment_table;

struct fragment_counts {
	uint64_t fragments;   /* all that came */
	uint64_t joined;      /* packets that became whole */
	uint64_t incomplete;  /* packets whose parts did not all come in time */
	uint64_t overlapping; /* packets that were spoilt */
};

/* limit: packets at once, 66 KB each, of which the system gives only what is used. */
int fragment_table_new(struct fragment_table **out, unsigned limit);
void fragment_table_free(struct fragment_table *table);

/* Takes a fragment. 0 when it was the last that was missing: ip is then the whole packet,
 * whose payload lies in the table and is good until as many others as the limit were
 * begun. STATUS_LATER while others are missing, STATUS_SYNTAX when it contradicts itself
 * or others. */
int fragment_table_join(
	struct fragment_table *table, struct ip_packet *ip, struct moment at);

const struct fragment_counts *fragment_table_counts(const struct fragment_table *table);

#endif
