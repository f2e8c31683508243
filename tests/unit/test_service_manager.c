#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "astray/service_manager.h"

/* A socket as systemd has it; `name` begins with '@' for one in no file system. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					     strlen(name))),
		0);
	(void)setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void assert_heard(int fd, const char *wanted)
{
	char heard[256];
	ssize_t len = recv(fd, heard, sizeof(heard) - 1, MSG_DONTWAIT);

	assert_true(len > 0);
	heard[len] = '\0';
	assert_string_equal(heard, wanted);
}

static void states_arrive(const char *name)
{
	int fd = listen_at(name);
	struct service_manager manager = service_manager_find();

	service_manager_tell(&manager, "READY=1");
	assert_heard(fd, "READY=1");
	service_manager_tell_reloading(&manager, (struct tick){123456});
	assert_heard(fd, "RELOADING=1\nMONOTONIC_USEC=123456");
	service_manager_leave(&manager);
	(void)close(fd);
}

static void states_arrive_by_path_and_by_name(void **state)
{
	char folder[] = "/tmp/astray-notify-XXXXXX";
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	states_arrive(path);
	(void)unlink(path);
	(void)rmdir(folder);
	states_arrive("@astray-test-notify");
}

static void without_one_nothing_happens(void **state)
{
	struct service_manager manager;

	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	manager = service_manager_find();
	assert_int_equal(manager.fd, -1);
	service_manager_tell(&manager, "READY=1");
	service_manager_leave(&manager);
	(void)setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	manager = service_manager_find();
	assert_int_equal(manager.fd, -1);
}

static void the_watchdog_is_only_ours(void **state)
{
	int fd = listen_at("@astray-test-watchdog");
	struct service_manager manager;
	char pid[32];

	(void)state;
	(void)setenv("WATCHDOG_USEC", "30000000", 1);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	(void)setenv("WATCHDOG_PID", pid, 1);
	manager = service_manager_find();
	assert_int_equal(manager.watchdog_us, 30000000);
	service_manager_leave(&manager);
	(void)setenv("WATCHDOG_PID", "1", 1);
	manager = service_manager_find();
	assert_int_equal(manager.watchdog_us, 0);
	service_manager_leave(&manager);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_arrive_by_path_and_by_name),
		cmocka_unit_test(without_one_nothing_happens),
		cmocka_unit_test(the_watchdog_is_only_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
