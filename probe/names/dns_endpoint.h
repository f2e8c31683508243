/*
 * A DNS server as people write it: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT; port 53
 * unless said.
 */
#ifndef NAMES_DNS_ENDPOINT_H
#define NAMES_DNS_ENDPOINT_H

#include "astray/address.h"

#define DNS_ENDPOINT_PORT 53
#define DNS_ENDPOINT_TEXT (ADDRESS_TEXT + 10)

struct dns_endpoint {
	struct address address;
	uint16_t port;
};

int dns_endpoint_read(struct dns_endpoint *out, const char *text);
/* Without the port when it is 53. */
const char *dns_endpoint_text(
	const struct dns_endpoint *endpoint, char buf[static DNS_ENDPOINT_TEXT]);
bool dns_endpoint_equal(const struct dns_endpoint *a, const struct dns_endpoint *b);

#endif
