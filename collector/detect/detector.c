#include "detector.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"

/* Traffic, latency and failures, and a fourth part for those that ask habit: paths,
 * names, sites. */
#define SHARERS 4
#include "known.h"

void *detector_of_service(const struct detector_case *call)
{
	char *block = cells_of_service(call->cells, call->service_number);

	return block + call->service_offset;
}

void *detector_of_site(const struct detector_case *call, unsigned site)
{
	char *block = cells_find(call->cells, call->service_number, site);

	return block ? block + call->cell_offset : NULL;
}

struct detector_traffic *detector_traffic_of(
	const struct detector_case *call, unsigned site)
{
	return cells_find(call->cells, call->service_number, site);
}

void detector_traffic_keep(struct archive *archive, struct detector_traffic *traffic)
{
	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++)
		track_keep(archive, &traffic->tracks[pace]);
	archive_moment(archive, &traffic->excused_until);
}

double detector_allowed(const struct detector_case *call, unsigned tests)
{
	double slots =
		7. * MOMENT_DAY_US /
		(call->pace == DETECTOR_SLOW ? DETECTOR_SLOW_US : DETECTOR_FAST_US);
	double pages = call->service->false_pages > 0 ? call->service->false_pages / 100
						      : call->settings->pages_per_week;

	return pages / (slots * SHARERS * tests);
}

bool detector_is_excused(const struct detector_case *call, unsigned site)
{
	const struct detector_traffic *traffic = detector_traffic_of(call, site);

	return traffic && moment_before(call->rx, traffic->excused_until);
}

struct testimony_source detector_source(const struct detector_case *call)
{
	const struct obs_dns *dns = &call->obs->dns;

	return (struct testimony_source){.vantage = call->vantage->number,
		.site = call->vantage->site,
		.weighty = call->vantage->role != OBS_ENDPOINT,
		.server = address_hash(&dns->server, (uint64_t)dns->role) | 1,
		.question = known_key(dns->name) * 31 + known_key(dns->type)};
}

struct finding detector_finding(
	const struct detector_case *call, enum incident_cause cause)
{
	struct finding finding = {.cause = cause,
		.rx = call->rx,
		.since = call->at.us ? call->at : call->rx};

	memcpy(finding.service, call->service->name, sizeof(finding.service));
	memcpy(finding.zone, call->service->zone, sizeof(finding.zone));
	if (call->vantage)
		memcpy(finding.vantage, call->vantage->probe, sizeof(finding.vantage));
	return finding;
}

void detector_name_subject(struct finding *finding, uint64_t key)
{
	(void)snprintf(finding->subject, sizeof(finding->subject), "%016" PRIx64, key);
}

size_t detector_write(char *buf, size_t cap, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(buf, cap, format, args);
	va_end(args);
	if (len < 0 || cap == 0)
		return 0;
	return (size_t)len < cap ? (size_t)len : cap - 1;
}

void detector_say(const struct detector_case *call, const struct finding *finding)
{
	call->emit(call->emit_arg, finding);
}

void detector_end(const struct detector_case *call, enum incident_cause cause,
	const char *site, const char *subject)
{
	struct finding finding = detector_finding(call, cause);

	finding.state = FINDING_ENDED;
	(void)snprintf(finding.site, sizeof(finding.site), "%s", site);
	(void)snprintf(finding.subject, sizeof(finding.subject), "%s", subject);
	detector_say(call, &finding);
}
