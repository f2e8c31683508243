/*
 * What is already known of a service and what is still being learnt: policy and failures
 * are judged from the first minute, names and paths after a day, big drops of its
 * requests after two, its week after a week. Pure arithmetic over what was looked at.
 */
#ifndef ASTRAY_LEARNING_H
#define ASTRAY_LEARNING_H

#include "coverage.h"

struct detector_settings;

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
	LEARNING_BLIND, /* nobody looks at it, so it is never learnt */
	LEARNING_YOUNG, /* being learnt */
	LEARNING_READY  /* may page */
};

struct learning {
	enum learning_state state;
	struct moment since; /* first looked at; us 0: never */
	struct moment ready; /* when it is (or was) learnt; us 0: nobody knows */
};

struct learning learning_of(enum learning_ability ability,
	const struct coverage *coverage, const struct detector_settings *settings,
	struct moment now);

const char *learning_ability_text(enum learning_ability ability); /* "name_servers" */
const char *learning_state_text(enum learning_state state);       /* "learning" */

#endif
