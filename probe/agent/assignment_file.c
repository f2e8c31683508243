#include "assignment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assignment.h"

#define NAME "assignment.json"
#define NAME_NEW NAME ".new"

static int open_directory(const char *directory)
{
	return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static char *read_all(int fd)
{
	struct stat st;
	char *text = NULL;

	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
		st.st_size <= (off_t)ASSIGNMENT_BYTES_MAX)
		text = malloc((size_t)st.st_size + 1);
	if (!text)
		return NULL;
	text[st.st_size] = '\0';
	if (read(fd, text, (size_t)st.st_size) == (ssize_t)st.st_size &&
		strlen(text) == (size_t)st.st_size)
		return text;
	free(text);
	return NULL;
}

char *assignment_file_load(const char *directory)
{
	int dir_fd = open_directory(directory);
	int fd =
		dir_fd < 0 ? -1 : openat(dir_fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = fd < 0 ? NULL : read_all(fd);

	if (fd >= 0)
		(void)close(fd);
	if (dir_fd >= 0)
		(void)close(dir_fd);
	return text;
}

static int write_new(int dir_fd, const char *text, size_t len)
{
	int fd = openat(dir_fd, NAME_NEW,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t done;
	int rc = 0;

	if (fd < 0)
		return -errno;
	done = write(fd, text, len);
	if (done < 0 || fsync(fd))
		rc = -errno;
	else if ((size_t)done != len)
		rc = -ENOSPC;
	(void)close(fd);
	return rc;
}

int assignment_file_store(const char *directory, const char *text, size_t len)
{
	int dir_fd = open_directory(directory);
	int rc;

	if (dir_fd < 0)
		return -errno;
	rc = write_new(dir_fd, text, len);
	if (rc == 0 && (renameat(dir_fd, NAME_NEW, dir_fd, NAME) || fsync(dir_fd)))
		rc = -errno;
	(void)close(dir_fd);
	return rc;
}
