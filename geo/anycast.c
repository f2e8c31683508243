#include "anycast.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

struct prefix {
	struct address address;
	unsigned bits;
	char owner[ANYCAST_OWNER];
};

struct anycast {
	unsigned count;
	struct prefix prefixes[ANYCAST_PREFIXES];
};

static bool covers(const struct prefix *prefix, const struct address *address)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
	unsigned mask = 0xff00u >> rest & 0xff;

	return prefix->address.family == address->family &&
	       memcmp(prefix->address.bytes, address->bytes, whole) == 0 &&
	       (rest == 0 || ((prefix->address.bytes[whole] ^ address->bytes[whole]) &
				     mask) == 0);
}

static int read_prefix(struct prefix *prefix, const char *line)
{
	char address[ADDRESS_TEXT], rest;

	if (sscanf(line, "%45[^/ ]/%3u %31s %c", address, &prefix->bits, prefix->owner,
		    &rest) != 3)
		return STATUS_SYNTAX;
	if (address_parse(&prefix->address, address) ||
		prefix->bits > (prefix->address.family == 6 ? 128 : 32))
		return STATUS_SYNTAX;
	return 0;
}

static int read_line(struct anycast *anycast, const char *line, size_t len)
{
	char copy[128];

	if (len == 0 || line[0] == '#')
		return 0;
	if (len >= sizeof(copy))
		return STATUS_SYNTAX;
	if (anycast->count == ANYCAST_PREFIXES)
		return STATUS_LIMIT;
	memcpy(copy, line, len);
	copy[len] = '\0';
	return read_prefix(&anycast->prefixes[anycast->count++], copy);
}

int anycast_new(struct anycast **out, const char *text, struct fault *fault)
{
	struct anycast *anycast = calloc(1, sizeof(*anycast));

	*out = NULL;
	if (!anycast)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	for (unsigned number = 1; *text; number++) {
		size_t len = strcspn(text, "\n");
		int rc = read_line(anycast, text, len);

		if (rc) {
			free(anycast);
			if (fault)
				fault->line = number;
			return fault_at(fault, rc, "", "should be PREFIX/BITS OWNER: %s",
				status_text(rc));
		}
		text += len + (text[len] == '\n');
	}
	*out = anycast;
	return 0;
}

void anycast_free(struct anycast *anycast)
{
	free(anycast);
}

const char *anycast_owner(const struct anycast *anycast, const struct address *address)
{
	const struct prefix *best = NULL;

	for (unsigned i = 0; i < anycast->count; i++)
		if (covers(&anycast->prefixes[i], address) &&
			(!best || anycast->prefixes[i].bits > best->bits))
			best = &anycast->prefixes[i];
	return best ? best->owner : NULL;
}
