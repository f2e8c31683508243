#include "listen_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

#define PORT_DIGITS 5
#define PORT_MAX 65535

static int parse_port(uint16_t *port, const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	if (digits == 0 || digits > PORT_DIGITS || text[digits])
		return STATUS_SYNTAX;
	value = strtoul(text, NULL, 10);
	*port = (uint16_t)value;
	return value <= PORT_MAX ? 0 : STATUS_SYNTAX;
}

int listen_text_parse(struct address *address, uint16_t *port, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[ADDRESS_TEXT + 2];
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';

	if (len == 0 || len >= sizeof(host))
		return STATUS_SYNTAX;
	(void)snprintf(host, sizeof(host), "%.*s", (int)(brackets ? len - 2 : len),
		text + (brackets ? 1 : 0));
	if (address_parse(address, host) || (address->family == 6) != brackets)
		return STATUS_SYNTAX;
	return parse_port(port, colon + 1);
}

bool listen_text_is_local(const struct address *address)
{
	static const uint8_t loopback6[16] = {[15] = 1};

	return address->family == 4
		       ? address->bytes[0] == 127
		       : memcmp(address->bytes, loopback6, sizeof(loopback6)) == 0;
}
