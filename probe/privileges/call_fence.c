#include "call_fence.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "astray/status.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0
#endif

/* x86-64's second table (x32) has the same calls under other numbers. */
#define FIRST_X32 0x40000000u

static const uint32_t forbidden[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_pidfd_getfd,
	SYS_unshare,
	SYS_setns,
	SYS_mount,
	SYS_umount2,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_pivot_root,
	SYS_chroot,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_open_by_handle_at,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_clock_settime,
	SYS_settimeofday,
	SYS_clock_adjtime,
};

#define FORBIDDEN (sizeof(forbidden) / sizeof(forbidden[0]))
#define BEFORE 6 /* instructions in front of the list */
#define KILL_AT (BEFORE + FORBIDDEN + 1)
#define ABSENT_AT (KILL_AT + 1)
#define LENGTH (ABSENT_AT + 1)

static struct sock_filter load(size_t offset)
{
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static struct sock_filter answer(uint32_t what)
{
	return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what);
}

/* The jump at `at` goes to `to` when the test holds (or does not), else on. */
static struct sock_filter jump(
	uint16_t test, uint32_t value, size_t at, size_t to, bool holds)
{
	uint8_t far = (uint8_t)(to - at - 1);

	return (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | test), value,
		holds ? far : 0, holds ? 0 : far);
}

static void write_program(struct sock_filter program[static LENGTH])
{
	size_t at = 0;

	program[at++] = load(offsetof(struct seccomp_data, arch));
	program[at] = jump(BPF_JEQ, ARCH, at, KILL_AT, false);
	at++;
	program[at++] = load(offsetof(struct seccomp_data, nr));
	program[at] = jump(BPF_JGE, FIRST_X32, at, KILL_AT, true);
	at++;
	/* io_uring does other calls' work where no filter sees it; libraries that would
	 * like it have another way when the kernel is said to lack it. */
	program[at] = jump(BPF_JEQ, SYS_io_uring_setup, at, ABSENT_AT, true);
	at++;
	program[at] = jump(BPF_JEQ, SYS_io_uring_enter, at, ABSENT_AT, true);
	at++;
	for (size_t i = 0; i < FORBIDDEN; i++, at++)
		program[at] = jump(BPF_JEQ, forbidden[i], at, KILL_AT, true);
	program[at++] = answer(SECCOMP_RET_ALLOW);
	program[at++] = answer(SECCOMP_RET_KILL_PROCESS);
	program[at] = answer(SECCOMP_RET_ERRNO | ENOSYS);
}

int call_fence_raise(void)
{
	struct sock_filter program[LENGTH];
	struct sock_fprog fence = {.len = LENGTH, .filter = program};

	if (!ARCH)
		return STATUS_UNSUPPORTED;
	write_program(program);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fence) ? -errno : 0;
}
