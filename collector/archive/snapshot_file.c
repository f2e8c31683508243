#include "snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "astray/status.h"

#define MODE 0640
#define WORD "astray-snapshot 1 "
#define DIGITS 16
/* The word; version, position, length, checksum, each with a space or the newline. */
#define HEAD (sizeof(WORD) - 1 + 4 * (DIGITS + 1))
#define CHECKSUM_AT (HEAD - DIGITS - 1)

/* FNV-1a, 64 bits: against damage, not against people. */
static uint64_t checksum(uint64_t sum, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	return sum;
}

static uint64_t checksum_of(const char *head, const char *bytes, size_t len)
{
	return checksum(
		checksum(UINT64_C(14695981039346656037), head, CHECKSUM_AT), bytes, len);
}

static void write_head(char text[static HEAD + 1], const struct snapshot_head *head,
	const void *bytes, size_t len)
{
	int used = snprintf(text, HEAD + 1, WORD "%16s %016" PRIx64 " %016zx ",
		head->version, (uint64_t)head->position.us, len);

	(void)snprintf(text + used, HEAD + 1 - (size_t)used, "%016" PRIx64 "\n",
		checksum_of(text, bytes, len));
}

static bool read_digits(const char *text, char end, uint64_t *out)
{
	*out = 0;
	for (int i = 0; i < DIGITS; i++) {
		bool letter = text[i] >= 'a' && text[i] <= 'f';

		if (!letter && !(text[i] >= '0' && text[i] <= '9'))
			return false;
		*out = *out << 4 |
		       (uint64_t)(letter ? text[i] - 'a' + 10 : text[i] - '0');
	}
	return text[DIGITS] == end;
}

int snapshot_file_parse(const char *file, size_t size, const char *version,
	struct snapshot_head *head, size_t *at, size_t *len)
{
	const char *text = file + sizeof(WORD) - 1;
	uint64_t position, length, sum;

	if (size < HEAD)
		return STATUS_SHORT;
	if (memcmp(file, WORD, sizeof(WORD) - 1) != 0)
		return STATUS_CORRUPT;
	memcpy(head->version, text, DIGITS);
	head->version[DIGITS] = '\0';
	text += DIGITS + 1;
	if (text[-1] != ' ' || !read_digits(text, ' ', &position) ||
		!read_digits(text + DIGITS + 1, ' ', &length) ||
		!read_digits(text + 2 * (DIGITS + 1), '\n', &sum) ||
		position > MOMENT_MAX_US)
		return STATUS_CORRUPT;
	if (size - HEAD != length)
		return size - HEAD < length ? STATUS_SHORT : STATUS_CORRUPT;
	if (checksum_of(file, file + HEAD, length) != sum)
		return STATUS_CORRUPT;
	head->position.us = (int64_t)position;
	*at = HEAD;
	*len = length;
	return strcmp(head->version, version) == 0 ? 0 : STATUS_UNSUPPORTED;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

/* A new name lasts only once its folder is on disk. */
static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd, rc;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fsync(fd) ? -errno : 0;
	(void)close(fd);
	return rc;
}

int snapshot_file_write(
	const char *path, const struct snapshot_head *head, const void *bytes, size_t len)
{
	char beside[PATH_MAX], text[HEAD + 1];
	int fd, rc;

	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	write_head(text, head, bytes, len);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, MODE);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, text, HEAD);
	if (rc == 0)
		rc = write_all(fd, bytes, len);
	if (rc == 0 && fsync(fd))
		rc = -errno;
	if (close(fd) && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(beside, path))
		rc = -errno;
	if (rc)
		(void)unlink(beside);
	return rc ? rc : sync_folder(path);
}

static int read_whole(int fd, char **out, size_t *size)
{
	struct stat file;
	char *bytes;

	if (fstat(fd, &file))
		return -errno;
	if ((size_t)file.st_size > SNAPSHOT_FILE_MAX)
		return STATUS_LIMIT;
	bytes = malloc((size_t)file.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	for (*size = 0; *size < (size_t)file.st_size;) {
		ssize_t got = read(fd, bytes + *size, (size_t)file.st_size - *size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			int rc = got ? -errno : STATUS_SHORT;

			free(bytes);
			return rc;
		}
		*size += (size_t)got;
	}
	*out = bytes;
	return 0;
}

int snapshot_file_read(const char *path, const char *version, struct snapshot_head *head,
	void **bytes, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	size_t size = 0, at;
	char *file = NULL;

	*bytes = NULL;
	if (fd < 0)
		return -errno;
	rc = read_whole(fd, &file, &size);
	(void)close(fd);
	if (rc == 0)
		rc = snapshot_file_parse(file, size, version, head, &at, len);
	if (rc) {
		free(file);
		return rc;
	}
	memmove(file, file + at, *len);
	*bytes = file;
	return 0;
}

int snapshot_file_set_aside(const char *path)
{
	char aside[PATH_MAX];

	if (snprintf(aside, sizeof(aside), "%s.aside", path) >= (int)sizeof(aside))
		return -ENAMETOOLONG;
	return rename(path, aside) ? -errno : 0;
}
