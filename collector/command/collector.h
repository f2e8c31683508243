/*
 * A running collector: opens what its configuration names, judges the journal again, then
 * serves until SIGTERM or SIGINT. SIGHUP reads the configuration again.
 *
 * Time. The pipeline is given the rx of what it is fed, and once a second the last whole
 * second before which everything has been fed; never the wall clock. So a replay of the
 * journal, which lets the same seconds pass, judges the same.
 */
#ifndef ASTRAY_COLLECTOR_H
#define ASTRAY_COLLECTOR_H

#include "astray/log.h"
#include "collector_config.h"

/* Takes over the configuration. Returns an exit code of sysexits. */
int collector_run(struct collector_config *config, struct log *log);

#endif
