#include "detect_site.h"

#include <math.h>

#include "archive.h"
#include "quantile_floor.h"

#define SERVICES_LEAST 5
#define SHARE_OF_SERVICES .45
#define SHARE_OVER .2
/* What a quarter of the services show at most other sites, too, is not this one's. */
#define SHARE_ELSEWHERE .25
#define SITES_OF_ONE 2
/* An eighth slower is little for a service and much for all of them at once. */
#define SLOWER .115
#define SPREADS 2.5
#define FAILING .08
#define TRIED_LEAST 10
#define VALUES_LEAST 15
#define EXCUSED_US MOMENT_HOUR_US

struct service_at_site {
	struct quantile_floor floor; /* of the logarithm of its median */
	int64_t slot;                /* the last one judged */
	unsigned down; /* bit 0: in that slot, bit 1: in the one before, … */
	bool accused;  /* the site was, when this one was judged */
};

static bool is_slow(const struct track *track, struct service_at_site *service,
	int64_t slot, bool learn)
{
	const struct histogram *responses = track_responses_at(track, slot);
	double logarithm, error;

	if (!responses || responses->total < VALUES_LEAST)
		return false;
	logarithm = log(fmax(histogram_quantile(responses, .5), 1));
	error = quantile_floor_error(&service->floor, logarithm);
	if (learn)
		quantile_floor_learn(&service->floor, logarithm, 2 * SLOWER);
	return error > SLOWER && error > SPREADS * quantile_floor_spread(&service->floor);
}

static bool is_failing(const struct track_slot *slot)
{
	return (slot->requests >= TRIED_LEAST &&
		       slot->failures > FAILING * slot->requests) ||
	       (slot->connections >= TRIED_LEAST &&
		       slot->failed_connections > FAILING * slot->connections);
}

/* What was noted of a slot that has been judged before. */
static void correct(struct service_at_site *service, int64_t slot, bool down)
{
	int64_t ago = service->slot - slot;

	if (ago < 0 || ago >= 32)
		return;
	service->down &= ~(1u << ago);
	service->down |= (unsigned)down << ago;
}

static void look(const struct detector_case *call, const struct track *track,
	struct service_at_site *service)
{
	const struct track_slot *slot = track_slot_at(track, call->slot);
	bool down;

	if (!slot)
		return;
	down = is_slow(track, service, call->slot, !call->announced && !call->again) ||
	       is_failing(slot);
	if (call->again) {
		correct(service, call->slot, down && !call->announced);
		return;
	}
	service->down = call->slot == service->slot + 1 ? service->down << 1 : 0;
	service->down |= down && !call->announced;
	service->slot = call->slot;
}

struct muster {
	unsigned present, down;
};

static const struct service_at_site *service_at(
	const struct detector_case *call, unsigned number, unsigned site)
{
	const char *cell = cells_find(call->cells, number, site);
	const struct service_at_site *service =
		cell ? (const void *)(cell + call->cell_offset) : NULL;

	return service && service->slot >= call->slot - 1 ? service : NULL;
}

/* Twice in a row, in the newest slots that it has. */
static bool is_down(const struct service_at_site *service)
{
	return (service->down & 3) == 3;
}

/* What is down at several sites is the service's own trouble. */
static bool is_everywhere(const struct detector_case *call, unsigned number)
{
	unsigned down = 0;

	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		const struct service_at_site *service = service_at(call, number, site);

		down += service && is_down(service);
	}
	return down > SITES_OF_ONE;
}

static struct muster muster(const struct detector_case *call, unsigned site)
{
	struct muster out = {0};

	for (unsigned i = 0; i < cells_services(call->cells); i++) {
		const struct service_at_site *service = service_at(call, i, site);

		if (!service)
			continue;
		out.present++;
		out.down += is_down(service) && !is_everywhere(call, i);
	}
	return out;
}

static void excuse(const struct detector_case *call, unsigned site)
{
	for (unsigned i = 0; i < cells_services(call->cells); i++) {
		struct detector_traffic *traffic = cells_find(call->cells, i, site);

		if (traffic)
			traffic->excused_until = moment_plus_us(call->rx, EXCUSED_US);
	}
}

static void accuse(
	const struct detector_case *call, const struct muster *muster, const char *site)
{
	struct finding finding = detector_finding(call, CAUSE_SITE);

	finding.service[0] = '\0';
	finding.severity = SEVERITY_PAGE;
	finding.since.us = (call->slot - 1) * DETECTOR_SLOW_US;
	finding.effect = (double)muster->down / muster->present;
	(void)detector_write(finding.site, sizeof(finding.site), "%s", site);
	(void)detector_write(finding.brief, sizeof(finding.brief),
		"%u of the %u services used from %s are slow or fail there", muster->down,
		muster->present, site);
	(void)detector_write(finding.text, sizeof(finding.text),
		"%u of the %u services used from %s have been slow or failing there for "
		"ten minutes, "
		"and not elsewhere: the site's way out",
		muster->down, muster->present, site);
	detector_say(call, &finding);
}

static bool is_elsewhere_too(const struct detector_case *call, unsigned but)
{
	unsigned sites = 0, down = 0;

	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		struct muster other = muster(call, site);

		if (site == but || other.present < SERVICES_LEAST)
			continue;
		sites++;
		down += other.down > SHARE_ELSEWHERE * other.present;
	}
	return sites && 2 * down > sites;
}

static void end(const struct detector_case *call, const char *site)
{
	struct finding finding = detector_finding(call, CAUSE_SITE);

	finding.service[0] = '\0';
	finding.state = FINDING_ENDED;
	(void)detector_write(finding.site, sizeof(finding.site), "%s", site);
	detector_say(call, &finding);
}

static void judge_site(
	const struct detector_case *call, unsigned site, struct service_at_site *service)
{
	const char *name = vantages_site_name(call->vantages, site);
	struct muster all = muster(call, site);

	if (service->down & 1 && all.down >= SERVICES_LEAST &&
		all.down > SHARE_OF_SERVICES * all.present &&
		!is_elsewhere_too(call, site)) {
		service->accused = true;
		excuse(call, site);
		accuse(call, &all, name);
	} else if (service->accused && all.down < SHARE_OVER * all.present) {
		service->accused = false;
		end(call, name);
	}
}

static void judge(struct detector_case *call)
{
	if (call->pace != DETECTOR_SLOW)
		return;
	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		struct service_at_site *service = detector_of_site(call, site);

		if (!service)
			continue;
		look(call, &detector_traffic_of(call, site)->tracks[DETECTOR_SLOW],
			service);
		judge_site(call, site, service);
	}
}

static void keep_cell(struct archive *archive, void *state)
{
	struct service_at_site *service = state;

	quantile_floor_keep(archive, &service->floor);
	archive_index(archive, &service->slot);
	archive_u32(archive, &service->down);
	archive_bool(archive, &service->accused);
}

const struct detector detect_site = {
	.name = "site",
	.cell_size = sizeof(struct service_at_site),
	.judge = judge,
	.keep_cell = keep_cell,
};
