#include "blindness.h"

#include <stdio.h>
#include <string.h>

#include "archive.h"

/* As long as three of the slots in which traffic is judged: a batch may be late. */
#define SILENCE_US (15 * MOMENT_MINUTE_US)
#define STEADY_US MOMENT_DAY_US
#define GONE_US MOMENT_DAY_US

/* The probes of one site. */
struct roll {
	unsigned steady, silent, laptops;
	struct moment last; /* when the last of the steady was heard */
};

static void call_roll(
	struct roll *rolls, const struct vantages *vantages, struct moment now)
{
	for (unsigned i = 0; i < vantages_count(vantages); i++) {
		const struct vantage *vantage = vantages_at(vantages, i);
		struct roll *roll = &rolls[vantage->site];
		int64_t silence_us = moment_since_us(now, vantage->last_rx);

		if (!vantage->introduced || vantage->role == OBS_ENDPOINT) {
			roll->laptops += silence_us < SILENCE_US;
			continue;
		}
		if (silence_us >= GONE_US ||
			moment_since_us(vantage->last_rx, vantage->first_rx) < STEADY_US)
			continue;
		roll->steady++;
		roll->silent += silence_us >= SILENCE_US;
		if (moment_before(roll->last, vantage->last_rx))
			roll->last = vantage->last_rx;
	}
}

static struct finding finding_about(const char *site, struct moment now)
{
	struct finding finding = {.cause = CAUSE_TELEMETRY, .rx = now, .since = now};

	(void)snprintf(finding.site, sizeof(finding.site), "%s", site);
	return finding;
}

static void say(const struct blindness_watch *watch, const struct roll *roll,
	const char *site, struct moment now)
{
	struct finding finding = finding_about(site, now);
	char laptops[64] = "nobody else there tells anything";

	finding.severity = watch->severity;
	finding.since = roll->last;
	finding.effect = 1;
	if (roll->laptops)
		(void)snprintf(laptops, sizeof(laptops), "laptops there still tell: %u",
			roll->laptops);
	(void)snprintf(finding.brief, sizeof(finding.brief),
		"its probes are silent, so nothing is known of it");
	(void)snprintf(finding.text, sizeof(finding.text),
		"%s: all of its gateways and sentinels (%u) have been silent since then; "
		"%s. Its requests are not missing, they are not counted",
		site, roll->steady, laptops);
	watch->emit(watch->arg, &finding);
}

static void end(const struct blindness_watch *watch, const char *site, struct moment now)
{
	struct finding finding = finding_about(site, now);

	finding.state = FINDING_ENDED;
	watch->emit(watch->arg, &finding);
}

void blindness_look(struct blindness *blindness, const struct blindness_watch *watch,
	struct moment now)
{
	struct roll rolls[VANTAGES_SITES] = {0};

	call_roll(rolls, watch->vantages, now);
	for (unsigned i = 0; i < vantages_site_count(watch->vantages); i++) {
		const char *site = vantages_site_name(watch->vantages, i);
		bool blind = rolls[i].steady && rolls[i].silent == rolls[i].steady;

		if (blind && !watch->is_announced(watch->arg, site)) {
			blindness->sites[i] = true;
			say(watch, &rolls[i], site, now);
		} else if (!blind && blindness->sites[i]) {
			blindness->sites[i] = false;
			end(watch, site, now);
		}
	}
}

void blindness_keep(struct archive *archive, struct blindness *blindness, unsigned sites)
{
	for (unsigned i = 0; i < sites; i++)
		archive_bool(archive, &blindness->sites[i]);
}
