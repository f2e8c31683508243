#include "spool_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "astray/status.h"
#include "spool_position.h"
#include "spool_segment.h"

#define SEGMENT_BYTES_MIN (64 * 1024)
#define SEGMENT_BYTES_MAX (1024 * 1024)
#define SEGMENTS_SPARE 64 /* files that ended early: at a failed sync, at a restart */

struct spool_store {
	int dir_fd, position_fd;
	int write_fd; /* of the newest segment; -1: the next record begins a new one */
	int read_fd;  /* of the oldest segment; -1: not opened yet */
	int64_t limit_bytes, segment_bytes;
	uint64_t next_id;
	struct spool_position at; /* in the oldest segment */
	unsigned count, capacity;
	struct spool_segment *segments; /* oldest first */
	int64_t damaged;
	uint8_t *bytes; /* behind `oldest`; NULL: not read yet */
	struct spool_record oldest;
};

static struct spool_segment *newest(const struct spool_store *store)
{
	return &store->segments[store->count - 1];
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void unload(struct spool_store *store)
{
	free(store->bytes);
	store->bytes = NULL;
}

static void unlink_segment(const struct spool_store *store, uint64_t id)
{
	char name[SPOOL_SEGMENT_NAME];

	(void)unlinkat(store->dir_fd, spool_segment_name(id, name), 0);
}

static void move_to(struct spool_store *store, uint64_t segment, int64_t offset)
{
	store->at = (struct spool_position){segment, offset};
	/* Failing costs no more than sending a batch twice under one name. */
	(void)spool_position_write(store->position_fd, &store->at);
}

static void remove_oldest(struct spool_store *store)
{
	uint64_t id = store->segments[0].id;

	unload(store);
	close_fd(&store->read_fd);
	if (store->count == 1)
		close_fd(&store->write_fd);
	store->count--;
	memmove(store->segments, store->segments + 1,
		store->count * sizeof(*store->segments));
	move_to(store, store->count ? store->segments[0].id : id + 1, 0);
	unlink_segment(store, id);
}

/* ---- opening */

static int compare_ids(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static int keep_id(uint64_t **ids, size_t *count, uint64_t id)
{
	uint64_t *more = reallocarray(*ids, *count + 1, sizeof(**ids));

	if (!more)
		return -ENOMEM;
	*ids = more;
	more[(*count)++] = id;
	return 0;
}

static int list_ids(const struct spool_store *store, uint64_t **ids, size_t *count)
{
	int fd = openat(store->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	*ids = NULL;
	*count = 0;
	if (!dir) {
		rc = -errno;
		close_fd(&fd);
		return rc;
	}
	while (rc == 0 && (entry = readdir(dir))) {
		uint64_t id = spool_segment_parse(entry->d_name);

		if (id)
			rc = keep_id(ids, count, id);
	}
	(void)closedir(dir);
	if (*count)
		qsort(*ids, *count, sizeof(**ids), compare_ids);
	return rc;
}

/* Where reading begins in a segment, never behind its end. */
static int64_t first_offset(const struct spool_store *store, int fd, uint64_t id)
{
	struct stat st;

	if (id != store->at.segment || fstat(fd, &st))
		return 0;
	return store->at.offset < st.st_size ? store->at.offset : st.st_size;
}

static int take_segment(struct spool_store *store, uint64_t id)
{
	int fd = spool_segment_reopen(store->dir_fd, id);
	int64_t offset;
	int rc;

	if (fd < 0)
		return fd;
	offset = first_offset(store, fd, id);
	if (store->count == 0)
		store->at = (struct spool_position){id, offset};
	rc = spool_segment_scan(&store->segments[store->count++], fd, id, offset);
	if (rc)
		store->damaged++;
	close_fd(&fd);
	return 0;
}

/* The newest segment goes on being written, so that many short lives do not leave many
 * files; a torn tail is cut off first. */
static int continue_newest(struct spool_store *store)
{
	struct spool_segment *last = newest(store);

	if (last->size_bytes >= store->segment_bytes)
		return 0;
	store->write_fd = spool_segment_reopen(store->dir_fd, last->id);
	if (store->write_fd < 0)
		return store->write_fd;
	if (ftruncate(store->write_fd, last->size_bytes))
		close_fd(&store->write_fd);
	return 0;
}

static int take_segments(struct spool_store *store, const uint64_t *ids, size_t count)
{
	unsigned by_size = (unsigned)(store->limit_bytes / store->segment_bytes);
	int rc = 0;

	store->capacity = by_size + SEGMENTS_SPARE + (unsigned)count;
	store->segments = calloc(store->capacity, sizeof(*store->segments));
	if (!store->segments)
		return -ENOMEM;
	store->next_id = store->at.segment + 1;
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (ids[i] < store->at.segment)
			unlink_segment(store, ids[i]);
		else
			rc = take_segment(store, ids[i]);
		if (ids[i] >= store->next_id)
			store->next_id = ids[i] + 1;
	}
	return rc == 0 && store->count ? continue_newest(store) : rc;
}

static int open_directory(struct spool_store *store, const char *directory)
{
	if (mkdir(directory, 0700) && errno != EEXIST)
		return -errno;
	store->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir_fd < 0)
		return -errno;
	if (flock(store->dir_fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? STATUS_DUPLICATE : -errno;
	store->position_fd = spool_position_open(&store->at, store->dir_fd);
	return store->position_fd < 0 ? store->position_fd : 0;
}

static int64_t segment_bytes_for(int64_t limit_bytes)
{
	int64_t bytes = limit_bytes / 16;

	if (bytes < SEGMENT_BYTES_MIN)
		return SEGMENT_BYTES_MIN;
	return bytes < SEGMENT_BYTES_MAX ? bytes : SEGMENT_BYTES_MAX;
}

static int fill(struct spool_store *store, const char *directory)
{
	uint64_t *ids = NULL;
	size_t count;
	int rc = open_directory(store, directory);

	if (rc == 0)
		rc = list_ids(store, &ids, &count);
	if (rc == 0)
		rc = take_segments(store, ids, count);
	free(ids);
	return rc;
}

int spool_store_open(struct spool_store **out, const char *directory, int64_t limit_bytes,
	struct fault *fault)
{
	struct spool_store *store = calloc(1, sizeof(*store));
	int rc;

	*out = NULL;
	if (!store)
		return -ENOMEM;
	store->dir_fd = store->position_fd = store->write_fd = store->read_fd = -1;
	store->limit_bytes = limit_bytes;
	store->segment_bytes = segment_bytes_for(limit_bytes);
	rc = fill(store, directory);
	if (rc)
		goto fail;
	*out = store;
	return 0;

fail:
	(void)fault_at(fault, rc, "", "the spool %s: %s", directory,
		rc == STATUS_DUPLICATE ? "another probe is using it" : status_text(rc));
	spool_store_close(store);
	return rc;
}

void spool_store_close(struct spool_store *store)
{
	if (!store)
		return;
	unload(store);
	close_fd(&store->write_fd);
	close_fd(&store->read_fd);
	close_fd(&store->position_fd);
	close_fd(&store->dir_fd);
	free(store->segments);
	free(store);
}

/* ---- writing */

static bool has_room(const struct spool_store *store, size_t len)
{
	const struct spool_segment *last = newest(store);

	return last->size_bytes == 0 ||
	       last->size_bytes + (int64_t)len <= store->segment_bytes;
}

static int begin_segment(struct spool_store *store)
{
	int rc;

	close_fd(&store->write_fd);
	if (store->count == store->capacity)
		return STATUS_LIMIT;
	rc = spool_segment_create(&store->segments[store->count], &store->write_fd,
		store->dir_fd, store->next_id);
	if (rc)
		return rc;
	store->next_id++;
	if (store->count++ == 0)
		move_to(store, store->segments[0].id, 0);
	return 0;
}

/* A disk that is full would collect an empty file at every try. */
static void give_up_newest(struct spool_store *store)
{
	close_fd(&store->write_fd);
	if (newest(store)->size_bytes > 0)
		return;
	if (store->count == 1) {
		remove_oldest(store);
		return;
	}
	unlink_segment(store, newest(store)->id);
	store->count--;
}

int spool_store_append(struct spool_store *store, const struct spool_record *record)
{
	int rc = 0;

	if (store->write_fd < 0 ||
		!has_room(store, SPOOL_RECORD_HEADER + record->packed_len))
		rc = begin_segment(store);
	if (rc)
		return rc;
	rc = spool_segment_append(newest(store), store->write_fd, record);
	if (rc)
		give_up_newest(store);
	return rc;
}

/* ---- reading */

static bool is_read_through(const struct spool_store *store)
{
	return store->at.offset >= store->segments[0].size_bytes;
}

static int load(struct spool_store *store)
{
	int rc;

	if (store->read_fd < 0)
		store->read_fd =
			spool_segment_reopen(store->dir_fd, store->segments[0].id);
	if (store->read_fd < 0)
		return STATUS_CORRUPT;
	rc = spool_segment_read(
		store->read_fd, store->at.offset, &store->oldest, &store->bytes);
	if (rc > 0)
		return 1;
	return rc == -ENOMEM ? rc : STATUS_CORRUPT;
}

int spool_store_oldest(struct spool_store *store, const struct spool_record **out)
{
	int rc = 1;

	*out = NULL;
	while (store->count && is_read_through(store)) {
		if (store->count == 1 && store->write_fd >= 0)
			return 0;
		remove_oldest(store);
	}
	if (store->count == 0)
		return 0;
	if (!store->bytes)
		rc = load(store);
	if (rc == 1)
		*out = &store->oldest;
	return rc;
}

void spool_store_forget_oldest(struct spool_store *store)
{
	int64_t len = SPOOL_RECORD_HEADER + (int64_t)store->oldest.packed_len;

	if (!store->bytes)
		return;
	spool_segment_forget(&store->segments[0], &store->oldest);
	move_to(store, store->at.segment, store->at.offset + len);
	unload(store);
}

/* ---- the limit */

bool spool_store_is_full(const struct spool_store *store, size_t more)
{
	int64_t bytes = (int64_t)more;

	for (unsigned i = 0; i < store->count; i++)
		bytes += store->segments[i].size_bytes;
	return bytes > store->limit_bytes || store->count + 2 > store->capacity;
}

bool spool_store_seal_oldest(struct spool_store *store, struct obs_gap *content)
{
	if (store->count == 0)
		return false;
	if (store->count == 1)
		close_fd(&store->write_fd);
	*content = store->segments[0].content;
	return true;
}

void spool_store_drop_oldest(struct spool_store *store)
{
	if (store->count)
		remove_oldest(store);
}

struct spool_store_counts spool_store_count(const struct spool_store *store)
{
	struct spool_store_counts counts = {.damaged_segments = store->damaged};

	for (unsigned i = 0; i < store->count; i++) {
		counts.batches += store->segments[i].batches;
		counts.bytes += store->segments[i].size_bytes;
	}
	if (store->count)
		counts.bytes -= store->at.offset;
	return counts;
}

int spool_store_directory(const struct spool_store *store)
{
	return store->dir_fd;
}
