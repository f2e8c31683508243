/*
 * Lines of the wire: whatever is accepted must come back the same when we write it, as an
 * observation, as a record and as a batch.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "astray/wire.h"

#define CAP (4 * WIRE_LINE_MAX) /* numbers may grow when they are written out */

struct bench {
	struct obs first, second;
	char line[CAP];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void try_observation(struct bench *bench, const char *line, size_t len)
{
	int written;

	if (wire_decode(&bench->first, line, len, NULL))
		return;
	written = wire_encode(bench->line, CAP, &bench->first);
	require(written > 0);
	if (written > WIRE_LINE_MAX)
		return;
	require(wire_decode(&bench->second, bench->line, (size_t)written, NULL) == 0);
	require(obs_equal(&bench->first, &bench->second));
}

static void try_record(struct bench *bench, const char *line, size_t len)
{
	struct wire_origin origin = {
		.rx = {1}, .probe = "tyo-gw-1", .boot = "9f2c", .seq = 42};
	struct wire_origin back;
	int written;

	(void)wire_decode_record(&back, &bench->second, line, len, NULL);
	if (wire_decode(&bench->first, line, len, NULL))
		return;
	written = wire_encode_record(bench->line, CAP, &origin, line, len);
	require(written > 0);
	require(wire_decode_record(
			&back, &bench->second, bench->line, (size_t)written, NULL) == 0);
	require(obs_equal(&bench->first, &bench->second) && back.seq == origin.seq);
}

static void try_batch(struct bench *bench, const char *line, size_t len)
{
	struct wire_batch first, second;
	struct fault fault;
	int written;

	if (wire_decode_batch(&first, line, len, &fault)) {
		require(fault.why[0] != '\0');
		return;
	}
	written = wire_encode_batch(bench->line, CAP, &first);
	require(written > 0);
	require(wire_decode_batch(&second, bench->line, (size_t)written, &fault) == 0);
	require(strcmp(first.probe, second.probe) == 0 && first.seq == second.seq &&
		first.sent.us == second.sent.us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size, *line;
	struct bench *bench = malloc(sizeof(*bench));
	bool terminated;
	size_t len;

	if (!bench || !size) {
		free(bench);
		return 0;
	}
	while ((line = wire_next_line(&at, end, &len, &terminated))) {
		try_observation(bench, line, len);
		try_record(bench, line, len);
		try_batch(bench, line, len);
	}
	free(bench);
	return 0;
}
