#include "text_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "astray/status.h"

#define SLOTS_AT_FIRST 64

struct slot {
	char *text; /* NULL: free */
	uint64_t hash;
	int64_t value;
};

struct text_table {
	size_t limit, count, mask;
	uint64_t seed;
	struct slot *slots;
};

/* FNV-1a from a secret start, stirred at the end so that all bits reach the low ones. */
static uint64_t hash_of(const struct text_table *table, const char *text)
{
	uint64_t hash = table->seed;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 29);
}

int text_table_new(struct text_table **out, size_t limit)
{
	struct text_table *table = calloc(1, sizeof(*table));
	int rc = -ENOMEM;

	*out = NULL;
	if (!table)
		return rc;
	table->limit = limit;
	table->mask = SLOTS_AT_FIRST - 1;
	table->slots = calloc(SLOTS_AT_FIRST, sizeof(*table->slots));
	if (!table->slots)
		goto fail;
	if (getrandom(&table->seed, sizeof(table->seed), 0) != sizeof(table->seed)) {
		rc = -errno;
		goto fail;
	}
	*out = table;
	return 0;

fail:
	text_table_free(table);
	return rc;
}

void text_table_clear(struct text_table *table)
{
	for (size_t i = 0; i <= table->mask; i++)
		free(table->slots[i].text);
	memset(table->slots, 0, (table->mask + 1) * sizeof(*table->slots));
	table->count = 0;
}

void text_table_free(struct text_table *table)
{
	if (!table)
		return;
	if (table->slots)
		text_table_clear(table);
	free(table->slots);
	free(table);
}

static struct slot *slot_for(
	const struct text_table *table, const char *text, uint64_t hash)
{
	for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
		struct slot *slot = &table->slots[i];

		if (!slot->text || (slot->hash == hash && strcmp(slot->text, text) == 0))
			return slot;
	}
}

bool text_table_find(const struct text_table *table, const char *text, int64_t *out)
{
	const struct slot *slot = slot_for(table, text, hash_of(table, text));

	if (!slot->text)
		return false;
	*out = slot->value;
	return true;
}

static int grow(struct text_table *table)
{
	size_t mask = 2 * table->mask + 1;
	struct slot *old = table->slots, *slots = calloc(mask + 1, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	table->slots = slots;
	for (size_t i = 0, last = table->mask; i <= last; i++) {
		if (!old[i].text)
			continue;
		for (size_t at = old[i].hash & mask;; at = (at + 1) & mask) {
			if (slots[at].text)
				continue;
			slots[at] = old[i];
			break;
		}
	}
	table->mask = mask;
	free(old);
	return 0;
}

int text_table_put(struct text_table *table, const char *text, int64_t value)
{
	uint64_t hash = hash_of(table, text);
	struct slot *slot = slot_for(table, text, hash);

	if (slot->text) {
		slot->value = value;
		return 0;
	}
	if (table->count >= table->limit)
		return STATUS_LIMIT;
	/* At most three in four, so that a search ends soon. */
	if (4 * (table->count + 1) > 3 * (table->mask + 1)) {
		int rc = grow(table);

		if (rc)
			return rc;
		slot = slot_for(table, text, hash);
	}
	slot->text = strdup(text);
	if (!slot->text)
		return -ENOMEM;
	slot->hash = hash;
	slot->value = value;
	table->count++;
	return 0;
}

size_t text_table_count(const struct text_table *table)
{
	return table->count;
}
