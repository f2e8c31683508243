#include "dns_endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

static int read_port(uint16_t *out, const char *text)
{
	char *end;
	unsigned long port;

	if (text[0] < '0' || text[0] > '9')
		return STATUS_SYNTAX;
	port = strtoul(text, &end, 10);
	if (*end || port == 0 || port > UINT16_MAX)
		return STATUS_RANGE;
	*out = (uint16_t)port;
	return 0;
}

static int read_parts(
	struct dns_endpoint *out, const char *address, size_t len, const char *port)
{
	char text[ADDRESS_TEXT];

	if (len >= sizeof(text))
		return STATUS_SYNTAX;
	memcpy(text, address, len);
	text[len] = '\0';
	if (address_parse(&out->address, text))
		return STATUS_SYNTAX;
	return port ? read_port(&out->port, port) : 0;
}

int dns_endpoint_read(struct dns_endpoint *out, const char *text)
{
	const char *colon = strchr(text, ':'), *bracket = strchr(text, ']');

	*out = (struct dns_endpoint){.port = DNS_ENDPOINT_PORT};
	if (text[0] == '[') {
		if (!bracket || (bracket[1] && bracket[1] != ':'))
			return STATUS_SYNTAX;
		return read_parts(out, text + 1, (size_t)(bracket - text - 1),
			bracket[1] ? bracket + 2 : NULL);
	}
	if (colon && !strchr(colon + 1, ':'))
		return read_parts(out, text, (size_t)(colon - text), colon + 1);
	return read_parts(out, text, strlen(text), NULL);
}

const char *dns_endpoint_text(
	const struct dns_endpoint *endpoint, char buf[static DNS_ENDPOINT_TEXT])
{
	char address[ADDRESS_TEXT];

	(void)address_text(&endpoint->address, address);
	if (endpoint->port == DNS_ENDPOINT_PORT)
		(void)snprintf(buf, DNS_ENDPOINT_TEXT, "%s", address);
	else
		(void)snprintf(buf, DNS_ENDPOINT_TEXT,
			endpoint->address.family == 6 ? "[%s]:%u" : "%s:%u", address,
			(unsigned)endpoint->port);
	return buf;
}

bool dns_endpoint_equal(const struct dns_endpoint *a, const struct dns_endpoint *b)
{
	return a->port == b->port && address_equal(&a->address, &b->address);
}
