#include "spool_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "astray/status.h"

#define OPEN_FLAGS (O_RDWR | O_CLOEXEC | O_NOFOLLOW)

const char *spool_segment_name(uint64_t id, char buf[static SPOOL_SEGMENT_NAME])
{
	(void)snprintf(buf, SPOOL_SEGMENT_NAME, "%016" PRIx64 ".spool", id);
	return buf;
}

uint64_t spool_segment_parse(const char *name)
{
	char again[SPOOL_SEGMENT_NAME];
	uint64_t id = strtoull(name, NULL, 16);

	return strcmp(name, spool_segment_name(id, again)) == 0 ? id : 0;
}

int spool_segment_create(struct spool_segment *segment, int *fd, int dir_fd, uint64_t id)
{
	char name[SPOOL_SEGMENT_NAME];
	int rc;

	*segment = (struct spool_segment){.id = id};
	*fd = openat(dir_fd, spool_segment_name(id, name), OPEN_FLAGS | O_CREAT | O_EXCL,
		0600);
	if (*fd < 0)
		return -errno;
	if (fsync(dir_fd) == 0)
		return 0;
	rc = -errno;
	(void)close(*fd);
	(void)unlinkat(dir_fd, name, 0);
	*fd = -1;
	return rc;
}

int spool_segment_reopen(int dir_fd, uint64_t id)
{
	char name[SPOOL_SEGMENT_NAME];
	int fd = openat(dir_fd, spool_segment_name(id, name), OPEN_FLAGS);

	return fd < 0 ? -errno : fd;
}

/* All of it, or fewer at the end of the file. */
static ssize_t read_at(int fd, void *into, size_t len, int64_t offset)
{
	size_t have = 0;

	while (have < len) {
		ssize_t got = pread(
			fd, (uint8_t *)into + have, len - have, offset + (off_t)have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static int write_at(int fd, struct iovec *parts, int count, int64_t offset)
{
	while (count > 0) {
		ssize_t done = pwritev(fd, parts, count, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		offset += done;
		for (; count > 0 && (size_t)done >= parts->iov_len; parts++, count--)
			done -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (uint8_t *)parts->iov_base + done;
			parts->iov_len -= (size_t)done;
		}
	}
	return 0;
}

static int read_whole(
	int fd, int64_t offset, uint8_t *bytes, size_t len, struct spool_record *record)
{
	ssize_t got = read_at(fd, bytes, len, offset);
	int rc = got < 0 ? (int)got : spool_record_decode(record, bytes, (size_t)got);

	return rc ? rc : (int)len;
}

int spool_segment_read(
	int fd, int64_t offset, struct spool_record *record, uint8_t **bytes)
{
	uint8_t header[SPOOL_RECORD_HEADER];
	ssize_t got = read_at(fd, header, sizeof(header), offset);
	int len, rc;

	*bytes = NULL;
	if (got <= 0)
		return (int)got;
	if (got < (ssize_t)sizeof(header))
		return STATUS_SHORT;
	len = spool_record_length(header);
	if (len < 0)
		return len;
	*bytes = malloc((size_t)len);
	if (!*bytes)
		return -ENOMEM;
	rc = read_whole(fd, offset, *bytes, (size_t)len, record);
	if (rc < 0) {
		free(*bytes);
		*bytes = NULL;
	}
	return rc;
}

static void count_in(struct spool_segment *segment, const struct spool_record *record)
{
	struct obs_gap *content = &segment->content;

	if (segment->batches == 0 || moment_before(record->from, content->from))
		content->from = record->from;
	if (segment->batches == 0 || moment_before(content->until, record->until))
		content->until = record->until;
	content->observations += spool_record_weight(record);
	segment->batches++;
}

void spool_segment_forget(
	struct spool_segment *segment, const struct spool_record *record)
{
	segment->content.observations -= spool_record_weight(record);
	segment->batches--;
}

int spool_segment_scan(struct spool_segment *segment, int fd, uint64_t id, int64_t offset)
{
	struct spool_record record;
	uint8_t *bytes;
	int len;

	*segment = (struct spool_segment){.id = id, .size_bytes = offset};
	while ((len = spool_segment_read(fd, segment->size_bytes, &record, &bytes)) > 0) {
		count_in(segment, &record);
		segment->size_bytes += len;
		free(bytes);
	}
	return len == STATUS_SHORT ? STATUS_CORRUPT : len;
}

int spool_segment_append(
	struct spool_segment *segment, int fd, const struct spool_record *record)
{
	uint8_t header[SPOOL_RECORD_HEADER];
	struct iovec parts[2] = {{header, sizeof(header)},
		{(void *)(uintptr_t)record->packed, record->packed_len}};
	int rc = spool_record_encode(header, record);

	if (rc)
		return rc;
	rc = write_at(fd, parts, 2, segment->size_bytes);
	if (rc == 0 && fdatasync(fd))
		rc = -errno;
	if (rc) {
		/* Only a courtesy to the next start: nothing relies on it. */
		int ignored = ftruncate(fd, segment->size_bytes);

		(void)ignored;
		return rc;
	}
	count_in(segment, record);
	segment->size_bytes += SPOOL_RECORD_HEADER + (int64_t)record->packed_len;
	return 0;
}
