/*
 * Belief: a name whose servers have given the same few addresses, or stood for the same
 * other name, for as long as names are learnt has those. A resolver that gave them too
 * and now gives another address of the same network, or drops the alias, lies: networks
 * alone (detect_resolver) do not show a liar who is a customer of the same host.
 *
 * What is told out of the usual twice by a gateway or sentinel, or by two probes, is a
 * page when that site's resolver used to say what the servers say, and a warning when it
 * never did: then the servers may answer by who asks, as they certainly do where
 * resolvers have always been told something else. A warning, too, where the address shows
 * a certificate that verifies, and where it is a private one: that is a network's own
 * answer (split horizon), and an employee's router may give one for anything, which is
 * only noted. What has been told for as long as names are learnt is usual.
 *
 * Not judged: names that turn over (a CDN's, round robin through many), for as long as
 * names are learnt after each new address; addresses of another network; and, of one
 * service, more than the first sixteen questions (a host has three: A, AAAA, CNAME).
 */
#ifndef ASTRAY_DETECT_STEADY_H
#define ASTRAY_DETECT_STEADY_H

#include "detector.h"

extern const struct detector detect_steady;

#endif
