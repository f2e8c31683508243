#include "spool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "astray/squeeze.h"
#include "astray/status.h"
#include "spool_aside.h"
#include "spool_gap.h"
#include "spool_held.h"
#include "spool_store.h"

#define GAP_LINE_MAX 8192

enum origin { ORIGIN_NONE, ORIGIN_STORE, ORIGIN_HELD };

struct spool {
	struct spool_store *store;
	int aside_fd;
	char boot[SPOOL_RECORD_BOOT];
	int64_t next_seq;
	struct spool_held held;
	struct spool_gap gaps; /* not yet written down */
	enum origin oldest_from;
	const struct spool_record *oldest; /* as it was last given out */
	int64_t dropped, set_aside, set_aside_dropped;
	int disk_rc;
};

static int choose_boot(struct spool *spool)
{
	uint8_t bytes[(SPOOL_RECORD_BOOT - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -errno;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		(void)snprintf(spool->boot + (size_t)2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int open_aside(struct spool *spool, struct fault *fault)
{
	spool->aside_fd = spool_aside_open(spool_store_directory(spool->store));
	if (spool->aside_fd >= 0)
		return 0;
	return fault_at(fault, spool->aside_fd, "", "the spool's folder \"aside\": %s",
		status_text(spool->aside_fd));
}

int spool_open(struct spool **out, const char *directory, int64_t limit_bytes,
	struct fault *fault)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	int rc;

	*out = NULL;
	if (!spool)
		return -ENOMEM;
	spool->aside_fd = -1;
	rc = choose_boot(spool);
	if (rc == 0)
		rc = spool_store_open(&spool->store, directory, limit_bytes, fault);
	if (rc == 0)
		rc = open_aside(spool, fault);
	if (rc)
		goto fail;
	*out = spool;
	return 0;

fail:
	spool_close(spool);
	return rc;
}

void spool_close(struct spool *spool)
{
	if (!spool)
		return;
	while (spool_held_first(&spool->held))
		spool_held_remove_first(&spool->held);
	if (spool->aside_fd >= 0)
		(void)close(spool->aside_fd);
	spool_store_close(spool->store);
	free(spool);
}

const char *spool_boot(const struct spool *spool)
{
	return spool->boot;
}

/* ---- losses */

static void lose(struct spool *spool, const struct obs_gap *gap)
{
	if (gap->observations <= 0)
		return;
	spool->dropped += gap->observations;
	spool_gap_add(&spool->gaps, gap);
}

static void lose_record(struct spool *spool, const struct spool_record *record)
{
	struct obs_gap gap = {.from = record->from,
		.until = record->until,
		.observations = spool_record_weight(record)};

	lose(spool, &gap);
}

static int pack_gaps(struct spool *spool, struct spool_record *record, void **packed,
	struct moment now)
{
	char line[GAP_LINE_MAX];
	int len = spool_gap_line(line, sizeof(line), &spool->gaps, spool->dropped, now);

	if (len < 0)
		return len;
	*record = (struct spool_record){.seq = spool->next_seq,
		.observations = 1,
		.lost = spool_gap_lost(&spool->gaps),
		.from = spool->gaps.gaps[0].from,
		.until = spool->gaps.gaps[spool->gaps.count - 1].until};
	(void)snprintf(record->boot, sizeof(record->boot), "%s", spool->boot);
	return squeeze_pack(packed, &record->packed_len, line, (size_t)len);
}

/* A loss is written down before the file that it is about goes, so that a kill in between
 * cannot hide it. Until the disk takes it, it is known in memory only. */
static void write_gaps(struct spool *spool, struct moment now)
{
	struct spool_record record;
	void *packed = NULL;

	if (spool->gaps.count == 0)
		return;
	if (pack_gaps(spool, &record, &packed, now) == 0) {
		record.packed = packed;
		if (spool_store_append(spool->store, &record) == 0) {
			spool->next_seq++;
			spool->gaps.count = 0;
		}
	}
	free(packed);
}

static void drop_oldest(struct spool *spool, struct moment now)
{
	struct obs_gap content;

	if (!spool_store_seal_oldest(spool->store, &content))
		return;
	lose(spool, &content);
	write_gaps(spool, now);
	spool_store_drop_oldest(spool->store);
	if (spool->oldest_from == ORIGIN_STORE)
		spool->oldest_from = ORIGIN_NONE;
}

static void make_room(struct spool *spool, size_t packed_len, struct moment now)
{
	size_t more = packed_len + SPOOL_RECORD_HEADER;
	struct spool_store_counts before = spool_store_count(spool->store);

	/* Bounded, because what is dropped is written down in the same place. */
	for (int64_t i = 0; i <= before.batches; i++) {
		if (!spool_store_is_full(spool->store, more))
			return;
		drop_oldest(spool, now);
	}
}

/* ---- in */

static int to_disk(
	struct spool *spool, const struct spool_record *record, struct moment now)
{
	make_room(spool, record->packed_len, now);
	spool->disk_rc = spool_store_append(spool->store, record);
	return spool->disk_rc;
}

static int settle(struct spool *spool, struct moment now)
{
	const struct spool_record *record;
	int rc = 0;

	while (rc == 0 && (record = spool_held_first(&spool->held))) {
		rc = to_disk(spool, record, now);
		if (rc == 0)
			spool_held_remove_first(&spool->held);
	}
	if (rc == 0)
		write_gaps(spool, now);
	return rc;
}

static void hold(struct spool *spool, const struct spool_record *record)
{
	while (spool_held_first(&spool->held) &&
		spool->held.bytes + (int64_t)record->packed_len > SPOOL_MEMORY_BYTES) {
		lose_record(spool, spool_held_first(&spool->held));
		spool_held_remove_first(&spool->held);
		if (spool->oldest_from == ORIGIN_HELD)
			spool->oldest_from = ORIGIN_NONE;
	}
	if (record->packed_len > SPOOL_MEMORY_BYTES ||
		spool_held_add(&spool->held, record))
		lose_record(spool, record);
}

static int keep(struct spool *spool, const struct spool_record *record, struct moment now)
{
	/* What waited in memory goes first, unless one of it is being sent just now. */
	int rc = spool->oldest_from == ORIGIN_HELD ? 0 : settle(spool, now);

	if (rc == 0)
		rc = to_disk(spool, record, now);
	if (rc)
		hold(spool, record);
	return rc;
}

int spool_push(struct spool *spool, const struct spool_lines *lines, struct moment now)
{
	struct spool_record record = {.seq = spool->next_seq,
		.observations = lines->observations,
		.from = lines->from,
		.until = lines->until};
	void *packed;
	int rc = squeeze_pack(&packed, &record.packed_len, lines->text, lines->len);

	if (rc) {
		lose_record(spool, &record);
		return rc;
	}
	record.packed = packed;
	(void)snprintf(record.boot, sizeof(record.boot), "%s", spool->boot);
	spool->next_seq++;
	rc = keep(spool, &record, now);
	free(packed);
	return rc;
}

int spool_settle(struct spool *spool, struct moment now)
{
	if (spool->oldest_from == ORIGIN_HELD)
		spool->oldest_from = ORIGIN_NONE;
	spool->disk_rc = settle(spool, now);
	return spool->disk_rc;
}

/* ---- out */

static int find_oldest(struct spool *spool, struct moment now)
{
	int rc;

	while ((rc = spool_store_oldest(spool->store, &spool->oldest)) == STATUS_CORRUPT)
		drop_oldest(spool, now);
	if (rc == 1) {
		spool->oldest_from = ORIGIN_STORE;
		return 1;
	}
	spool->oldest = spool_held_first(&spool->held);
	spool->oldest_from = spool->oldest ? ORIGIN_HELD : ORIGIN_NONE;
	return spool->oldest ? 1 : rc;
}

int spool_oldest(struct spool *spool, const struct spool_record **out, struct moment now)
{
	int rc = spool->oldest_from == ORIGIN_NONE ? find_oldest(spool, now) : 1;

	*out = rc == 1 ? spool->oldest : NULL;
	return rc;
}

static bool is_oldest(const struct spool *spool, int64_t seq)
{
	return spool->oldest_from != ORIGIN_NONE && spool->oldest->seq == seq;
}

int spool_done(struct spool *spool, int64_t seq)
{
	if (!is_oldest(spool, seq))
		return STATUS_UNKNOWN;
	if (spool->oldest_from == ORIGIN_STORE)
		spool_store_forget_oldest(spool->store);
	else
		spool_held_remove_first(&spool->held);
	spool->oldest_from = ORIGIN_NONE;
	return 0;
}

int spool_set_aside(struct spool *spool, int64_t seq, const char *why)
{
	int rc;

	if (!is_oldest(spool, seq))
		return STATUS_UNKNOWN;
	rc = spool_aside_write(spool->aside_fd, spool->oldest, why);
	if (rc < 0)
		return rc;
	spool->set_aside++;
	spool->set_aside_dropped += rc;
	return spool_done(spool, seq);
}

struct spool_counts spool_count(const struct spool *spool)
{
	struct spool_store_counts store = spool_store_count(spool->store);

	return (struct spool_counts){.batches = store.batches + spool->held.batches,
		.bytes = store.bytes + spool->held.bytes,
		.held_batches = spool->held.batches,
		.dropped_observations = spool->dropped,
		.damaged_segments = store.damaged_segments,
		.set_aside = spool->set_aside,
		.set_aside_dropped = spool->set_aside_dropped,
		.disk_rc = spool->disk_rc};
}
