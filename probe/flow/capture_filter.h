/*
 * The kernel's filter, built from the services, so that other traffic never reaches the
 * process: their ports, or, for services that are named by addresses alone, those; and,
 * where that is wanted, answers of name servers, which say what an address is called.
 * What the filter cannot look into passes whole: fragments, IPv6 packets with extension
 * headers, frames with more than one VLAN tag, MPLS labels or PPPoE, and the tunnels that
 * are looked into. Pure. Source: pcap-filter(7).
 */
#ifndef FLOW_CAPTURE_FILTER_H
#define FLOW_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "address_book.h"

#define CAPTURE_FILTER_MAX 16384

/* Without services all TCP and UDP. Services too many for a filter get all of it as well:
 * the meter knows them apart. tunnels: UNWRAP_GRE and others. names:
 * answers of name servers are wanted. With a book (which may be
 * NULL) a service's packets pass only from and to the addresses that its hosts lead to,
 * not all of its ports; one with hosts by suffix, or without an address yet, keeps its
 * ports. Returns buf. */
const char *capture_filter_build(char buf[static CAPTURE_FILTER_MAX],
	const struct services *services, unsigned tunnels, bool names,
	const struct address_book *book);

#endif
