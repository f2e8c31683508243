#include "spool_position.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "astray/moment.h"

/* Written by and for this machine only, in its own byte order. The check is the
 * complement of both numbers: a half-written position does not pass it. */
struct stored {
	uint64_t segment, offset, check;
};

static bool is_sound(const struct stored *stored)
{
	return stored->check == ~(stored->segment ^ stored->offset) &&
	       stored->offset <= (uint64_t)MOMENT_MAX_US;
}

int spool_position_open(struct spool_position *position, int dir_fd)
{
	struct stored stored;
	int fd = openat(
		dir_fd, "position", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	*position = (struct spool_position){0};
	if (fd < 0)
		return -errno;
	if (pread(fd, &stored, sizeof(stored), 0) == (ssize_t)sizeof(stored) &&
		is_sound(&stored))
		*position = (struct spool_position){
			.segment = stored.segment, .offset = (int64_t)stored.offset};
	return fd;
}

int spool_position_write(int fd, const struct spool_position *position)
{
	struct stored stored = {.segment = position->segment,
		.offset = (uint64_t)position->offset,
		.check = ~(position->segment ^ (uint64_t)position->offset)};

	if (pwrite(fd, &stored, sizeof(stored), 0) == (ssize_t)sizeof(stored))
		return 0;
	return errno ? -errno : -EIO;
}
