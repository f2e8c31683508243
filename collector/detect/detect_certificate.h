/*
 * Belief: a certificate is renewed by its issuer when it is nearly used up. Another
 * issuer, another key long before the end, or a chain that does not verify is somebody
 * else's server, unless it is announced or expected. A CDN serves several chains at once,
 * so the known ones are a set. Two probes or two rounds, because one machine may stand
 * behind a proxy of its own.
 */
#ifndef ASTRAY_DETECT_CERTIFICATE_H
#define ASTRAY_DETECT_CERTIFICATE_H

#include "detector.h"

extern const struct detector detect_certificate;

#endif
