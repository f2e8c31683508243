/*
 * "127.0.0.1:8443", "[::1]:8443": where to listen. Pure.
 */
#ifndef ASTRAY_LISTEN_TEXT_H
#define ASTRAY_LISTEN_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/address.h"

/* STATUS_SYNTAX when it is not an address and a port from 0 (any free one) to 65535. */
int listen_text_parse(struct address *address, uint16_t *port, const char *text);
/* Reached from this machine alone. */
bool listen_text_is_local(const struct address *address);

#endif
