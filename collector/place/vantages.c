#include "vantages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"

#define INDEX_SLOTS (2u * VANTAGES_MAX) /* a power of two, at most half full */
/* A clock within half a minute is taken as right: windows are longer than that. */
#define CLOCK_RIGHT_US (30 * MOMENT_SECOND_US)
#define CLOCK_LOST_US (2 * MOMENT_HOUR_US)

struct site {
	char name[OBS_WORD];
	char country[3];
	uint32_t asns[8]; /* of its gateways: what the office's own network is */
	unsigned asn_count;
	bool has_gateway;
};

struct vantages {
	unsigned count, site_count;
	uint64_t refused;
	uint32_t index[INDEX_SLOTS]; /* number + 1, 0: free */
	struct site sites[VANTAGES_SITES];
	struct vantage *list;
};

int vantages_new(struct vantages **out)
{
	struct vantages *vantages = calloc(1, sizeof(*vantages));

	*out = NULL;
	if (!vantages)
		return -ENOMEM;
	vantages->list = calloc(VANTAGES_MAX, sizeof(*vantages->list));
	if (!vantages->list) {
		free(vantages);
		return -ENOMEM;
	}
	*out = vantages;
	return 0;
}

void vantages_free(struct vantages *vantages)
{
	if (!vantages)
		return;
	free(vantages->list);
	free(vantages);
}

static uint32_t hash_of(const char *probe)
{
	uint32_t hash = 2166136261u;

	for (; *probe; probe++)
		hash = (hash ^ (unsigned char)*probe) * 16777619u;
	return hash;
}

/* Its place in the index, or the free one where it belongs. */
static uint32_t *slot_of(struct vantages *vantages, const char *probe)
{
	uint32_t at = hash_of(probe) & (INDEX_SLOTS - 1);

	while (vantages->index[at] &&
		strcmp(vantages->list[vantages->index[at] - 1].probe, probe) != 0)
		at = (at + 1) & (INDEX_SLOTS - 1);
	return &vantages->index[at];
}

/* With no room for one more site the last one takes all: better too coarse than
 * unwatched. */
static unsigned site_of(struct vantages *vantages, const char *name)
{
	for (unsigned i = 0; i < vantages->site_count; i++)
		if (strcmp(vantages->sites[i].name, name) == 0)
			return i;
	if (vantages->site_count == VANTAGES_SITES) {
		vantages->refused++;
		return VANTAGES_SITES - 1;
	}
	(void)strncpy(vantages->sites[vantages->site_count].name, name, OBS_WORD - 1);
	return vantages->site_count++;
}

static struct vantage *find_or_add(
	struct vantages *vantages, const struct wire_origin *origin)
{
	uint32_t *slot = slot_of(vantages, origin->probe);
	struct vantage *vantage;

	if (*slot)
		return &vantages->list[*slot - 1];
	if (vantages->count == VANTAGES_MAX) {
		vantages->refused++;
		return NULL;
	}
	vantage = &vantages->list[vantages->count];
	vantage->number = vantages->count++;
	vantage->first_rx = origin->rx;
	vantage->site = site_of(vantages, "default");
	memcpy(vantage->probe, origin->probe, sizeof(vantage->probe));
	*slot = vantage->number + 1;
	return vantage;
}

static bool is_office_network(const struct site *site, uint32_t asn)
{
	for (unsigned i = 0; i < site->asn_count; i++)
		if (site->asns[i] == asn)
			return true;
	return site->asn_count == 0;
}

static void learn_office(struct site *site, const struct vantage *gateway)
{
	site->has_gateway = true;
	if (gateway->country[0])
		memcpy(site->country, gateway->country, sizeof(site->country));
	if (gateway->asn &&
		(site->asn_count == 0 || !is_office_network(site, gateway->asn)) &&
		site->asn_count < sizeof(site->asns) / sizeof(site->asns[0]))
		site->asns[site->asn_count++] = gateway->asn;
}

static void compare_with_office(const struct site *site, struct vantage *vantage)
{
	vantage->roaming = site->country[0] && vantage->country[0] &&
			   strcmp(site->country, vantage->country) != 0;
	vantage->away = !vantage->roaming && vantage->asn &&
			!is_office_network(site, vantage->asn);
}

static void take_hello(
	struct vantages *vantages, struct vantage *vantage, const struct obs_hello *hello)
{
	const char *name = "default";

	for (unsigned i = 0; i < hello->label_count; i++)
		if (strcmp(hello->labels[i].key, "site") == 0)
			name = hello->labels[i].value;
	vantage->introduced = true;
	vantage->role = hello->role;
	vantage->site = site_of(vantages, name);
	vantage->asn = hello->networked ? hello->network_asn : 0;
	memset(vantage->country, 0, sizeof(vantage->country));
	if (hello->networked)
		memcpy(vantage->country, hello->network_country, 2);
	if (hello->role == OBS_GATEWAY)
		learn_office(&vantages->sites[vantage->site], vantage);
}

static int64_t end_of(const struct obs *obs)
{
	return obs->at.us + (obs->kind == OBS_TRAFFIC ? obs->traffic.window_us : 0);
}

/* The least delay of the last few batches is transport; the rest of it is the clock. Late
 * batches only ever add, so the least is robust against a spool that empties. */
static void learn_clock(
	struct vantage *vantage, const struct wire_origin *origin, const struct obs *obs)
{
	const unsigned cap = sizeof(vantage->delay_us) / sizeof(vantage->delay_us[0]);
	unsigned held;
	int64_t least;

	vantage->delay_us[vantage->delay_count++ % cap] =
		moment_since_us(origin->rx, (struct moment){end_of(obs)});
	held = vantage->delay_count < cap ? vantage->delay_count : cap;
	least = vantage->delay_us[0];
	for (unsigned i = 1; i < held; i++)
		if (vantage->delay_us[i] < least)
			least = vantage->delay_us[i];
	vantage->clock_lost = least > CLOCK_LOST_US || least < -CLOCK_LOST_US;
	vantage->clock_us = least < -CLOCK_RIGHT_US ? -least : 0;
}

struct vantage *vantages_see(struct vantages *vantages, const struct wire_origin *origin,
	const struct obs *obs)
{
	struct vantage *vantage = find_or_add(vantages, origin);

	if (!vantage)
		return NULL;
	if (obs->kind == OBS_HELLO)
		take_hello(vantages, vantage, &obs->hello);
	if (moment_before(vantage->last_rx, origin->rx))
		learn_clock(vantage, origin, obs);
	vantage->last_rx = origin->rx;
	compare_with_office(&vantages->sites[vantage->site], vantage);
	return vantage;
}

struct moment vantages_moment(const struct vantage *vantage,
	const struct wire_origin *origin, const struct obs *obs)
{
	if (vantage->clock_lost)
		return (struct moment){origin->rx.us - (end_of(obs) - obs->at.us)};
	return (struct moment){obs->at.us - vantage->clock_us};
}

unsigned vantages_site_count(const struct vantages *vantages)
{
	return vantages->site_count;
}

const char *vantages_site_name(const struct vantages *vantages, unsigned site)
{
	return vantages->sites[site].name;
}

const char *vantages_site_country(const struct vantages *vantages, unsigned site)
{
	return vantages->sites[site].country;
}

bool vantages_site_has_gateway(const struct vantages *vantages, unsigned site)
{
	return vantages->sites[site].has_gateway;
}

unsigned vantages_count(const struct vantages *vantages)
{
	return vantages->count;
}

const struct vantage *vantages_at(const struct vantages *vantages, unsigned number)
{
	return &vantages->list[number];
}

uint64_t vantages_refused(const struct vantages *vantages)
{
	return vantages->refused;
}

static void keep_site(struct archive *archive, struct site *site)
{
	archive_text(archive, site->name, sizeof(site->name));
	archive_text(archive, site->country, sizeof(site->country));
	archive_count(
		archive, &site->asn_count, sizeof(site->asns) / sizeof(site->asns[0]));
	for (unsigned i = 0; i < site->asn_count; i++)
		archive_u32(archive, &site->asns[i]);
	archive_bool(archive, &site->has_gateway);
}

static void keep_vantage(
	struct archive *archive, const struct vantages *vantages, struct vantage *vantage)
{
	archive_text(archive, vantage->probe, sizeof(vantage->probe));
	archive_u32(archive, &vantage->number);
	archive_count(archive, &vantage->site, vantages->site_count - 1);
	vantage->role =
		(enum obs_role)archive_choice(archive, vantage->role, OBS_SENTINEL + 1);
	archive_bool(archive, &vantage->introduced);
	archive_bool(archive, &vantage->roaming);
	archive_bool(archive, &vantage->away);
	archive_u32(archive, &vantage->asn);
	archive_text(archive, vantage->country, sizeof(vantage->country));
	archive_moment(archive, &vantage->first_rx);
	archive_moment(archive, &vantage->last_rx);
	archive_i64(archive, &vantage->clock_us);
	archive_bool(archive, &vantage->clock_lost);
	for (unsigned i = 0; i < sizeof(vantage->delay_us) / sizeof(vantage->delay_us[0]);
		i++)
		archive_i64(archive, &vantage->delay_us[i]);
	archive_u32(archive, &vantage->delay_count);
}

/* The index is not kept but made anew; one name twice would make it endless. */
static void file_vantage(
	struct archive *archive, struct vantages *vantages, uint32_t number)
{
	uint32_t *slot = slot_of(vantages, vantages->list[number].probe);

	if (*slot || vantages->list[number].number != number)
		archive_refuse(archive);
	else
		*slot = number + 1;
}

void vantages_keep(struct archive *archive, struct vantages *vantages)
{
	archive_count(archive, &vantages->site_count, VANTAGES_SITES);
	for (unsigned i = 0; i < vantages->site_count; i++)
		keep_site(archive, &vantages->sites[i]);
	archive_count(archive, &vantages->count, vantages->site_count ? VANTAGES_MAX : 0);
	archive_u64(archive, &vantages->refused);
	for (uint32_t i = 0; i < vantages->count && !archive_rc(archive); i++) {
		keep_vantage(archive, vantages, &vantages->list[i]);
		if (archive_is_reading(archive))
			file_vantage(archive, vantages, i);
	}
}
