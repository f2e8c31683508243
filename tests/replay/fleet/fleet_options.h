/*
 * The command line that programs with a fleet share.
 */
#ifndef FLEET_OPTIONS_H
#define FLEET_OPTIONS_H

#include <stdio.h>

#include "fleet_world.h"

struct fleet_files {
	const char *config, *truth; /* written where given */
};

/* 0, or an exit code after a message (or after --help). */
int fleet_options_parse(
	struct fleet_options *options, struct fleet_files *files, int argc, char **argv);

#endif
