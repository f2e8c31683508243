#include "spool_aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "astray/json.h"
#include "astray/squeeze.h"
#include "astray/wire.h"

#define SUFFIX ".ndjson"

int spool_aside_open(int dir_fd)
{
	int fd;

	if (mkdirat(dir_fd, "aside", 0700) && errno != EEXIST)
		return -errno;
	fd = openat(dir_fd, "aside", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

struct survey {
	unsigned files;
	struct timespec oldest_at;
	char oldest[NAME_MAX + 1];
};

static bool is_older(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

static void look_at(struct survey *survey, int aside_fd, const char *name)
{
	size_t len = strlen(name);
	struct stat st;

	if (len <= strlen(SUFFIX) || strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0 ||
		fstatat(aside_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (survey->files == 0 || is_older(st.st_mtim, survey->oldest_at)) {
		survey->oldest_at = st.st_mtim;
		(void)snprintf(survey->oldest, sizeof(survey->oldest), "%s", name);
	}
	survey->files++;
}

static int take_survey(struct survey *survey, int aside_fd)
{
	int fd = openat(aside_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	*survey = (struct survey){0};
	if (!dir) {
		int rc = -errno;

		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	while ((entry = readdir(dir)))
		look_at(survey, aside_fd, entry->d_name);
	(void)closedir(dir);
	return 0;
}

static int make_room(int aside_fd)
{
	struct survey survey;
	int removed = 0, rc;

	while ((rc = take_survey(&survey, aside_fd)) == 0 &&
		survey.files >= SPOOL_ASIDE_FILES) {
		if (unlinkat(aside_fd, survey.oldest, 0))
			return -errno;
		removed++;
	}
	return rc ? rc : removed;
}

static char *first_line(const struct spool_record *record, const char *why)
{
	struct json *line = json_new_object();
	char *text;

	json_add_text(line, "refused", why);
	json_add_text(line, "boot", record->boot);
	json_add_int(line, "seq", record->seq);
	text = json_print_new(line);
	json_free(line);
	return text;
}

static int write_file(
	int aside_fd, const char *name, const char *head, const char *lines, size_t len)
{
	int fd = openat(aside_fd, name,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool good;

	if (!file) {
		int rc = -errno;

		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	good = fprintf(file, "%s\n", head) > 0 && fwrite(lines, 1, len, file) == len;
	good = fclose(file) == 0 && good;
	return good ? 0 : -EIO;
}

int spool_aside_write(int aside_fd, const struct spool_record *record, const char *why)
{
	char name[80];
	char *head = NULL;
	void *lines = NULL;
	size_t len;
	int removed = make_room(aside_fd);
	int rc = removed;

	if (rc < 0)
		return rc;
	(void)snprintf(
		name, sizeof(name), "%s-%" PRId64 SUFFIX, record->boot, record->seq);
	rc = squeeze_unpack(&lines, &len, SQUEEZE_ZSTD, record->packed,
		record->packed_len, WIRE_BATCH_MAX);
	if (rc == 0) {
		head = first_line(record, why);
		rc = head ? write_file(aside_fd, name, head, lines, len) : -ENOMEM;
	}
	free(head);
	free(lines);
	return rc ? rc : removed;
}
