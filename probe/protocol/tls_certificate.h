/*
 * The name in a server's certificate, where that goes in the clear: up to TLS 1.2. Reads
 * the Certificate message, whose first certificate is the server's own: the first DNS
 * name among its alternative names, else the common name. Nothing is verified: it names
 * a connection, no more. Pure. Source: RFC 5246 §7.4.2, RFC 6125 §6.4.4.
 */
#ifndef PROTOCOL_TLS_CERTIFICATE_H
#define PROTOCOL_TLS_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"

/* How many bytes of the message are wanted, by what there is of it; 0: it is no
 * Certificate message. */
size_t tls_certificate_wanted(const uint8_t *bytes, size_t len);

/* 0, or STATUS_SYNTAX when there is no certificate with a name. */
int tls_certificate_read(char out[static OBS_NAME], const uint8_t *bytes, size_t len);

#endif
