#include "detect_round_trip.h"

#include <math.h>
#include <string.h>

#include "archive.h"
#include "level_shift.h"
#include "path_words.h"

/* A site's first few probes are enough to know its network. */
#define SERIES 6
#define STEP_LEAST_MS 5
#define STEP_LEAST_SHARE .25
/* Two probes that step within half an hour saw the same thing. */
#define TOGETHER_US (30 * MOMENT_MINUTE_US)

struct round_trip_series {
	bool used, stepped;
	uint32_t vantage;
	struct moment since;
	double before_ms, after_ms;
	struct level_shift shift;
};

struct round_trips_of_site {
	struct round_trip_series series[SERIES];
};

static struct round_trip_series *series_of(
	struct round_trips_of_site *site, uint32_t vantage)
{
	for (unsigned i = 0; i < SERIES; i++) {
		if (!site->series[i].used)
			site->series[i] = (struct round_trip_series){
				.used = true, .vantage = vantage};
		if (site->series[i].vantage == vantage)
			return &site->series[i];
	}
	return NULL;
}

static bool is_felt(const struct level_step *step)
{
	return step->after_ms - step->before_ms > STEP_LEAST_MS &&
	       step->after_ms > step->before_ms * (1 + STEP_LEAST_SHARE);
}

static unsigned stepped_together(
	const struct round_trips_of_site *site, struct moment now)
{
	unsigned count = 0;

	for (unsigned i = 0; i < SERIES; i++)
		count += site->series[i].stepped &&
			 moment_since_us(now, site->series[i].since) < TOGETHER_US;
	return count;
}

static void accuse(const struct detector_case *call,
	const struct round_trips_of_site *site, const struct round_trip_series *series)
{
	struct finding finding = detector_finding(call, CAUSE_LATENCY);

	finding.severity = stepped_together(site, call->rx) >= 2 ? SEVERITY_PAGE
			   : call->vantage->role == OBS_ENDPOINT ? SEVERITY_INFO
								 : SEVERITY_WARN;
	finding.since = series->since;
	finding.effect = 1 - series->before_ms / series->after_ms;
	(void)detector_write(finding.site, sizeof(finding.site), "%s", call->site);
	(void)detector_write(finding.subject, sizeof(finding.subject), "round trip");
	(void)detector_write(finding.brief, sizeof(finding.brief),
		"round trip %.0f ms longer from %s", series->after_ms - series->before_ms,
		call->site);
	(void)detector_write(finding.text, sizeof(finding.text),
		"round trip from %s (%s): %.1f ms, %.1f ms before (x %.2f): the network, "
		"not the server",
		call->vantage->probe, call->site, series->after_ms, series->before_ms,
		series->after_ms / series->before_ms);
	detector_say(call, &finding);
}

/* Half of the way back is back. */
static void acquit(const struct detector_case *call, struct round_trips_of_site *site,
	struct round_trip_series *series)
{
	double now_ms = level_shift_now(&series->shift);

	if (!series->stepped || now_ms <= 0 ||
		now_ms > (series->before_ms + series->after_ms) / 2)
		return;
	series->stepped = false;
	for (unsigned i = 0; i < SERIES; i++)
		if (site->series[i].stepped)
			return;
	detector_end(call, CAUSE_LATENCY, call->site, "round trip");
}

static void see(struct detector_case *call)
{
	struct round_trips_of_site *site = detector_of_site(call, call->vantage->site);
	struct round_trip_series *series;
	struct level_step step;
	int64_t rtt_us = path_words_rtt_us(&call->obs->trace);

	if (!site || rtt_us == OBS_ABSENT || call->vantage->roaming ||
		call->vantage->away)
		return;
	series = series_of(site, call->vantage->number);
	if (!series)
		return;
	if (level_shift_feed(&series->shift, (double)rtt_us / 1000, &step) &&
		is_felt(&step) && !call->announced) {
		if (!series->stepped) {
			series->before_ms = step.before_ms;
			series->since = call->at;
		}
		series->stepped = true;
		series->after_ms = step.after_ms;
		accuse(call, site, series);
	}
	acquit(call, site, series);
}

static void keep_cell(struct archive *archive, void *state)
{
	struct round_trips_of_site *trips = state;

	for (unsigned i = 0; i < SERIES; i++) {
		struct round_trip_series *series = &trips->series[i];

		archive_bool(archive, &series->used);
		archive_bool(archive, &series->stepped);
		archive_u32(archive, &series->vantage);
		archive_moment(archive, &series->since);
		archive_double(archive, &series->before_ms);
		archive_double(archive, &series->after_ms);
		level_shift_keep(archive, &series->shift);
	}
}

const struct detector detect_round_trip = {
	.name = "round_trip",
	.kinds = 1u << OBS_TRACE,
	.cell_size = sizeof(struct round_trips_of_site),
	.see = see,
	.keep_cell = keep_cell,
};
