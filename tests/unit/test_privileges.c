#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>
#include <cmocka.h>

#include "astray/status.h"
#include "call_fence.h"
#include "privileges.h"

/* What cannot be undone is tried in a child: the status that it ends with. */
static int in_child(bool (*deed)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(deed() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_holds(bool (*deed)(void))
{
	assert_int_equal(in_child(deed), 0);
}

static void assert_killed(bool (*deed)(void))
{
	int status = in_child(deed);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static bool drop_to_nobody(void)
{
	struct fault fault = {0};
	uid_t uids[3];
	gid_t gids[3];

	return privileges_drop("nobody", &fault) == 0 &&
	       getresuid(&uids[0], &uids[1], &uids[2]) == 0 && uids[0] && uids[1] &&
	       uids[2] && getresgid(&gids[0], &gids[1], &gids[2]) == 0 && gids[0] &&
	       gids[1] && gids[2];
}

static bool root_does_not_come_back(void)
{
	return drop_to_nobody() && setuid(0) == -1 && errno == EPERM &&
	       seteuid(0) == -1 && setgid(0) == -1 && access("/etc/shadow", R_OK) == -1;
}

static bool raw_sockets_stay(void)
{
	return drop_to_nobody() && privileges_can_use_raw_sockets() &&
	       socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0;
}

/* The name stays as it is, should it be allowed after all. */
static bool may_name_the_host(void)
{
	char name[256];

	return gethostname(name, sizeof(name)) == 0 &&
	       sethostname(name, strlen(name)) == 0;
}

static bool other_capabilities_go(void)
{
	return drop_to_nobody() && !may_name_the_host() && errno == EPERM &&
	       prctl(PR_CAPBSET_READ, 21, 0, 0, 0) == 0; /* CAP_SYS_ADMIN */
}

static bool root_without_a_user_keeps_one_capability(void)
{
	struct fault fault = {0};

	return privileges_drop("", &fault) == 0 && getuid() == 0 &&
	       !may_name_the_host() && errno == EPERM &&
	       privileges_can_use_raw_sockets() &&
	       socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0;
}

static bool nothing_executed_gains(void)
{
	struct fault fault = {0};

	return privileges_drop("", &fault) == 0 &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static void dropped_privileges_are_gone(void **state)
{
	(void)state;
	assert_holds(nothing_executed_gains);
	if (geteuid() != 0) {
		print_message("NOT ROOT: becoming another user is not tried\n");
		return;
	}
	assert_holds(drop_to_nobody);
	assert_holds(root_does_not_come_back);
	assert_holds(raw_sockets_stay);
	assert_holds(other_capabilities_go);
	assert_holds(root_without_a_user_keeps_one_capability);
}

static void an_unknown_user_is_said(void **state)
{
	struct fault fault = {0};

	(void)state;
	if (geteuid() != 0)
		return;
	/* Refused before anything is given up that this process still needs. */
	assert_int_equal(privileges_drop("no-such-user", &fault), STATUS_UNKNOWN);
	assert_string_equal(fault.field, "user");
	assert_non_null(strstr(fault.why, "no-such-user"));
}

static bool raise_fence(void)
{
	struct fault fault = {0};

	return privileges_drop("", &fault) == 0 && call_fence_raise() == 0;
}

static bool execute(void)
{
	char *const argv[] = {NULL};

	(void)raise_fence();
	(void)execve("/bin/true", argv, argv);
	return true;
}

static bool trace_another(void)
{
	(void)raise_fence();
	(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	return true;
}

static bool use_the_second_table(void)
{
	(void)raise_fence();
	(void)syscall(0x40000000 + 39); /* getpid of x32 */
	return true;
}

static bool io_uring_is_absent(void)
{
	return raise_fence() && syscall(SYS_io_uring_setup, 8, NULL) == -1 &&
	       errno == ENOSYS;
}

/* Files, sockets, threads' memory: all that a probe does goes on. */
static bool live_on(void)
{
	void *memory;
	int ends[2];
	char byte = 'x';

	if (!raise_fence() || pipe(ends) || write(ends[1], &byte, 1) != 1 ||
		read(ends[0], &byte, 1) != 1)
		return false;
	memory = malloc(1 << 20);
	free(memory);
	return memory && socket(AF_INET, SOCK_DGRAM, 0) >= 0 && fork() != -1;
}

static void behind_the_fence_nothing_is_executed(void **state)
{
	(void)state;
	if (in_child(raise_fence) != 0) {
		print_message("NO SECCOMP HERE: the fence is not tried\n");
		return;
	}
	assert_killed(execute);
	assert_killed(trace_another);
	assert_killed(use_the_second_table);
	assert_holds(io_uring_is_absent);
	assert_holds(live_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dropped_privileges_are_gone),
		cmocka_unit_test(behind_the_fence_nothing_is_executed),
		cmocka_unit_test(an_unknown_user_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
