#include "learning.h"

#define DROPS_US (2 * MOMENT_DAY_US)
#define WEEK_US (7 * MOMENT_DAY_US)

/* What it rests on, and how long that must have been looked at. */
static int64_t wanted_us(
	enum learning_ability ability, const struct learning_terms *terms)
{
	int64_t drops_us = terms->counts_us < DROPS_US ? terms->counts_us : DROPS_US;

	switch (ability) {
	case LEARNING_NAME_SERVERS:
	case LEARNING_RECORDS:
	case LEARNING_CERTIFICATES:
		return terms->names_us;
	case LEARNING_PATHS:
	case LEARNING_SPEED:
		return terms->paths_us;
	case LEARNING_DROPS:
		return drops_us;
	case LEARNING_WEEK:
		return WEEK_US;
	case LEARNING_FAILURES:
	case LEARNING_REGISTRY: /* its first answer is what the next is compared with */
	case LEARNING_ABILITIES:
		break;
	}
	return 0;
}

static struct moment first_of(const struct coverage *coverage, enum coverage_sense one,
	enum coverage_sense other)
{
	struct moment a = coverage->senses[one].first, b = coverage->senses[other].first;

	return !a.us || (b.us && moment_before(b, a)) ? b : a;
}

static struct moment since_of(
	enum learning_ability ability, const struct coverage *coverage)
{
	static const enum coverage_sense senses[LEARNING_ABILITIES] = {
		[LEARNING_NAME_SERVERS] = COVERAGE_DELEGATION,
		[LEARNING_RECORDS] = COVERAGE_RECORDS,
		[LEARNING_REGISTRY] = COVERAGE_REGISTRY,
		[LEARNING_CERTIFICATES] = COVERAGE_CERTIFICATE,
		[LEARNING_PATHS] = COVERAGE_PATH,
		[LEARNING_DROPS] = COVERAGE_TRAFFIC,
		[LEARNING_WEEK] = COVERAGE_TRAFFIC,
	};

	if (ability == LEARNING_FAILURES || ability == LEARNING_SPEED)
		return first_of(coverage, COVERAGE_TRAFFIC, COVERAGE_CHECK);
	return coverage->senses[senses[ability]].first;
}

struct learning learning_of(enum learning_ability ability,
	const struct coverage *coverage, const struct learning_terms *terms,
	struct moment now)
{
	struct learning learning = {.since = since_of(ability, coverage)};

	if (!learning.since.us)
		return learning;
	learning.ready = moment_plus_us(learning.since, wanted_us(ability, terms));
	learning.state =
		moment_before(now, learning.ready) ? LEARNING_YOUNG : LEARNING_READY;
	return learning;
}

const char *learning_ability_text(enum learning_ability ability)
{
	static const char *const texts[LEARNING_ABILITIES] = {
		[LEARNING_FAILURES] = "failures",
		[LEARNING_NAME_SERVERS] = "name_servers",
		[LEARNING_RECORDS] = "records",
		[LEARNING_REGISTRY] = "registry",
		[LEARNING_CERTIFICATES] = "certificates",
		[LEARNING_PATHS] = "paths",
		[LEARNING_SPEED] = "speed",
		[LEARNING_DROPS] = "drops",
		[LEARNING_WEEK] = "week",
	};

	return texts[ability];
}

const char *learning_state_text(enum learning_state state)
{
	static const char *const texts[] = {
		[LEARNING_BLIND] = "not_measured",
		[LEARNING_YOUNG] = "learning",
		[LEARNING_POLICY] = "policy",
		[LEARNING_READY] = "learnt",
	};

	return texts[state];
}
