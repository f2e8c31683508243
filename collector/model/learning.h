/*
 * What is already known of a service and what is still being learnt: policy and failures
 * are judged from the first minute, names and paths after a day, big drops of its
 * requests after two, its week after a week. Pure arithmetic over what was looked at.
 */
#ifndef ASTRAY_LEARNING_H
#define ASTRAY_LEARNING_H

#include "coverage.h"

/* How long names, paths and counts are to be known before they are judged. */
struct learning_terms {
	int64_t names_us, paths_us, counts_us;
};

enum learning_ability {
	LEARNING_FAILURES,
	LEARNING_NAME_SERVERS,
	LEARNING_RECORDS,
	LEARNING_REGISTRY,
	LEARNING_CERTIFICATES,
	LEARNING_PATHS,
	LEARNING_SPEED,
	LEARNING_DROPS, /* big ones */
	LEARNING_WEEK,
	LEARNING_ABILITIES
};

enum learning_state {
	LEARNING_BLIND,  /* nobody looks at it, so it is never learnt */
	LEARNING_YOUNG,  /* being learnt */
	LEARNING_POLICY, /* the same, but what is expected is written down and judged */
	LEARNING_READY   /* may page */
};

struct learning {
	enum learning_state state;
	struct moment since; /* first looked at; us 0: never */
	struct moment ready; /* when it is (or was) learnt; us 0: nobody knows */
};

struct learning learning_of(enum learning_ability ability,
	const struct coverage *coverage, const struct learning_terms *terms,
	struct moment now);

/* Who can tell what is learnt of a service; false: there is none of that name. */
typedef bool (*learning_fn)(
	void *arg, const char *service, struct learning out[static LEARNING_ABILITIES]);

const char *learning_ability_text(enum learning_ability ability); /* "name_servers" */
const char *learning_state_text(enum learning_state state);       /* "learning" */

#endif
