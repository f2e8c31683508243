/*
 * Telling the service manager (systemd) how it goes: one datagram a state, as
 * sd_notify(3) says. Without one, everything here does nothing.
 */
#ifndef ASTRAY_SERVICE_MANAGER_H
#define ASTRAY_SERVICE_MANAGER_H

#include <stdint.h>

#include "astray/moment.h"

struct service_manager {
	int fd;              /* -1: there is none */
	int64_t watchdog_us; /* it wants to hear "WATCHDOG=1" at least so often; 0: it
				does not */
};

/* Reads the environment: to be called before the process gives up what it may see. */
struct service_manager service_manager_find(void);
void service_manager_leave(struct service_manager *manager);

/* "READY=1", "STOPPING=1", "STATUS=…"; lines may be joined. */
void service_manager_tell(const struct service_manager *manager, const char *state);
void service_manager_tell_reloading(
	const struct service_manager *manager, struct tick now);

#endif
