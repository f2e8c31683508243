/*
 * A folder for a journal in tests, and batches to put into it.
 */
#ifndef JOURNAL_FOLDER_H
#define JOURNAL_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"

struct journal_folder {
	char folder[64];
	char file[128];
};

static inline void journal_folder_make(struct journal_folder *at)
{
	*at = (struct journal_folder){.folder = "/tmp/astray-journal-XXXXXX"};
	assert_non_null(mkdtemp(at->folder));
	(void)snprintf(at->file, sizeof(at->file), "%s/journal.db", at->folder);
}

static inline void journal_folder_remove(struct journal_folder *at)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	char path[160];

	for (unsigned i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", at->file, endings[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(at->folder), 0);
}

#define JOURNAL_FOLDER_LINES "{\"kind\":\"one\"}\n{\"kind\":\"two\"}\n"

static inline struct journal_batch journal_folder_batch(
	const char *probe, int64_t seq, int64_t rx_us)
{
	static const char body[] = "{\"kind\":\"batch\"}\n" JOURNAL_FOLDER_LINES;
	struct journal_batch batch = {
		.origin = {.rx = {rx_us}, .boot = "boot", .seq = seq},
		.observations = 2,
		.body = body,
		.body_len = sizeof(body) - 1};

	(void)snprintf(batch.origin.probe, sizeof(batch.origin.probe), "%s", probe);
	return batch;
}

#endif
