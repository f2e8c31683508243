/*
 * The segments of the last few milliseconds, to know the copies that mirror ports and the
 * "any" device make of them: a copy has the identification or the timestamp of its
 * original, a retransmission others. Copies may come late, behind segments that followed
 * the original: both ports of a switch are mirrored in bursts. Fixed memory: a newer
 * segment takes an older one's row, whose copy then is none that we know. Pure.
 */
#ifndef FLOW_COPY_TABLE_H
#define FLOW_COPY_TABLE_H

#include <stdbool.h>

#include "astray/moment.h"
#include "tcp_segment.h"

#define COPY_TABLE_US 5000 /* nobody sends again so soon what was not acknowledged */

struct copy_table;

int copy_table_new(struct copy_table **out, uint64_t seed);
void copy_table_free(struct copy_table *table);

/* Whether the segment is a copy of one that came before; if not, it is remembered. owner:
 * a number of its connection's and direction's own. */
bool copy_table_knows(struct copy_table *table, uint64_t owner,
	const struct tcp_segment *segment, struct moment at);

#endif
