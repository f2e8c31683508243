/*
 * What a load balancer says of the client before it passes on the client's first bytes:
 * the PROXY protocol, version 1 (a line) or 2 (a header and so many bytes). It is stepped
 * over; the connection stays that of the balancer. Pure. Source: haproxy.org,
 * proxy-protocol.txt.
 */
#ifndef PROTOCOL_PREAMBLE_H
#define PROTOCOL_PREAMBLE_H

#include <stdbool.h>

#include "astray/cursor.h"

struct preamble {
	uint32_t left; /* version 2: bytes still to come, once the header has */
	uint8_t taken; /* of the line, or of the header */
	bool is_line;
};

enum preamble_end { PREAMBLE_GOES_ON, PREAMBLE_OVER, PREAMBLE_IS_NONE };

/* Whether a client's first bytes are one, as far as they go. */
bool preamble_may_begin(const uint8_t *bytes, size_t len);

void preamble_init(struct preamble *preamble, uint8_t first);
/* Steps over it, from its first byte on; bytes behind its end are left. */
enum preamble_end preamble_take(struct preamble *preamble, struct cursor *bytes);

#endif
