#include "host_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/obs.h"
#include "dns_client.h"

#define FRESH_US (86400 * MOMENT_SECOND_US)
#define TRIES 2

struct known {
	struct host_names *names;
	struct address address;
	bool settled;
	struct tick asked;
	char name[OBS_NAME];
};

struct host_names {
	struct dns_client *client;
	struct dns_endpoint server;
	void (*more)(void *arg);
	void *arg;
	unsigned count;
	struct known *known[HOST_NAMES_KNOWN]; /* by hash, open addressing */
	void (*closed)(void *arg);
	void *closed_arg;
};

int host_names_open(struct host_names **out, struct uv_loop_s *loop,
	void (*more)(void *arg), void *arg)
{
	struct dns_endpoint servers[DNS_CLIENT_RESOLVERS];
	struct host_names *names;
	int count = dns_client_resolvers(servers), rc;

	*out = NULL;
	if (count <= 0)
		return count ? count : -ENOENT;
	names = calloc(1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	names->server = servers[0];
	names->more = more;
	names->arg = arg;
	rc = dns_client_open(&names->client, loop);
	if (rc) {
		free(names);
		return rc;
	}
	*out = names;
	return 0;
}

static void client_gone(void *arg)
{
	struct host_names *names = arg;

	if (names->closed)
		names->closed(names->closed_arg);
	for (unsigned i = 0; i < HOST_NAMES_KNOWN; i++)
		free(names->known[i]);
	free(names);
}

void host_names_close(struct host_names *names, void (*closed)(void *arg), void *arg)
{
	if (!names)
		return;
	names->more = NULL;
	names->closed = closed;
	names->closed_arg = arg;
	dns_client_close(names->client, client_gone, names);
}

static void answered(void *arg, const struct dns_reply *reply)
{
	struct known *known = arg;
	struct host_names *names = known->names;

	known->settled = true;
	for (unsigned i = 0; reply->rc == 0 && i < reply->message->record_count; i++) {
		const struct dns_record *record = &reply->message->records[i];

		if (record->type == DNS_PTR && record->section == DNS_ANSWER) {
			(void)snprintf(
				known->name, sizeof(known->name), "%s", record->host);
			break;
		}
	}
	if (names->more)
		names->more(names->arg);
}

static void reverse_name(char out[static OBS_NAME], const struct address *address)
{
	size_t len = 0;

	if (address->family == 4) {
		(void)snprintf(out, OBS_NAME, "%u.%u.%u.%u.in-addr.arpa",
			address->bytes[3], address->bytes[2], address->bytes[1],
			address->bytes[0]);
		return;
	}
	for (unsigned i = 16; i-- > 0;)
		len += (size_t)snprintf(out + len, OBS_NAME - len, "%x.%x.",
			address->bytes[i] & 15, address->bytes[i] >> 4);
	(void)snprintf(out + len, OBS_NAME - len, "ip6.arpa");
}

static void ask(struct host_names *names, struct known *known, struct tick now)
{
	struct dns_question question = {.type = DNS_PTR,
		.server = names->server,
		.recursive = true,
		.tries = TRIES};

	known->asked = now;
	reverse_name(question.name, &known->address);
	known->settled = dns_client_ask(names->client, &question, answered, known) != 0;
}

static struct known **place_of(struct host_names *names, const struct address *address)
{
	unsigned at = (unsigned)(address_hash(address, 0) % HOST_NAMES_KNOWN);

	while (names->known[at] && !address_equal(&names->known[at]->address, address))
		at = (at + 1) % HOST_NAMES_KNOWN;
	return &names->known[at];
}

const char *host_names_of(struct host_names *names, const struct address *address,
	struct tick now, bool *settled)
{
	struct known **place = place_of(names, address), *known = *place;

	*settled = true;
	if (!known) {
		if (names->count == HOST_NAMES_KNOWN / 2)
			return "";
		known = calloc(1, sizeof(*known));
		if (!known)
			return "";
		known->names = names;
		known->address = *address;
		*place = known;
		names->count++;
		ask(names, known, now);
	} else if (known->settled && tick_since_us(now, known->asked) > FRESH_US) {
		ask(names, known, now);
	}
	*settled = known->settled;
	return known->name;
}
