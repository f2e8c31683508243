/*
 * The state of a snapshot, checksums aside: what is accepted is written again as the same
 * state, and can be judged on with. The first byte chooses: the bytes behind it are a
 * state, or changes of a real one (two bytes where, one what), which stay of use when the
 * state's form changes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	(void)change;
	require(memchr(incident->text, 0, sizeof(incident->text)) != NULL);
	*(unsigned *)arg += 1;
}

static struct pipeline *new_pipeline(unsigned *changes)
{
	static struct service list[] = {
		{.name = "exchange", .zone = "exchange.example"}, {.name = "wiki"}};
	static const struct services services = {2, list};
	const struct pipeline_hooks hooks = {.changed = changed, .arg = changes};
	struct pipeline *pipeline;

	list[0].expect.name_servers_given = true;
	require(pipeline_new(&pipeline, &services, NULL, NULL, &hooks) == 0);
	return pipeline;
}

static struct pipeline *read_state(const void *bytes, size_t len, unsigned *changes)
{
	struct pipeline *pipeline = new_pipeline(changes);
	struct archive *archive;
	bool fine;

	require(archive_open(&archive, bytes, len) == 0);
	pipeline_keep(archive, pipeline);
	fine = archive_rc(archive) == 0 && archive_is_through(archive);
	archive_free(archive);
	if (fine)
		return pipeline;
	pipeline_free(pipeline);
	return NULL;
}

static struct archive *written(struct pipeline *pipeline)
{
	struct archive *archive;

	require(archive_new(&archive) == 0);
	pipeline_keep(archive, pipeline);
	require(archive_rc(archive) == 0);
	return archive;
}

static void is_written_as_it_was_read(struct pipeline *pipeline, unsigned *changes)
{
	struct archive *first = written(pipeline), *second;
	struct pipeline *again;
	const void *bytes[2];
	size_t len[2];

	bytes[0] = archive_bytes(first, &len[0]);
	again = read_state(bytes[0], len[0], changes);
	require(again != NULL);
	second = written(again);
	bytes[1] = archive_bytes(second, &len[1]);
	require(len[0] == len[1] && memcmp(bytes[0], bytes[1], len[0]) == 0);
	archive_free(first);
	archive_free(second);
	pipeline_free(again);
}

/* A few minutes behind 2026, whatever time the state thinks it is. */
static void judges_on(struct pipeline *pipeline)
{
	struct wire_origin origin = {.probe = "gw-1", .boot = "b"};
	struct obs *obs = calloc(1, sizeof(*obs));

	require(obs != NULL);
	origin.rx.us = INT64_C(1795564799000000);
	obs_init(obs, OBS_HELLO, origin.rx);
	obs->hello.role = OBS_GATEWAY;
	pipeline_feed(pipeline, &origin, obs);
	for (int i = 0; i < 40; i++) {
		origin.rx.us = INT64_C(1795564800000000) + i * 10 * MOMENT_SECOND_US;
		obs_init(obs, OBS_TRAFFIC, origin.rx);
		obs->traffic.window_us = 10 * MOMENT_SECOND_US;
		(void)snprintf(obs->traffic.service, OBS_NAME, "wiki");
		obs->traffic.requests = obs->traffic.responses = 100;
		obs->traffic.errors = 60;
		pipeline_feed(pipeline, &origin, obs);
		obs_init(obs, OBS_DNS, origin.rx);
		(void)snprintf(obs->dns.service, OBS_NAME, "exchange");
		(void)snprintf(obs->dns.name, OBS_NAME, "exchange.example");
		(void)snprintf(obs->dns.type, sizeof(obs->dns.type), "NS");
		(void)snprintf(obs->dns.rcode, sizeof(obs->dns.rcode), "NOERROR");
		obs->dns.role = OBS_PARENT;
		obs->dns.answer_count = 1;
		(void)snprintf(obs->dns.answers[0].data, OBS_NAME, "ns%d.example", i);
		pipeline_feed(pipeline, &origin, obs);
	}
	free(obs);
}

static void try(const void *bytes, size_t len)
{
	unsigned changes = 0;
	struct pipeline *pipeline = read_state(bytes, len, &changes);

	if (!pipeline)
		return;
	pipeline_recall(pipeline);
	is_written_as_it_was_read(pipeline, &changes);
	judges_on(pipeline);
	pipeline_free(pipeline);
}

/* Of a few minutes with two incidents open. */
static char *real_state(size_t *len)
{
	unsigned changes = 0;
	struct archive *archive;
	struct pipeline *pipeline;
	char *copy;

	require(archive_new(&archive) == 0);
	pipeline = new_pipeline(&changes);
	judges_on(pipeline);
	pipeline_keep(archive, pipeline);
	require(archive_rc(archive) == 0 && changes >= 2);
	pipeline_free(pipeline);
	(void)archive_bytes(archive, len);
	copy = malloc(*len);
	require(copy != NULL);
	memcpy(copy, archive_bytes(archive, len), *len);
	archive_free(archive);
	return copy;
}

static void try_changed(const uint8_t *data, size_t size)
{
	size_t len;
	char *bytes = real_state(&len);

	for (; size >= 3; data += 3, size -= 3)
		bytes[(size_t)(data[0] << 8 | data[1]) % len] ^= (char)data[2];
	try(bytes, len);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] & 1)
		try_changed(data + 1, size - 1);
	else if (size)
		try(data + 1, size - 1);
	return 0;
}
