/*
 * A recorded stream of any bytes, out of a file: each line is an observation or the end
 * with a fault that names its line.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static unsigned lines_of(const uint8_t *data, size_t size)
{
	unsigned lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

static void read_all(struct recording *recording, unsigned lines)
{
	struct obs *obs = malloc(sizeof(*obs));
	struct wire_origin origin;
	struct fault fault = {0};
	unsigned count = 0;
	int rc;

	require(obs != NULL);
	while ((rc = recording_next(recording, &origin, obs, &fault)) > 0) {
		require(++count <= lines && origin.rx.us >= 0);
		require(recording_percent(recording) >= 0);
	}
	require(rc == 0 ? count == lines : fault.line == count + 1 && fault.why[0]);
	free(obs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct recording *recording;
	char path[64];
	int fd = memfd_create("recording", MFD_CLOEXEC);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	require(recording_open(&recording, path, NULL) == 0);
	read_all(recording, lines_of(data, size));
	recording_close(recording);
	(void)close(fd);
	return 0;
}
