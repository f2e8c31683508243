/*
 * Bytes as a capture file: opened, read to its end or its fault, every packet measured.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <stdio.h>
#include <unistd.h>

#include "capture.h"
#include "meter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void emitted(void *arg, const struct obs *obs)
{
	(void)arg;
	(void)obs;
}

static void packet_captured(void *arg, const struct capture_packet *packet)
{
	meter_packet(arg, packet->link_type, packet->at, packet->bytes, packet->captured,
		packet->wire_len);
}

static void measure(struct capture *capture)
{
	struct services services = {0};
	struct meter_config config = {.window_us = 10 * MOMENT_SECOND_US,
		.pause_us = 60 * MOMENT_SECOND_US,
		.flows = 16,
		.service_limit = 4,
		.emit = emitted};
	struct fault fault = {0};
	struct meter *meter;

	if (meter_new(&meter, &config, &services))
		abort();
	while (capture_read(capture, 100, packet_captured, meter, &fault) > 0)
		;
	meter_finish(meter);
	meter_free(meter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	char path[64];
	struct capture *capture;
	struct fault fault = {0};

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (capture_open_file(&capture, path, -1, &fault) == 0)
		measure(capture);
	else if (!fault.why[0])
		abort();
	capture_close(capture);
	(void)close(fd);
	return 0;
}
