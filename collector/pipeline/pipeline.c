#include "pipeline.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "announcements.h"
#include "archive.h"
#include "blindness.h"
#include "casebook.h"
#include "detector.h"
#include "fair_share.h"
#include "judgement_version.h"
#include "known.h"
#include "placing.h"
#include "presence.h"
#include "slot_clock.h"
#include "survey.h"

#define CELLS_MAX 16384
#define DETECTORS_MAX 32
#define STEP_US MOMENT_SECOND_US
/* Who has not reported for so long has others speak for him. */
#define ALONE_SLOTS 3
#define MOVES_MEDIAN .5 /* so large a part of the values */
#define LATE_SLOW_US (60 * MOMENT_SECOND_US)
#define LATE_FAST_US (20 * MOMENT_SECOND_US)
#define FALSE_PAGES 1

#define SPAN(k, f, d, h)                                                   \
	{                                                                  \
		.key = (k), .type = CONF_SPAN,                             \
		.offset = offsetof(struct pipeline_settings, f), .min = 0, \
		.max = 366. * MOMENT_DAY_US, .fallback = (d), .help = (h)  \
	}

const struct conf_option pipeline_options[] = {
	SPAN("gather", gather_us, "\"15 s\"",
		"a page waits at most this long for the rest of its evidence"),
	SPAN("calm", calm_us, "\"30 min\"",
		"all quiet for this long resolves an incident"),
	SPAN("learn_paths", learn_paths_us, "\"1 day\"",
		"history wanted before a new path or slower answers may page without "
		"policy"),
	SPAN("learn_names", learn_names_us, "\"1 day\"",
		"history wanted before a new name server, network or certificate may "
		"page without policy"),
	SPAN("learn_counts", learn_counts_us, "\"2 days\"",
		"history wanted before most requests missing may page by yesterday and "
		"the recent rate, while no week is known"),
	{.key = "page_blind",
		.type = CONF_BOOL,
		.offset = offsetof(struct pipeline_settings, page_blind),
		.fallback = "false",
		.help = "whether a site whose gateways and sentinels have all fallen "
			"silent pages, or only warns"},
	{.key = "false_pages",
		.type = CONF_NUMBER,
		.offset = offsetof(struct pipeline_settings, false_pages),
		.min = .01,
		.max = 1000,
		.fallback = "1",
		.help = "false pages that one service may raise in a hundred weeks; the "
			"thresholds of missing requests, answer times and failures "
			"follow from it (names and paths go by what is known, not by "
			"chance); a service may have its own"},
	{0},
};

struct placed_service {
	const struct service *service;
	struct slot_clock clocks[DETECTOR_PACES];
};

struct pipeline {
	const struct services *services;
	const struct geo *geo;
	struct pipeline_hooks hooks;
	struct detector_settings settings;
	struct pipeline_counters counters;
	struct moment now;
	struct placed_service *placed; /* beside services->list */
	uint32_t *index;               /* service + 1 by hash; a power of two of slots */
	uint32_t index_mask;
	struct announcements announcements;
	struct vantages *vantages;
	struct presence *presence;
	struct blindness blindness;
	struct cells *cells;
	struct casebook *casebook;
	size_t coverage_offset;
	size_t service_offsets[DETECTORS_MAX], cell_offsets[DETECTORS_MAX];
	size_t service_size, cell_size;
	const struct detector_case *judged; /* while a slot is */
	struct obs
		*room; /* for an observation whose places are filled in, or counts cut */
};

/* Whether one endpoint alone can have made what is found in sums of everybody's traffic:
 * of what is missing or fails no more than its part, of a median all from half on. */
static bool is_one_endpoints_word(
	const struct pipeline *pipeline, const struct finding *finding)
{
	const struct detector_case *call = pipeline->judged;
	double all = 0, most = 0;

	for (unsigned site = 0; site < vantages_site_count(pipeline->vantages); site++) {
		const struct detector_traffic *traffic = detector_traffic_of(call, site);
		const struct track *track = traffic ? &traffic->tracks[call->pace] : NULL;

		if (!track ||
			(*finding->site && strcmp(finding->site,
						   vantages_site_name(pipeline->vantages,
							   site)) != 0))
			continue;
		for (uint32_t i = 0; i < track->reporter_count; i++) {
			const struct vantage *vantage = vantages_at(
				pipeline->vantages, track->reporters[i].vantage);
			double part =
				fmax(track->reporters[i].rate, track->reporters[i].open);

			if (track->reporters[i].last_slot < call->slot - ALONE_SLOTS)
				continue;
			all += part;
			if (vantage->role == OBS_ENDPOINT)
				most = fmax(most, part);
		}
	}
	if (most <= 0)
		return false;
	return finding->cause == CAUSE_LATENCY ? most >= MOVES_MEDIAN * all
					       : most >= finding->effect * all;
}

static void found(void *arg, const struct finding *finding)
{
	struct pipeline *pipeline = arg;

	if (pipeline->judged && is_one_endpoints_word(pipeline, finding)) {
		struct finding less = *finding;

		less.severity = SEVERITY_INFO;
		casebook_take(pipeline->casebook, &less);
		return;
	}
	casebook_take(pipeline->casebook, finding);
}

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	struct pipeline *pipeline = arg;

	if (pipeline->hooks.changed)
		pipeline->hooks.changed(pipeline->hooks.arg, change, incident);
}

static struct survey survey_of(const struct pipeline *pipeline)
{
	return (struct survey){.services = pipeline->services,
		.cells = pipeline->cells,
		.coverage_offset = pipeline->coverage_offset,
		.vantages = pipeline->vantages,
		.announcements = &pipeline->announcements,
		.terms = {.names_us = pipeline->settings.learn_names_us,
			.paths_us = pipeline->settings.learn_paths_us,
			.counts_us = pipeline->settings.learn_counts_us},
		.now = pipeline->now};
}

static void look_around(
	void *arg, const struct incident *incident, struct surroundings *out)
{
	struct survey survey = survey_of(arg);

	survey_surroundings(&survey, incident, out);
}

static size_t rounded(size_t size)
{
	return (size + 15) / 16 * 16;
}

/* The parts of the detectors lie one behind the other, the common parts of a cell first.
 */
static int lay_out_cells(struct pipeline *pipeline)
{
	size_t service_size = 0, cell_size = rounded(sizeof(struct detector_traffic));

	pipeline->coverage_offset = cell_size;
	cell_size += rounded(sizeof(struct coverage));
	for (unsigned i = 0; detector_table[i]; i++) {
		if (i == DETECTORS_MAX)
			return -ENOMEM;
		pipeline->service_offsets[i] = service_size;
		pipeline->cell_offsets[i] = cell_size;
		service_size += rounded(detector_table[i]->service_size);
		cell_size += rounded(detector_table[i]->cell_size);
	}
	pipeline->service_size = service_size;
	pipeline->cell_size = cell_size;
	return cells_new(&pipeline->cells, (unsigned)pipeline->services->count,
		VANTAGES_SITES, service_size, cell_size, CELLS_MAX);
}

static struct placed_service place_service(const struct service *service)
{
	return (struct placed_service){.service = service,
		.clocks = {[DETECTOR_SLOW] = {.slot_us = DETECTOR_SLOW_US,
				   .late_us = LATE_SLOW_US},
			[DETECTOR_FAST] = {
				.slot_us = DETECTOR_FAST_US, .late_us = LATE_FAST_US}}};
}

static int index_services(struct pipeline *pipeline)
{
	size_t count = pipeline->services->count, slots = 16;

	while (slots < 2 * count)
		slots *= 2;
	pipeline->index = calloc(slots, sizeof(*pipeline->index));
	pipeline->placed = calloc(count ? count : 1, sizeof(*pipeline->placed));
	if (!pipeline->index || !pipeline->placed)
		return -ENOMEM;
	pipeline->index_mask = (uint32_t)slots - 1;
	for (size_t i = 0; i < count; i++) {
		uint32_t at = (uint32_t)known_key(pipeline->services->list[i].name) &
			      pipeline->index_mask;

		while (pipeline->index[at])
			at = (at + 1) & pipeline->index_mask;
		pipeline->index[at] = (uint32_t)i + 1;
		pipeline->placed[i] = place_service(&pipeline->services->list[i]);
	}
	return 0;
}

static struct pipeline_settings defaults(void)
{
	return (struct pipeline_settings){.gather_us = 15 * MOMENT_SECOND_US,
		.calm_us = 30 * MOMENT_MINUTE_US,
		.learn_paths_us = MOMENT_DAY_US,
		.learn_names_us = MOMENT_DAY_US,
		.learn_counts_us = 2 * MOMENT_DAY_US,
		.false_pages = FALSE_PAGES};
}

int pipeline_new(struct pipeline **out, const struct services *services,
	const struct pipeline_settings *settings, const struct geo *geo,
	const struct pipeline_hooks *hooks)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	struct pipeline_settings chosen = settings ? *settings : defaults();
	struct casebook_settings book = {
		.gather_us = chosen.gather_us, .calm_us = chosen.calm_us};
	const struct casebook_hooks book_hooks = {
		.changed = changed, .look_around = look_around, .arg = pipeline};
	int rc = -ENOMEM;

	*out = NULL;
	if (!pipeline)
		return rc;
	pipeline->services = services;
	pipeline->geo = geo;
	pipeline->hooks = *hooks;
	pipeline->settings =
		(struct detector_settings){.learn_paths_us = chosen.learn_paths_us,
			.learn_names_us = chosen.learn_names_us,
			.learn_counts_us = chosen.learn_counts_us,
			.pages_per_week = chosen.false_pages / 100,
			.blind = chosen.page_blind ? SEVERITY_PAGE : SEVERITY_WARN};
	pipeline->room = malloc(sizeof(*pipeline->room));
	if (!pipeline->room || (rc = index_services(pipeline)) < 0 ||
		(rc = lay_out_cells(pipeline)) < 0 ||
		(rc = vantages_new(&pipeline->vantages)) < 0 ||
		(rc = presence_new(&pipeline->presence)) < 0 ||
		(rc = casebook_new(&pipeline->casebook, &book, &book_hooks)) < 0) {
		pipeline_free(pipeline);
		return rc;
	}
	*out = pipeline;
	return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	casebook_free(pipeline->casebook);
	vantages_free(pipeline->vantages);
	presence_free(pipeline->presence);
	cells_free(pipeline->cells);
	free(pipeline->index);
	free(pipeline->placed);
	free(pipeline->room);
	free(pipeline);
}

/* The number of that service; negative when nobody configured it. */
static int64_t service_of(const struct pipeline *pipeline, const char *name)
{
	uint32_t at = (uint32_t)known_key(name) & pipeline->index_mask;

	for (; pipeline->index[at]; at = (at + 1) & pipeline->index_mask)
		if (strcmp(pipeline->services->list[pipeline->index[at] - 1].name,
			    name) == 0)
			return pipeline->index[at] - 1;
	return -1;
}

static struct detector_case case_of(struct pipeline *pipeline, unsigned service)
{
	return (struct detector_case){.settings = &pipeline->settings,
		.rx = pipeline->now,
		.service = &pipeline->services->list[service],
		.service_number = service,
		.cells = pipeline->cells,
		.vantages = pipeline->vantages,
		.presence = pipeline->presence,
		.emit = found,
		.emit_arg = pipeline};
}

static void ask(
	struct pipeline *pipeline, struct detector_case *call, unsigned row, bool judge)
{
	const struct detector *detector = detector_table[row];

	call->service_offset = pipeline->service_offsets[row];
	call->cell_offset = pipeline->cell_offsets[row];
	if (judge)
		detector->judge(call);
	else
		detector->see(call);
}

static void judge_slot(struct pipeline *pipeline, unsigned service,
	enum detector_pace pace, int64_t slot, bool again)
{
	struct detector_case call = case_of(pipeline, service);

	call.pace = pace;
	call.slot = slot;
	call.again = again;
	call.announced = announcements_cover(
		&pipeline->announcements, call.service->name, "", pipeline->now);
	pipeline->judged = &call;
	for (unsigned row = 0; detector_table[row]; row++)
		if (detector_table[row]->judge)
			ask(pipeline, &call, row, true);
	pipeline->judged = NULL;
}

static bool is_complete(const struct pipeline *pipeline, unsigned service,
	enum detector_pace pace, int64_t slot)
{
	for (unsigned site = 0; site < vantages_site_count(pipeline->vantages); site++) {
		const struct detector_traffic *traffic =
			cells_find(pipeline->cells, service, site);

		if (traffic && traffic->tracks[pace].newest &&
			!track_is_complete(&traffic->tracks[pace], slot))
			return false;
	}
	return true;
}

/* Judges what is complete, and what can wait no longer. */
static void judge_ready(
	struct pipeline *pipeline, unsigned service, enum detector_pace pace)
{
	struct slot_clock *clock = &pipeline->placed[service].clocks[pace];

	for (int64_t slot = slot_clock_next(clock); slot; slot = slot_clock_next(clock)) {
		if (moment_before(pipeline->now, slot_clock_deadline(clock)) &&
			!is_complete(pipeline, service, pace, slot))
			return;
		slot_clock_done(clock);
		judge_slot(pipeline, service, pace, slot, false);
	}
}

/* What late windows have changed, in order up to the newest. */
static void judge_again(
	struct pipeline *pipeline, unsigned service, enum detector_pace pace)
{
	struct slot_clock *clock = &pipeline->placed[service].clocks[pace];
	int64_t slot = slot_clock_take_changed(clock, pipeline->now);

	for (; slot && slot <= clock->judged; slot++) {
		pipeline->counters.judged_again++;
		judge_slot(pipeline, service, pace, slot, true);
	}
}

static bool is_announced_at(void *arg, const char *site)
{
	const struct pipeline *pipeline = arg;

	return announcements_cover(&pipeline->announcements, "", site, pipeline->now);
}

static void look_who_is_there(struct pipeline *pipeline)
{
	const struct blindness_watch watch = {.vantages = pipeline->vantages,
		.severity = pipeline->settings.blind,
		.is_announced = is_announced_at,
		.emit = found,
		.arg = pipeline};

	if (presence_look(pipeline->presence, pipeline->vantages, pipeline->now))
		blindness_look(&pipeline->blindness, &watch, pipeline->now);
}

static void step(struct pipeline *pipeline, struct moment to)
{
	pipeline->now = to;
	look_who_is_there(pipeline);
	for (unsigned i = 0; i < pipeline->services->count; i++)
		for (unsigned pace = 0; pace < DETECTOR_PACES; pace++) {
			struct moment deadline =
				slot_clock_deadline(&pipeline->placed[i].clocks[pace]);

			judge_again(pipeline, i, (enum detector_pace)pace);
			if (deadline.us && !moment_before(to, deadline))
				judge_ready(pipeline, i, (enum detector_pace)pace);
		}
	casebook_advance(pipeline->casebook, to);
}

static struct moment earliest_deadline(const struct pipeline *pipeline)
{
	struct moment earliest = presence_due(pipeline->presence, pipeline->now);

	if (!earliest.us)
		earliest.us = INT64_MAX;
	for (unsigned i = 0; i < pipeline->services->count; i++)
		for (unsigned pace = 0; pace < DETECTOR_PACES; pace++) {
			const struct slot_clock *clock =
				&pipeline->placed[i].clocks[pace];
			struct moment deadline = slot_clock_deadline(clock);

			if (deadline.us && moment_before(deadline, earliest))
				earliest = deadline;
			if (clock->changed && moment_before(clock->again, earliest))
				earliest = clock->again;
		}
	return earliest;
}

/* Time passes in whole seconds, whoever asks and however often: live and replayed alike.
 * Seconds in which nothing can happen are passed over. */
void pipeline_advance(struct pipeline *pipeline, struct moment rx)
{
	int64_t last = rx.us / STEP_US, second = pipeline->now.us / STEP_US + 1;

	if (!pipeline->now.us)
		second = last;
	for (; second <= last; second++) {
		if (!casebook_is_busy(pipeline->casebook)) {
			int64_t due = earliest_deadline(pipeline).us;

			due = due == INT64_MAX ? last + 1 : (due + STEP_US - 1) / STEP_US;
			if (due > second)
				second = due;
			if (second > last)
				break;
		}
		step(pipeline, (struct moment){second * STEP_US});
	}
	if (moment_before(pipeline->now, (struct moment){last * STEP_US}))
		pipeline->now.us = last * STEP_US;
}

static bool counts_traffic(const struct pipeline *pipeline, const struct vantage *vantage)
{
	if (vantages_site_has_gateway(pipeline->vantages, vantage->site))
		return vantage->role == OBS_GATEWAY;
	return vantage->role != OBS_SENTINEL && !vantage->roaming;
}

/* What of an endpoint's window counts beside the others'. */
static const struct obs_traffic *fair_window(struct pipeline *pipeline,
	const struct track *track, const struct vantage *vantage,
	const struct obs_traffic *window)
{
	double part = vantage->role == OBS_ENDPOINT
			      ? fair_share_of(track, vantage->number, window)
			      : 1;

	if (part >= 1)
		return window;
	pipeline->room->traffic = *window;
	fair_share_cut(&pipeline->room->traffic, part);
	return &pipeline->room->traffic;
}

static void add_traffic(struct pipeline *pipeline, unsigned service,
	struct detector_traffic *traffic, const struct vantage *vantage, struct moment at,
	const struct obs_traffic *window)
{
	static const int64_t lengths[DETECTOR_PACES] = {
		[DETECTOR_SLOW] = DETECTOR_SLOW_US, [DETECTOR_FAST] = DETECTOR_FAST_US};

	if (!counts_traffic(pipeline, vantage))
		return;
	window = fair_window(pipeline, &traffic->tracks[DETECTOR_SLOW], vantage, window);
	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++) {
		struct slot_clock *clock = &pipeline->placed[service].clocks[pace];
		struct track *track = &traffic->tracks[pace];
		int64_t first;

		if (pace == DETECTOR_FAST && window->window_us > DETECTOR_FAST_US)
			continue;
		first = track_add(track, lengths[pace], vantage->number, at, window);
		if (!first) {
			pipeline->counters.late += pace == DETECTOR_SLOW;
			continue;
		}
		slot_clock_change(clock, first, pipeline->now);
		slot_clock_note(clock, track->newest);
		judge_ready(pipeline, service, (enum detector_pace)pace);
	}
}

static void show(struct pipeline *pipeline, unsigned service,
	const struct vantage *vantage, struct moment at, const struct obs *obs)
{
	struct detector_case call = case_of(pipeline, service);
	struct detector_traffic *traffic =
		cells_take(pipeline->cells, service, vantage->site);

	call.obs = obs;
	call.vantage = vantage;
	call.at = at;
	call.site = vantages_site_name(pipeline->vantages, vantage->site);
	call.announced = announcements_cover(
		&pipeline->announcements, call.service->name, call.site, pipeline->now);
	if (traffic)
		coverage_see((void *)((char *)traffic + pipeline->coverage_offset), obs,
			pipeline->now);
	if (obs->kind == OBS_TRAFFIC && traffic)
		add_traffic(pipeline, service, traffic, vantage, at, &obs->traffic);
	for (unsigned row = 0; detector_table[row]; row++)
		if (detector_table[row]->see &&
			detector_table[row]->kinds & 1u << obs->kind)
			ask(pipeline, &call, row, false);
}

/* What the registry says of a domain goes to every service of that zone. */
static void show_registry(struct pipeline *pipeline, const struct vantage *vantage,
	struct moment at, const struct obs *obs)
{
	for (unsigned i = 0; i < pipeline->services->count; i++)
		if (strcmp(pipeline->services->list[i].zone, obs->registry.domain) == 0)
			show(pipeline, i, vantage, at, obs);
}

static void take_operator(struct pipeline *pipeline, const struct obs *obs)
{
	if (obs->kind == OBS_MAINTENANCE)
		announcements_add(&pipeline->announcements, &obs->maintenance);
	else
		(void)casebook_acknowledge(
			pipeline->casebook, pipeline->now, &obs->acknowledge);
}

static const struct obs *with_places(struct pipeline *pipeline, const struct obs *obs)
{
	if (!pipeline->geo || !placing_is_wanted(obs))
		return obs;
	*pipeline->room = *obs;
	placing_fill(pipeline->room, pipeline->geo);
	return pipeline->room;
}

void pipeline_feed(struct pipeline *pipeline, const struct wire_origin *origin,
	const struct obs *obs)
{
	struct wire_origin now = *origin;
	const struct vantage *vantage;
	const char *name = obs_service(obs);
	int64_t service;
	struct moment at;

	if (moment_before(now.rx, pipeline->now))
		now.rx = pipeline->now;
	pipeline_advance(pipeline, now.rx);
	pipeline->now = now.rx;
	pipeline->counters.observations++;
	obs = with_places(pipeline, obs);
	if (pipeline->hooks.observed)
		pipeline->hooks.observed(pipeline->hooks.arg, &now, obs);
	if (obs->kind == OBS_MAINTENANCE || obs->kind == OBS_ACKNOWLEDGE) {
		take_operator(pipeline, obs);
		return;
	}
	vantage = vantages_see(pipeline->vantages, &now, obs);
	if (!vantage)
		return;
	presence_hear(pipeline->presence, now.rx);
	pipeline->counters.roaming += vantage->roaming;
	at = vantages_moment(vantage, &now, obs);
	if (obs->kind == OBS_REGISTRY)
		show_registry(pipeline, vantage, at, obs);
	if (obs->kind == OBS_REGISTRY || !*name)
		return;
	service = service_of(pipeline, name);
	if (service < 0)
		pipeline->counters.unknown_service++;
	else
		show(pipeline, (unsigned)service, vantage, at, obs);
}

bool pipeline_learning(const struct pipeline *pipeline, const char *service,
	struct learning out[static LEARNING_ABILITIES])
{
	struct survey survey = survey_of(pipeline);
	int64_t number = service_of(pipeline, service);

	if (number < 0)
		return false;
	survey_learning(&survey, (unsigned)number, out);
	return true;
}

void pipeline_read_counters(
	const struct pipeline *pipeline, struct pipeline_counters *out)
{
	struct casebook_counters book;

	casebook_read_counters(pipeline->casebook, &book);
	*out = pipeline->counters;
	out->refused_keys = cells_refused(pipeline->cells) +
			    vantages_refused(pipeline->vantages) + book.refused;
	out->findings = book.findings;
	out->incidents = book.incidents;
	out->pages = book.pages;
	out->keys = cells_count(pipeline->cells);
}

const char *pipeline_version(void)
{
	return JUDGEMENT_VERSION;
}

void pipeline_recall(struct pipeline *pipeline)
{
	casebook_recall(pipeline->casebook);
}

void pipeline_probes(const struct pipeline *pipeline,
	void (*tell)(void *arg, const char *probe, enum obs_role role), void *arg)
{
	for (unsigned i = 0; i < vantages_count(pipeline->vantages); i++) {
		const struct vantage *vantage = vantages_at(pipeline->vantages, i);

		if (vantage->introduced)
			tell(arg, vantage->probe, vantage->role);
	}
}

/* ---- snapshots */

struct keeping {
	struct archive *archive;
	struct pipeline *pipeline;
	char *scratch; /* where goes what is configured no more */
};

static void keep_block(const struct keeping *keeping, char *block)
{
	for (unsigned row = 0; detector_table[row]; row++)
		if (detector_table[row]->keep_service)
			detector_table[row]->keep_service(keeping->archive,
				block + keeping->pipeline->service_offsets[row]);
}

static void keep_cell(const struct keeping *keeping, char *cell)
{
	detector_traffic_keep(keeping->archive, (void *)cell);
	coverage_keep(
		keeping->archive, (void *)(cell + keeping->pipeline->coverage_offset));
	for (unsigned row = 0; detector_table[row]; row++)
		if (detector_table[row]->keep_cell)
			detector_table[row]->keep_cell(keeping->archive,
				cell + keeping->pipeline->cell_offsets[row]);
}

/* Each cell behind the number of its site, from 1; then 0. */
static void write_cells(const struct keeping *keeping, unsigned service)
{
	uint32_t end = 0;

	for (uint32_t site = 1; site <= VANTAGES_SITES; site++) {
		char *cell = cells_find(keeping->pipeline->cells, service, site - 1);

		if (!cell)
			continue;
		archive_u32(keeping->archive, &site);
		keep_cell(keeping, cell);
	}
	archive_u32(keeping->archive, &end);
}

static void read_cells(const struct keeping *keeping, int64_t service)
{
	const struct pipeline *pipeline = keeping->pipeline;

	for (;;) {
		uint32_t site = 0;
		char *cell = keeping->scratch;

		archive_count(
			keeping->archive, &site, vantages_site_count(pipeline->vantages));
		if (!site)
			return;
		if (service >= 0)
			cell = cells_take(pipeline->cells, (unsigned)service, site - 1);
		if (!cell) {
			archive_refuse(keeping->archive);
			return;
		}
		keep_cell(keeping, cell);
	}
}

static void keep_service(const struct keeping *keeping, const char *configured)
{
	struct pipeline *pipeline = keeping->pipeline;
	struct placed_service spare = place_service(NULL), *placed = &spare;
	char *block = keeping->scratch, name[OBS_NAME];
	int64_t service;

	(void)snprintf(name, sizeof(name), "%s", configured);
	archive_text(keeping->archive, name, sizeof(name));
	service = service_of(pipeline, name);
	if (service >= 0) {
		placed = &pipeline->placed[service];
		block = cells_of_service(pipeline->cells, (unsigned)service);
	}
	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++)
		slot_clock_keep(keeping->archive, &placed->clocks[pace]);
	keep_block(keeping, block);
	if (archive_is_reading(keeping->archive))
		read_cells(keeping, service);
	else
		write_cells(keeping, (unsigned)service);
}

static void keep_services(const struct keeping *keeping)
{
	const struct services *services = keeping->pipeline->services;
	bool reading = archive_is_reading(keeping->archive);
	uint32_t count = (uint32_t)services->count;

	archive_u32(keeping->archive, &count);
	for (uint32_t i = 0; i < count && !archive_rc(keeping->archive); i++)
		keep_service(keeping, reading ? "" : services->list[i].name);
}

void pipeline_keep(struct archive *archive, struct pipeline *pipeline)
{
	size_t size = pipeline->service_size > pipeline->cell_size
			      ? pipeline->service_size
			      : pipeline->cell_size;
	struct keeping keeping = {archive, pipeline, calloc(1, size)};

	if (!keeping.scratch) {
		archive_refuse(archive);
		return;
	}
	archive_index(archive, &pipeline->now.us);
	announcements_keep(archive, &pipeline->announcements);
	vantages_keep(archive, pipeline->vantages);
	presence_keep(
		archive, pipeline->presence, vantages_site_count(pipeline->vantages));
	blindness_keep(
		archive, &pipeline->blindness, vantages_site_count(pipeline->vantages));
	casebook_keep(archive, pipeline->casebook);
	keep_services(&keeping);
	free(keeping.scratch);
}
