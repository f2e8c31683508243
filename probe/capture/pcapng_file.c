#include "pcapng_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "astray/status.h"

struct pcapng_file {
	FILE *stream;
	uint8_t *block;
	size_t room;
	struct pcapng sections;
};

static bool read_bytes(struct pcapng_file *file, size_t from, size_t until)
{
	return fread(file->block + from, 1, until - from, file->stream) == until - from;
}

static int make_room(struct pcapng_file *file, size_t bytes)
{
	uint8_t *block;

	if (bytes <= file->room)
		return 0;
	block = realloc(file->block, bytes);
	if (!block)
		return -ENOMEM;
	file->block = block;
	file->room = bytes;
	return 0;
}

/* The next block: its length, or 0 at the end. */
static int next_block(struct pcapng_file *file, struct fault *fault)
{
	uint32_t len = 0;
	size_t have;
	int rc;

	errno = 0;
	have = fread(file->block, 1, PCAPNG_HEAD, file->stream);
	if (have == 0 && feof(file->stream))
		return 0;
	rc = have < PCAPNG_HEAD ? STATUS_CORRUPT
				: pcapng_block_len(&file->sections, file->block, &len);
	if (rc == 0)
		rc = make_room(file, len);
	if (rc == 0 && !read_bytes(file, PCAPNG_HEAD, len))
		rc = STATUS_CORRUPT;
	if (rc && ferror(file->stream) && errno)
		rc = -errno;
	return rc ? fault_at(fault, rc, "", "%s",
			    rc == STATUS_CORRUPT ? "a block is cut, or is none"
						 : status_text(rc))
		  : (int)len;
}

int pcapng_file_next(
	struct pcapng_file *file, struct pcapng_packet *packet, struct fault *fault)
{
	int len, rc = 0;

	while (rc == 0) {
		len = next_block(file, fault);
		if (len <= 0)
			return len;
		rc = pcapng_read(&file->sections, file->block, (uint32_t)len, packet);
	}
	return rc > 0 ? rc
		      : fault_at(fault, rc, "", "%s",
				rc == STATUS_CORRUPT ? "a block contradicts itself"
						     : status_text(rc));
}

static int read_first_interface(struct pcapng_file *file, struct fault *fault)
{
	struct pcapng_packet packet;
	int len, rc;

	while (file->sections.interface_count == 0) {
		len = next_block(file, fault);
		if (len < 0)
			return len;
		rc = len ? pcapng_read(
				   &file->sections, file->block, (uint32_t)len, &packet)
			 : STATUS_CORRUPT;
		if (rc < 0)
			return fault_at(fault, rc, "",
				"it ends before any interface, or is no pcapng file");
	}
	return 0;
}

int pcapng_file_open(
	struct pcapng_file **out, FILE *stream, int *link_type, struct fault *fault)
{
	struct pcapng_file *file = calloc(1, sizeof(*file));
	int rc;

	*out = NULL;
	if (!file)
		return -ENOMEM;
	file->stream = stream;
	rc = make_room(file, PCAPNG_HEAD);
	if (rc == 0)
		rc = read_first_interface(file, fault);
	if (rc)
		goto fail;
	*link_type = file->sections.interfaces[0].link_type;
	*out = file;
	return 0;

fail:
	pcapng_file_close(file);
	return rc;
}

uint64_t pcapng_file_drops(const struct pcapng_file *file)
{
	return pcapng_drops(&file->sections);
}

void pcapng_file_close(struct pcapng_file *file)
{
	if (!file)
		return;
	free(file->block);
	free(file);
}
