#include "known.h"

#include <stddef.h>

#include "archive.h"

struct known_item *known_find(struct known *known, uint64_t key)
{
	for (uint32_t i = 0; i < known->count; i++)
		if (known->items[i].key == key)
			return &known->items[i];
	return NULL;
}

static struct known_item *longest_unseen(struct known *known)
{
	struct known_item *oldest = &known->items[0];

	for (uint32_t i = 1; i < known->count; i++)
		if (moment_before(known->items[i].last, oldest->last))
			oldest = &known->items[i];
	return oldest;
}

struct known_item *known_see(
	struct known *known, uint64_t key, struct moment at, unsigned witness)
{
	struct known_item *item = known_find(known, key);

	if (!item) {
		if (known->count < KNOWN_ITEMS) {
			item = &known->items[known->count++];
		} else {
			item = longest_unseen(known);
			known->forgotten++;
		}
		*item = (struct known_item){.key = key, .first = at};
	}
	item->last = at;
	item->times++;
	item->witnesses |= UINT64_C(1) << witness % 64;
	return item;
}

void known_remove(struct known *known, uint64_t key)
{
	struct known_item *item = known_find(known, key);

	if (item)
		*item = known->items[--known->count];
}

void known_forget(struct known *known, struct moment before)
{
	for (uint32_t i = known->count; i-- > 0;)
		if (moment_before(known->items[i].last, before))
			known->items[i] = known->items[--known->count];
}

/* FNV-1a, 64 bits: short texts, no secrets, the same everywhere. */
uint64_t known_key(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

void known_keep(struct archive *archive, struct known *known)
{
	archive_count(archive, &known->count, KNOWN_ITEMS);
	archive_u32(archive, &known->forgotten);
	for (uint32_t i = 0; i < known->count; i++) {
		struct known_item *item = &known->items[i];

		archive_u64(archive, &item->key);
		archive_u64(archive, &item->witnesses);
		archive_moment(archive, &item->first);
		archive_moment(archive, &item->last);
		archive_u32(archive, &item->times);
	}
}
