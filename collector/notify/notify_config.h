/*
 * The configuration's "notify": whom to tell of incidents. Strict, with faults by file
 * and line; the files of tokens and secrets are read here.
 */
#ifndef NOTIFY_NOTIFY_CONFIG_H
#define NOTIFY_NOTIFY_CONFIG_H

#include "astray/conf.h"
#include "notifier.h"

#define NOTIFY_CONFIG_TARGETS 32

struct notify_config {
	unsigned count;
	struct notifier_target targets[NOTIFY_CONFIG_TARGETS];
};

/* The table of one target's options, for the manual. */
extern const struct conf_option notify_config_options[];

/* `array` NULL: nobody is told. */
int notify_config_read(struct notify_config *out, const struct json_doc *doc,
	const struct json *array, struct fault *fault);
const struct notifier_target *notify_config_find(
	const struct notify_config *config, const char *name);

#endif
