/*
 * What routers append to an ICMP error behind the packet that they quote (RFC 4884): here
 * the MPLS labels that the packet arrived with (RFC 4950). Bytes in, labels out.
 */
#ifndef TRACE_ICMP_EXTENSION_H
#define TRACE_ICMP_EXTENSION_H

#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"

/* Looks behind the quoted packet. `body` is what follows the eight bytes of ICMP header,
 * quoted_len the length that this header gives for the quote, 0 when it gives none:
 * routers older than RFC 4884 append at byte 128 all the same. Returns the number of
 * labels, 0 where there is no extension or it does not check; those beyond OBS_MPLS are
 * left out. */
unsigned icmp_extension_read(struct obs_mpls labels[static OBS_MPLS], const uint8_t *body,
	size_t len, size_t quoted_len);
/* The same where the extension begins with these bytes. */
unsigned icmp_extension_read_at(
	struct obs_mpls labels[static OBS_MPLS], const uint8_t *bytes, size_t len);

#endif
