#include "host_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/obs.h"
#include "dns_client.h"

#define FRESH_US (86400 * MOMENT_SECOND_US)
#define FAILED_FRESH_US                                                 \
	(600 * MOMENT_SECOND_US) /* nobody answered: it may have passed \
				  */
#define RESOLVER_FRESH_US (60 * MOMENT_SECOND_US)
#define TRIES 2
#define PLACES (2 * HOST_NAMES_MAX)
/* When there is no room, one that nobody wanted for so long makes it. */
#define UNWANTED_US (60 * MOMENT_SECOND_US)

struct known {
	struct host_names *names;
	struct address address;
	bool asking, settled, failed;
	struct tick asked, wanted;
	char name[OBS_NAME];
};

struct host_names {
	struct dns_client *client;
	struct dns_endpoint resolver; /* port 0: there is none */
	bool fixed;
	struct tick resolver_read;
	void (*more)(void *arg);
	void *arg;
	unsigned count;
	uint64_t dropped;
	struct known *known[PLACES]; /* by hash, open addressing */
	void (*closed)(void *arg);
	void *closed_arg;
};

/* A machine that moves has another one then. */
static void read_resolver(struct host_names *names, struct tick now)
{
	struct dns_endpoint list[DNS_CLIENT_RESOLVERS];

	names->resolver_read = now;
	if (dns_client_resolvers(list) > 0)
		names->resolver = list[0];
}

int host_names_open(struct host_names **out, struct uv_loop_s *loop,
	const struct dns_endpoint *resolver, void (*more)(void *arg), void *arg)
{
	struct host_names *names = calloc(1, sizeof(*names));
	int rc;

	*out = NULL;
	if (!names)
		return -ENOMEM;
	names->fixed = resolver != NULL;
	if (resolver)
		names->resolver = *resolver;
	names->resolver_read.us = INT64_MIN / 2;
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
	for (unsigned i = 0; i < PLACES; i++)
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

static void take_name(struct known *known, const struct dns_message *message)
{
	known->name[0] = '\0';
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];

		if (record->type == DNS_PTR && record->section == DNS_ANSWER) {
			(void)snprintf(
				known->name, sizeof(known->name), "%s", record->host);
			return;
		}
	}
}

static void answered(void *arg, const struct dns_reply *reply)
{
	struct known *known = arg;
	struct host_names *names = known->names;

	known->asking = false;
	known->settled = true;
	known->failed = reply->rc != 0;
	if (reply->rc == 0)
		take_name(known, reply->message);
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
	struct dns_question question = {
		.type = DNS_PTR, .recursive = true, .tries = TRIES};

	if (!names->fixed && tick_since_us(now, names->resolver_read) > RESOLVER_FRESH_US)
		read_resolver(names, now);
	question.server = names->resolver;
	reverse_name(question.name, &known->address);
	known->asked = now;
	known->asking = names->resolver.port &&
			dns_client_ask(names->client, &question, answered, known) == 0;
	if (!known->asking)
		known->settled = known->failed = true;
}

static bool is_stale(const struct known *known, struct tick now)
{
	return tick_since_us(now, known->asked) >
	       (known->failed ? FAILED_FRESH_US : FRESH_US);
}

static unsigned home_of(const struct address *address)
{
	return (unsigned)(address_hash(address, 0) % PLACES);
}

static unsigned place_of(const struct host_names *names, const struct address *address)
{
	unsigned at = home_of(address);

	while (names->known[at] && !address_equal(&names->known[at]->address, address))
		at = (at + 1) % PLACES;
	return at;
}

/* Those behind it that stood here only because it did move up. */
static void remove_at(struct host_names *names, unsigned hole)
{
	free(names->known[hole]);
	names->known[hole] = NULL;
	names->count--;
	for (unsigned at = (hole + 1) % PLACES; names->known[at];
		at = (at + 1) % PLACES) {
		unsigned home = home_of(&names->known[at]->address);
		unsigned from_home = (at - home) % PLACES, to_hole = (at - hole) % PLACES;

		if (from_home < to_hole)
			continue;
		names->known[hole] = names->known[at];
		names->known[at] = NULL;
		hole = at;
	}
}

static void make_room(struct host_names *names, struct tick now)
{
	unsigned best = PLACES;

	if (names->count < HOST_NAMES_MAX)
		return;
	for (unsigned i = 0; i < PLACES; i++) {
		const struct known *known = names->known[i];

		if (known && !known->asking &&
			(best == PLACES ||
				known->wanted.us < names->known[best]->wanted.us))
			best = i;
	}
	if (best < PLACES && tick_since_us(now, names->known[best]->wanted) > UNWANTED_US)
		remove_at(names, best);
}

/* NULL: there is no room. */
static struct known *add(
	struct host_names *names, const struct address *address, struct tick now)
{
	struct known *known = NULL;

	make_room(names, now);
	if (names->count < HOST_NAMES_MAX)
		known = calloc(1, sizeof(*known));
	if (!known) {
		names->dropped++;
		return NULL;
	}
	known->names = names;
	known->address = *address;
	names->known[place_of(names, address)] = known;
	names->count++;
	ask(names, known, now);
	return known;
}

const char *host_names_of(struct host_names *names, const struct address *address,
	struct tick now, bool *settled)
{
	struct known *known = names->known[place_of(names, address)];

	if (!known)
		known = add(names, address, now);
	else if (!known->asking && is_stale(known, now))
		ask(names, known, now); /* the old name serves meanwhile */
	*settled = !known || known->settled;
	if (!known)
		return "";
	known->wanted = now;
	return known->name;
}

uint64_t host_names_dropped(const struct host_names *names)
{
	return names->dropped;
}
