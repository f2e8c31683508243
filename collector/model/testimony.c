#include "testimony.h"

#include <stddef.h>

#include "archive.h"

/* Servers of one zone are asked in the same round: one round may end between them. */
#define OTHERWISE_TO_GO 3

static bool is_same_source(
	const struct testimony_source *a, const struct testimony_source *b)
{
	return a->vantage == b->vantage && a->server == b->server &&
	       a->question == b->question;
}

static struct testimony_item *find(
	struct testimony *testimony, uint64_t key, const struct testimony_source *source)
{
	for (uint32_t i = 0; i < testimony->count; i++)
		if (testimony->items[i].key == key &&
			is_same_source(&testimony->items[i].source, source))
			return &testimony->items[i];
	return NULL;
}

static struct testimony_item *oldest(struct testimony *testimony)
{
	struct testimony_item *out = &testimony->items[0];

	for (uint32_t i = 1; i < testimony->count; i++)
		if (moment_before(testimony->items[i].last, out->last))
			out = &testimony->items[i];
	return out;
}

struct testimony_item *testimony_give(struct testimony *testimony, uint64_t key,
	const struct testimony_source *source, struct moment at)
{
	struct testimony_item *item = find(testimony, key, source);

	if (!item) {
		if (testimony->count < TESTIMONY_ITEMS) {
			item = &testimony->items[testimony->count++];
		} else {
			item = oldest(testimony);
			testimony->forgotten++;
		}
		*item = (struct testimony_item){.key = key, .since = at};
	}
	/* Two addresses in one answer are told once. */
	item->rounds += item->last.us != at.us;
	item->source = *source;
	item->last = at;
	item->other = item->otherwise = 0;
	return item;
}

bool testimony_is_refuted(
	struct testimony_item *item, const struct testimony_source *source)
{
	if (item->source.vantage != source->vantage ||
		item->source.question != source->question)
		return false;
	if (item->source.server == source->server)
		return true;
	if (!item->other)
		item->other = source->server;
	item->otherwise += item->other == source->server;
	return item->otherwise >= OTHERWISE_TO_GO;
}

void testimony_remove(struct testimony *testimony, uint32_t number)
{
	testimony->items[number] = testimony->items[--testimony->count];
}

/* Whether none of the items before it comes from the same vantage (or server). */
static bool is_new_vantage(const struct testimony *testimony, uint32_t number)
{
	for (uint32_t i = 0; i < number; i++)
		if (testimony->items[i].key == testimony->items[number].key &&
			testimony->items[i].source.vantage ==
				testimony->items[number].source.vantage)
			return false;
	return true;
}

static bool is_new_server(const struct testimony *testimony, uint32_t number)
{
	for (uint32_t i = 0; i < number; i++)
		if (testimony->items[i].key == testimony->items[number].key &&
			testimony->items[i].source.weighty &&
			testimony->items[i].source.server ==
				testimony->items[number].source.server)
			return false;
	return true;
}

static void add(struct testimony_weight *out, const struct testimony_item *item)
{
	if (!out->items || moment_before(item->since, out->since))
		out->since = item->since;
	if (moment_before(out->until, item->until))
		out->until = item->until;
	out->items++;
	if (item->rounds > out->most)
		out->most = item->rounds;
	if (item->source.weighty && item->rounds > out->rounds)
		out->rounds = item->rounds;
}

struct testimony_weight testimony_weigh(const struct testimony *testimony, uint64_t key)
{
	struct testimony_weight out = {0};

	for (uint32_t i = 0; i < testimony->count; i++) {
		if (testimony->items[i].key != key)
			continue;
		add(&out, &testimony->items[i]);
		out.vantages += is_new_vantage(testimony, i);
		out.servers +=
			testimony->items[i].source.weighty && is_new_server(testimony, i);
	}
	return out;
}

bool testimony_is_at(const struct testimony *testimony, uint64_t key, unsigned site)
{
	for (uint32_t i = 0; i < testimony->count; i++)
		if (testimony->items[i].key == key &&
			testimony->items[i].source.site == site)
			return true;
	return false;
}

static void keep_source(struct archive *archive, struct testimony_source *source)
{
	archive_u32(archive, &source->vantage);
	archive_u32(archive, &source->site);
	archive_bool(archive, &source->weighty);
	archive_u64(archive, &source->server);
	archive_u64(archive, &source->question);
}

void testimony_keep(struct archive *archive, struct testimony *testimony)
{
	archive_count(archive, &testimony->count, TESTIMONY_ITEMS);
	archive_u32(archive, &testimony->forgotten);
	for (uint32_t i = 0; i < testimony->count; i++) {
		struct testimony_item *item = &testimony->items[i];

		archive_u64(archive, &item->key);
		keep_source(archive, &item->source);
		archive_moment(archive, &item->since);
		archive_moment(archive, &item->last);
		archive_moment(archive, &item->until);
		archive_u32(archive, &item->rounds);
		archive_u32(archive, &item->otherwise);
		archive_u64(archive, &item->other);
	}
}
