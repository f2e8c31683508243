#include "coverage.h"

#include <string.h>

#include "archive.h"

/* A registry is asked every quarter of an hour, everything else every few minutes. */
#define FRESH_US (10 * MOMENT_MINUTE_US)
#define FRESH_REGISTRY_US MOMENT_HOUR_US

static void look(struct coverage *coverage, enum coverage_sense sense, struct moment rx)
{
	struct coverage_span *span = &coverage->senses[sense];

	if (!span->first.us)
		span->first = rx;
	span->last = rx;
}

/* An answer that says nothing (SERVFAIL, silence) is no look. */
static void look_at_names(
	struct coverage *coverage, const struct obs_dns *dns, struct moment rx)
{
	if (strcmp(dns->rcode, "NOERROR") != 0)
		return;
	look(coverage,
		strcmp(dns->type, "NS") == 0 && dns->role != OBS_RESOLVER
			? COVERAGE_DELEGATION
			: COVERAGE_RECORDS,
		rx);
}

void coverage_see(struct coverage *coverage, const struct obs *obs, struct moment rx)
{
	switch (obs->kind) {
	case OBS_DNS:
		look_at_names(coverage, &obs->dns, rx);
		break;
	case OBS_REGISTRY:
		look(coverage, COVERAGE_REGISTRY, rx);
		break;
	case OBS_TRACE:
		look(coverage, COVERAGE_PATH, rx);
		break;
	case OBS_CHECK:
		look(coverage, COVERAGE_CHECK, rx);
		if (obs->check.tls.present)
			look(coverage, COVERAGE_CERTIFICATE, rx);
		break;
	case OBS_TRAFFIC:
		look(coverage, COVERAGE_TRAFFIC, rx);
		break;
	case OBS_HELLO:
	case OBS_HEALTH:
	case OBS_MAINTENANCE:
	case OBS_ACKNOWLEDGE:
	case OBS_KINDS:
		break;
	}
}

void coverage_add(struct coverage *into, const struct coverage *other)
{
	for (unsigned i = 0; i < COVERAGE_SENSES; i++) {
		struct coverage_span *span = &into->senses[i];
		const struct coverage_span *more = &other->senses[i];

		if (!more->first.us)
			continue;
		if (!span->first.us || moment_before(more->first, span->first))
			span->first = more->first;
		if (moment_before(span->last, more->last))
			span->last = more->last;
	}
}

bool coverage_is_fresh(
	const struct coverage *coverage, enum coverage_sense sense, struct moment now)
{
	struct moment last = coverage->senses[sense].last;

	return last.us &&
	       moment_since_us(now, last) <=
		       (sense == COVERAGE_REGISTRY ? FRESH_REGISTRY_US : FRESH_US);
}

bool coverage_is_any_fresh(const struct coverage *coverage, struct moment now)
{
	for (unsigned i = 0; i < COVERAGE_SENSES; i++)
		if (coverage_is_fresh(coverage, (enum coverage_sense)i, now))
			return true;
	return false;
}

void coverage_keep(struct archive *archive, struct coverage *coverage)
{
	for (unsigned i = 0; i < COVERAGE_SENSES; i++) {
		archive_moment(archive, &coverage->senses[i].first);
		archive_moment(archive, &coverage->senses[i].last);
	}
}
