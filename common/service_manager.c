#include "astray/service_manager.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') /* a name in no file system */
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
		connect(fd, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len))) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int64_t watchdog_us(void)
{
	const char *pid = getenv("WATCHDOG_PID"), *span = getenv("WATCHDOG_USEC");
	int64_t us = span ? strtoll(span, NULL, 10) : 0;

	if (pid && strtoll(pid, NULL, 10) != getpid())
		return 0;
	return us > 0 ? us : 0;
}

struct service_manager service_manager_find(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct service_manager manager = {.fd = path ? connect_to(path) : -1};

	if (manager.fd >= 0)
		manager.watchdog_us = watchdog_us();
	return manager;
}

void service_manager_leave(struct service_manager *manager)
{
	if (manager->fd >= 0)
		(void)close(manager->fd);
	manager->fd = -1;
}

void service_manager_tell(const struct service_manager *manager, const char *state)
{
	if (manager->fd >= 0)
		/* One that does not listen is no reason to stop measuring. */
		(void)!send(manager->fd, state, strlen(state), MSG_NOSIGNAL);
}

void service_manager_tell_reloading(
	const struct service_manager *manager, struct tick now)
{
	char state[64];

	(void)snprintf(
		state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, now.us);
	service_manager_tell(manager, state);
}
