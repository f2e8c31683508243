/*
 * Bytes as what two hosts say to each other about DNS: a byte that chooses who speaks and
 * over what, one of time passed, two of length, a message. Over TCP the messages are
 * handed over in pieces of another choice. Counts must agree with each other, and no name
 * may be kept that is not watched.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buffer_pool.h"
#include "dns_stream.h"
#include "dns_traffic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct service list[2];
	struct services services;
	struct windows *windows;
	struct dns_names *names;
	struct service_naming *naming;
	struct dns_traffic *dns;
	struct address client, server;
	struct moment now;
};

static void emitted(void *arg, const struct obs *obs)
{
	(void)arg;
	(void)obs;
}

static void begin(struct world *world)
{
	struct windows_config windows = {
		.window_us = MOMENT_HOUR_US, .pause_us = MOMENT_DAY_US, .emit = emitted};
	struct dns_traffic_config dns = {.lookups = 4};

	*world = (struct world){.now = {INT64_C(1590854700000000)}};
	(void)address_parse(&world->client, "192.0.2.7");
	(void)address_parse(&world->server, "198.51.100.53");
	world->services = (struct services){2, world->list};
	(void)strcpy(world->list[0].name, "resolver");
	world->list[0].address_count = world->list[0].port_count = 1;
	world->list[0].addresses[0] = world->server;
	world->list[0].ports[0] = 53;
	(void)strcpy(world->list[1].name, "exchange");
	world->list[1].host_count = 1;
	(void)strcpy(world->list[1].hosts[0], "*.exchange.example");
	assert(windows_new(&world->windows, &windows, &world->services) == 0);
	assert(dns_names_new(&world->names, &world->services, 1) == 0);
	assert(service_naming_new(&world->naming, &world->services, world->windows,
		       world->names) == 0);
	dns.windows = world->windows;
	dns.naming = world->naming;
	dns.names = world->names;
	assert(dns_traffic_new(&world->dns, &dns) == 0);
}

static void end(struct world *world)
{
	const struct obs_traffic *seen;

	dns_traffic_finish(world->dns);
	seen = windows_traffic(world->windows, 0);
	assert(seen->responses + seen->timed_out <= seen->requests);
	assert(seen->errors <= seen->responses);
	dns_traffic_free(world->dns);
	service_naming_free(world->naming);
	dns_names_free(world->names);
	windows_free(world->windows);
}

static void say(struct world *world, enum exchange_side from, bool over_tcp,
	struct cursor bytes, uint32_t len)
{
	bool asks = from == EXCHANGE_CLIENT;
	struct dns_traffic_message message = {
		.from = asks ? &world->client : &world->server,
		.to = asks ? &world->server : &world->client,
		.from_port = asks ? 40000 : 53,
		.to_port = asks ? 53 : 40000,
		.over_tcp = over_tcp,
		.bytes = bytes,
		.len = len};
	struct address address;
	const char *name;

	dns_traffic_read(world->dns, &message, world->now);
	(void)address_parse(&address, "203.0.113.10");
	name = dns_names_of(world->names, &world->client, &address, world->now);
	assert(!name || services_by_host(&world->services, name));
}

static void heard(void *arg, enum exchange_side from, struct cursor bytes, uint32_t len,
	struct moment at)
{
	(void)at;
	assert(cursor_left(&bytes) <= len);
	say(arg, from, true, bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cur = cursor_over(data, size);
	struct world *world = malloc(sizeof(*world));
	struct exchange_sink sink = {.message = heard, .arg = world};
	struct dns_stream stream;

	assert(world && buffer_pool_new(&sink.buffers, 2) == 0);
	begin(world);
	dns_stream_init(&stream);
	while (cursor_left(&cur) > 4) {
		uint8_t choice = cursor_take_u8(&cur);
		enum exchange_side from = choice & 1 ? EXCHANGE_SERVER : EXCHANGE_CLIENT;
		struct cursor piece;

		world->now = moment_plus_us(
			world->now, (int64_t)cursor_take_u8(&cur) * 100000);
		dns_traffic_sweep(world->dns, world->now);
		piece = cursor_take_sub(&cur, cursor_take_u16(&cur));
		if (choice & 4)
			dns_stream_skip(&stream, &sink, from, choice, world->now);
		if (choice & 2)
			dns_stream_bytes(&stream, &sink, from, piece, world->now);
		else
			say(world, from, false, piece, (uint32_t)cursor_left(&piece));
	}
	dns_stream_drop(&stream, &sink);
	end(world);
	buffer_pool_free(sink.buffers);
	free(world);
	return 0;
}
