#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "astray/squeeze.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "obs_maker.h"
#include "spool.h"

#define LIMIT (8 * 1024 * 1024)
#define NOW ((struct moment){1590854700000000})
#define LINES_MAX (300 * 1024)

/* ---- folders */

struct folder {
	char path[64];
};

static struct folder new_folder(void)
{
	struct folder folder = {"/tmp/astray-spool-XXXXXX"};

	assert_non_null(mkdtemp(folder.path));
	return folder;
}

static void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[512];

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (unlink(name) && errno == EISDIR)
			remove_folder(name);
	}
	(void)closedir(dir);
	assert_int_equal(rmdir(path), 0);
}

struct file {
	char path[512];
	uint8_t *bytes;
	size_t len;
};

static struct file read_file(const char *path)
{
	struct file file = {.len = 0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	(void)snprintf(file.path, sizeof(file.path), "%s", path);
	file.len = (size_t)st.st_size;
	file.bytes = malloc(file.len + 1);
	assert_non_null(file.bytes);
	assert_int_equal(read(fd, file.bytes, file.len), st.st_size);
	file.bytes[file.len] = '\0';
	(void)close(fd);
	return file;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	(void)close(fd);
}

/* The only segment in a folder. */
static struct file read_segment(const struct folder *folder)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/0000000000000001.spool", folder->path);
	return read_file(path);
}

static unsigned files_ending_in(const char *path, const char *suffix)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len > strlen(suffix) &&
			strcmp(entry->d_name + len - strlen(suffix), suffix) == 0)
			count++;
	}
	(void)closedir(dir);
	return count;
}

/* ---- batches */

static struct spool *open_spool(const struct folder *folder, int64_t limit)
{
	struct spool *spool;
	struct fault fault = {0};

	if (spool_open(&spool, folder->path, limit, &fault))
		fail_msg("%s", fault.why);
	return spool;
}

/* `bytes` of lines that do not pack well, so that sizes on disk can be steered. The first
 * word is the batch's number. */
static size_t make_lines(char *text, unsigned number, size_t bytes)
{
	uint64_t seed = number + 1;
	size_t len = (size_t)sprintf(text, "%u ", number);

	while (len + 18 < bytes)
		len += (size_t)sprintf(
			text + len, "%016" PRIx64 "\n", obs_maker_random(&seed));
	text[len++] = '\n';
	return len;
}

static int push_sized(struct spool *spool, unsigned number, size_t bytes)
{
	char *text = malloc(LINES_MAX);
	struct spool_lines lines = {.text = text,
		.observations = number % 7 + 1,
		.from = {(int64_t)number * 1000},
		.until = {(int64_t)number * 1000 + 500}};
	int rc;

	assert_non_null(text);
	lines.len = make_lines(text, number, bytes);
	rc = spool_push(spool, &lines, NOW);
	free(text);
	return rc;
}

static int push(struct spool *spool, unsigned number)
{
	return push_sized(spool, number, 100);
}

/* What a batch says of itself. */
struct seen {
	int64_t number; /* -1: the spool's own report of losses */
	int64_t observations;
	struct obs_health health; /* of a report */
};

static struct seen look(const struct spool_record *record)
{
	struct seen seen = {.observations = record->observations};
	struct obs *obs;
	void *text;
	size_t len;

	assert_int_equal(squeeze_unpack(&text, &len, SQUEEZE_ZSTD, record->packed,
				 record->packed_len, WIRE_BATCH_MAX),
		0);
	if (!record->lost) {
		seen.number = strtoll(text, NULL, 10);
		assert_int_equal(record->observations, seen.number % 7 + 1);
	} else {
		obs = malloc(sizeof(*obs));
		assert_non_null(obs);
		assert_int_equal(wire_decode(obs, text, len, NULL), 0);
		seen.number = -1;
		seen.health = obs->health;
		free(obs);
	}
	free(text);
	return seen;
}

/* The oldest, done; false when there is none. */
static bool take(struct spool *spool, struct seen *seen)
{
	const struct spool_record *record;
	int rc = spool_oldest(spool, &record, NOW);

	assert_in_range(rc, 0, 1);
	if (rc == 0)
		return false;
	*seen = look(record);
	assert_int_equal(spool_done(spool, record->seq), 0);
	return true;
}

static void assert_next(struct spool *spool, unsigned number)
{
	struct seen seen;

	assert_true(take(spool, &seen));
	assert_int_equal(seen.number, number);
}

static void assert_empty(struct spool *spool)
{
	const struct spool_record *record;

	assert_int_equal(spool_oldest(spool, &record, NOW), 0);
	assert_null(record);
	assert_int_equal(spool_count(spool).batches, 0);
	assert_int_equal(spool_count(spool).bytes, 0);
}

/* ---- what must hold */

static void batches_come_out_in_order(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);

	(void)state;
	assert_empty(spool);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(push(spool, i), 0);
	assert_int_equal(spool_count(spool).batches, 50);
	for (unsigned i = 0; i < 50; i++)
		assert_next(spool, i);
	assert_empty(spool);
	assert_int_equal(push(spool, 50), 0);
	assert_next(spool, 50);
	spool_close(spool);
	remove_folder(folder.path);
}

static void a_restart_keeps_names_and_order(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);
	const struct spool_record *record;
	char boots[3][SPOOL_RECORD_BOOT];

	(void)state;
	for (unsigned life = 0; life < 3; life++) {
		(void)snprintf(boots[life], sizeof(boots[life]), "%s", spool_boot(spool));
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(push(spool, life * 4 + i), 0);
		spool_close(spool);
		spool = open_spool(&folder, LIMIT);
	}
	assert_int_equal(files_ending_in(folder.path, ".spool"), 1);
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(spool_oldest(spool, &record, NOW), 1);
		assert_int_equal(look(record).number, i);
		assert_string_equal(record->boot, boots[i / 4]);
		assert_int_equal(record->seq, i % 4);
		assert_int_equal(spool_done(spool, record->seq), 0);
	}
	assert_string_not_equal(boots[0], boots[1]);
	spool_close(spool);
	remove_folder(folder.path);
}

static void what_is_done_does_not_come_back(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(push_sized(spool, i, LINES_MAX), 0);
	for (unsigned i = 0; i < 10; i++) {
		assert_next(spool, i);
		spool_close(spool);
		spool = open_spool(&folder, LIMIT);
		assert_int_equal(spool_count(spool).batches, 9 - i);
	}
	assert_empty(spool);
	assert_true(files_ending_in(folder.path, ".spool") <= 1);
	spool_close(spool);
	remove_folder(folder.path);
}

static void the_oldest_stays_until_it_is_done(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);
	const struct spool_record *record;

	(void)state;
	assert_int_equal(spool_done(spool, 0), STATUS_UNKNOWN);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(push(spool, i), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(spool_oldest(spool, &record, NOW), 1);
		assert_int_equal(look(record).number, 0);
	}
	assert_int_equal(spool_done(spool, 1), STATUS_UNKNOWN);
	assert_int_equal(spool_done(spool, 0), 0);
	assert_int_equal(spool_done(spool, 0), STATUS_UNKNOWN);
	assert_next(spool, 1);
	spool_close(spool);
	remove_folder(folder.path);
}

static void a_second_probe_is_refused(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT), *second;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(
		spool_open(&second, folder.path, LIMIT, &fault), STATUS_DUPLICATE);
	assert_null(second);
	assert_non_null(strstr(fault.why, folder.path));
	assert_non_null(strstr(fault.why, "another probe"));
	spool_close(spool);
	spool = open_spool(&folder, LIMIT);
	spool_close(spool);
	remove_folder(folder.path);
}

static void a_folder_that_cannot_be_made_is_said(void **state)
{
	struct spool *spool;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(spool_open(&spool, "/nowhere/at/all", LIMIT, &fault), -ENOENT);
	assert_null(spool);
	assert_non_null(strstr(fault.why, "/nowhere/at/all"));
}

/* ---- images of files that a crash or a bad disk left */

#define IMAGE_BATCHES 4

static struct file image_of_batches(struct folder *folder)
{
	struct spool *spool;

	*folder = new_folder();
	spool = open_spool(folder, LIMIT);
	for (unsigned i = 0; i < IMAGE_BATCHES; i++)
		assert_int_equal(push(spool, i), 0);
	spool_close(spool);
	return read_segment(folder);
}

/* Everything comes out as it went in, but perhaps not all of it; then the spool works on.
 */
static unsigned recover(const struct folder *folder)
{
	struct spool *spool = open_spool(folder, LIMIT);
	struct seen seen;
	unsigned count = 0;

	assert_int_equal(push(spool, 1000), 0);
	spool_close(spool);
	spool = open_spool(folder, LIMIT);
	while (take(spool, &seen) && seen.number != 1000)
		assert_int_equal(seen.number, count++);
	assert_int_equal(seen.number, 1000);
	assert_empty(spool);
	spool_close(spool);
	return count;
}

static void a_torn_tail_costs_only_what_was_torn(void **state)
{
	struct folder folder;
	struct file image = image_of_batches(&folder);
	struct spool_record record;
	char position[512];
	size_t whole = 0, next = 0;
	unsigned batches = 0;

	(void)state;
	(void)snprintf(position, sizeof(position), "%s/position", folder.path);
	for (size_t len = 0; len <= image.len; len++) {
		if (len == next) {
			batches = len ? batches + 1 : 0;
			whole = len;
			if (len < image.len) {
				assert_int_equal(
					spool_record_decode(&record, image.bytes + whole,
						image.len - whole),
					0);
				next = whole + SPOOL_RECORD_HEADER + record.packed_len;
			}
		}
		write_file(image.path, image.bytes, len);
		(void)unlink(position);
		assert_int_equal(recover(&folder), batches);
	}
	assert_int_equal(batches, IMAGE_BATCHES);
	free(image.bytes);
	remove_folder(folder.path);
}

static void damaged_bytes_are_never_given_out(void **state)
{
	struct folder folder;
	struct file image = image_of_batches(&folder);
	char position[512];

	(void)state;
	(void)snprintf(position, sizeof(position), "%s/position", folder.path);
	for (size_t at = 0; at < image.len; at++) {
		image.bytes[at] ^= 0x41;
		write_file(image.path, image.bytes, image.len);
		(void)unlink(position);
		assert_true(recover(&folder) < IMAGE_BATCHES);
		image.bytes[at] ^= 0x41;
	}
	free(image.bytes);
	remove_folder(folder.path);
}

static void a_damaged_position_only_sends_again(void **state)
{
	static const char *const texts[] = {
		"", "short", "24 bytes that are nonsense ...."};
	struct folder folder;
	struct file image = image_of_batches(&folder);
	char position[512];

	(void)state;
	(void)snprintf(position, sizeof(position), "%s/position", folder.path);
	for (unsigned i = 0; i < 3; i++) {
		write_file(image.path, image.bytes, image.len);
		write_file(position, texts[i], strlen(texts[i]));
		assert_int_equal(recover(&folder), IMAGE_BATCHES);
	}
	free(image.bytes);
	remove_folder(folder.path);
}

/* The file is damaged while the spool is open: what it held is reported lost, exactly. */
static void damage_while_running_is_reported_lost(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);
	struct file image;
	struct seen seen;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(push(spool, i), 0);
	assert_next(spool, 0);
	image = read_segment(&folder);
	memset(image.bytes, 0, image.len);
	write_file(image.path, image.bytes, image.len);
	assert_true(take(spool, &seen));
	assert_int_equal(seen.number, -1);
	assert_int_equal(seen.health.gap_count, 1);
	assert_int_equal(seen.health.gaps[0].observations, 2 + 3 + 4);
	assert_int_equal(seen.health.gaps[0].from.us, 0);
	assert_int_equal(seen.health.gaps[0].until.us, 3500);
	assert_int_equal(spool_count(spool).dropped_observations, 2 + 3 + 4);
	assert_empty(spool);
	free(image.bytes);
	spool_close(spool);
	remove_folder(folder.path);
}

/* ---- the limit */

static int64_t observations_of(unsigned first, unsigned end)
{
	int64_t sum = 0;

	for (unsigned i = first; i < end; i++)
		sum += i % 7 + 1;
	return sum;
}

/* Takes all: what came, what was reported lost, and the first number that came. */
static void take_all(struct spool *spool, int64_t *came, int64_t *lost, int64_t *first)
{
	struct seen seen;
	int64_t last = -1;

	*came = *lost = 0;
	*first = -1;
	while (take(spool, &seen)) {
		if (seen.number < 0) {
			for (unsigned i = 0; i < seen.health.gap_count; i++)
				*lost += seen.health.gaps[i].observations;
			continue;
		}
		assert_true(seen.number > last);
		last = seen.number;
		*came += seen.observations;
		if (*first < 0)
			*first = seen.number;
	}
}

static void beyond_the_limit_the_oldest_go_and_are_reported(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, SPOOL_LIMIT_MIN);
	int64_t came, lost, first;
	unsigned count = 120;

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(push_sized(spool, i, LINES_MAX / 3), 0);
		assert_true(spool_count(spool).bytes <= SPOOL_LIMIT_MIN);
		if (i == 70) { /* what was dropped is not forgotten by a restart */
			spool_close(spool);
			spool = open_spool(&folder, SPOOL_LIMIT_MIN);
		}
	}
	assert_true(spool_count(spool).dropped_observations > 0);
	take_all(spool, &came, &lost, &first);
	assert_true(lost > 0 && came > 0);
	assert_int_equal(came + lost, observations_of(0, count));
	assert_int_equal(lost, observations_of(0, (unsigned)first));
	assert_empty(spool);
	spool_close(spool);
	remove_folder(folder.path);
}

static void a_batch_that_was_dropped_while_it_was_sent_is_not_done(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, SPOOL_LIMIT_MIN);
	const struct spool_record *record;
	int64_t came, lost, first;

	(void)state;
	assert_int_equal(push_sized(spool, 0, LINES_MAX / 3), 0);
	assert_int_equal(spool_oldest(spool, &record, NOW), 1);
	for (unsigned i = 1; i < 100; i++)
		assert_int_equal(push_sized(spool, i, LINES_MAX / 3), 0);
	assert_int_equal(spool_done(spool, 0), STATUS_UNKNOWN);
	take_all(spool, &came, &lost, &first);
	assert_int_equal(came + lost, observations_of(0, 100));
	spool_close(spool);
	remove_folder(folder.path);
}

/* ---- a disk that takes no more */

/* Files may not grow beyond so many bytes; RLIM_INFINITY lifts it. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_keeps_batches_in_memory_meanwhile(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);

	(void)state;
	assert_int_equal(push(spool, 0), 0);
	limit_files(50);
	for (unsigned i = 1; i < 6; i++)
		assert_int_equal(push(spool, i), -EFBIG);
	assert_int_equal(spool_count(spool).disk_rc, -EFBIG);
	assert_int_equal(spool_count(spool).held_batches, 5);
	assert_int_equal(spool_count(spool).batches, 6);
	/* Sending goes on from memory. */
	for (unsigned i = 0; i < 3; i++)
		assert_next(spool, i);
	limit_files(RLIM_INFINITY);
	assert_int_equal(push(spool, 6), 0);
	assert_int_equal(spool_count(spool).disk_rc, 0);
	assert_int_equal(spool_count(spool).held_batches, 0);
	spool_close(spool);
	spool = open_spool(&folder, LIMIT);
	for (unsigned i = 3; i < 7; i++)
		assert_next(spool, i);
	assert_empty(spool);
	spool_close(spool);
	remove_folder(folder.path);
}

static void an_end_brings_to_disk_what_waited_in_memory_even_the_one_being_sent(
	void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);
	const struct spool_record *being_sent;

	(void)state;
	limit_files(50);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(push(spool, i), -EFBIG);
	assert_int_equal(spool_oldest(spool, &being_sent, NOW), 1);
	assert_int_equal(spool_settle(spool, NOW), -EFBIG);
	assert_int_equal(spool_count(spool).held_batches, 3);
	assert_int_equal(spool_oldest(spool, &being_sent, NOW), 1);
	limit_files(RLIM_INFINITY);
	assert_int_equal(push(spool, 3), 0);
	assert_int_equal(spool_count(spool).held_batches, 3);
	assert_int_equal(spool_settle(spool, NOW), 0);
	assert_int_equal(spool_count(spool).held_batches, 0);
	spool_close(spool);
	spool = open_spool(&folder, LIMIT);
	assert_next(spool, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_next(spool, i);
	assert_empty(spool);
	spool_close(spool);
	remove_folder(folder.path);
}

static void what_memory_cannot_hold_is_reported_lost(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);
	int64_t came, lost, first;

	(void)state;
	limit_files(50);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(push_sized(spool, i, LINES_MAX / 3), -EFBIG);
		assert_true(spool_count(spool).bytes <= SPOOL_MEMORY_BYTES);
	}
	assert_true(spool_count(spool).dropped_observations > 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(push(spool, 40), 0);
	take_all(spool, &came, &lost, &first);
	assert_true(lost > 0);
	assert_int_equal(lost, observations_of(0, (unsigned)first));
	assert_int_equal(came + lost, observations_of(0, 41));
	spool_close(spool);
	remove_folder(folder.path);
}

static void a_full_disk_leaves_no_heap_of_empty_files(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);

	(void)state;
	limit_files(50);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(push(spool, i), -EFBIG);
	limit_files(RLIM_INFINITY);
	assert_true(files_ending_in(folder.path, ".spool") <= 1);
	spool_close(spool);
	remove_folder(folder.path);
}

/* ---- refused batches */

static void a_refused_batch_is_kept_for_people(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);
	const struct spool_record *record;
	char path[600];
	struct file file;

	(void)state;
	assert_int_equal(push(spool, 3), 0);
	assert_int_equal(push(spool, 4), 0);
	assert_int_equal(spool_oldest(spool, &record, NOW), 1);
	assert_int_equal(spool_set_aside(spool, record->seq, "line 2: \"port\""), 0);
	assert_int_equal(spool_count(spool).set_aside, 1);
	(void)snprintf(path, sizeof(path), "%s/aside/%s-0.ndjson", folder.path,
		spool_boot(spool));
	file = read_file(path);
	assert_non_null(
		strstr((char *)file.bytes, "\"refused\":\"line 2: \\\"port\\\"\""));
	assert_non_null(strstr((char *)file.bytes, "\n3 "));
	assert_next(spool, 4);
	free(file.bytes);
	spool_close(spool);
	remove_folder(folder.path);
}

static void refused_batches_are_bounded(void **state)
{
	struct folder folder = new_folder();
	struct spool *spool = open_spool(&folder, LIMIT);
	const struct spool_record *record;
	char path[600];

	(void)state;
	for (unsigned i = 0; i < 80; i++) {
		assert_int_equal(push(spool, i), 0);
		assert_int_equal(spool_oldest(spool, &record, NOW), 1);
		assert_int_equal(spool_set_aside(spool, record->seq, "no"), 0);
	}
	(void)snprintf(path, sizeof(path), "%s/aside", folder.path);
	assert_int_equal(files_ending_in(path, ".ndjson"), 64);
	assert_int_equal(spool_count(spool).set_aside_dropped, 16);
	spool_close(spool);
	remove_folder(folder.path);
}

/* ---- kills */

#define KILLS 25

struct said {
	bool done; /* else: spooled */
	unsigned number;
};

/* Spools and takes for ever, and says what it has done, after it was done. */
static void live(const struct folder *folder, int out, unsigned next)
{
	struct spool *spool = open_spool(folder, LIMIT);
	struct seen seen;

	for (;; next++) {
		struct said said = {.number = next};

		if (push_sized(spool, next, 100 + next % 50 * 400) ||
			write(out, &said, sizeof(said)) != (ssize_t)sizeof(said))
			_exit(1);
		if (next % 3 == 0 || !take(spool, &seen))
			continue;
		said = (struct said){true, (unsigned)seen.number};
		if (write(out, &said, sizeof(said)) != (ssize_t)sizeof(said))
			_exit(1);
	}
}

/* Lets a child live for so many words, kills it, and follows what it said to the end. */
static void live_and_die(
	const struct folder *folder, unsigned words, unsigned *spooled, unsigned *done)
{
	int ends[2];
	struct said said;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		live(folder, ends[1], *spooled);
	(void)close(ends[1]);
	for (unsigned heard = 0;
		read(ends[0], &said, sizeof(said)) == (ssize_t)sizeof(said); heard++) {
		*(said.done ? done : spooled) = said.number + 1;
		if (heard == words)
			(void)kill(child, SIGKILL);
	}
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_kill_at_any_moment_loses_nothing(void **state)
{
	struct folder folder = new_folder();
	unsigned spooled = 0, done = 0;
	uint64_t seed = 7;
	struct seen seen;

	(void)state;
	for (unsigned round = 0; round < KILLS; round++) {
		struct spool *spool;
		unsigned next;

		live_and_die(
			&folder, (unsigned)obs_maker_below(&seed, 60), &spooled, &done);
		spool = open_spool(&folder, LIMIT);
		/* Killed between the deed and the word, it may be one further in both. */
		assert_true(take(spool, &seen));
		assert_in_range(seen.number, done, done + 1);
		for (next = (unsigned)seen.number + 1; take(spool, &seen); next++)
			assert_int_equal(seen.number, next);
		assert_in_range(next, spooled, spooled + 1);
		assert_int_equal(push(spool, next), 0);
		spooled = next + 1;
		done = next;
		spool_close(spool);
	}
	remove_folder(folder.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_come_out_in_order),
		cmocka_unit_test(a_restart_keeps_names_and_order),
		cmocka_unit_test(what_is_done_does_not_come_back),
		cmocka_unit_test(the_oldest_stays_until_it_is_done),
		cmocka_unit_test(a_second_probe_is_refused),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_said),
		cmocka_unit_test(a_torn_tail_costs_only_what_was_torn),
		cmocka_unit_test(damaged_bytes_are_never_given_out),
		cmocka_unit_test(a_damaged_position_only_sends_again),
		cmocka_unit_test(damage_while_running_is_reported_lost),
		cmocka_unit_test(beyond_the_limit_the_oldest_go_and_are_reported),
		cmocka_unit_test(a_batch_that_was_dropped_while_it_was_sent_is_not_done),
		cmocka_unit_test(a_full_disk_keeps_batches_in_memory_meanwhile),
		cmocka_unit_test(
			an_end_brings_to_disk_what_waited_in_memory_even_the_one_being_sent),
		cmocka_unit_test(what_memory_cannot_hold_is_reported_lost),
		cmocka_unit_test(a_full_disk_leaves_no_heap_of_empty_files),
		cmocka_unit_test(a_refused_batch_is_kept_for_people),
		cmocka_unit_test(refused_batches_are_bounded),
		cmocka_unit_test(a_kill_at_any_moment_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
