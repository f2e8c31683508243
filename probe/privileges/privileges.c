#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "astray/status.h"

#define KEPT (1u << CAP_NET_RAW) /* of the first 32 */

struct capabilities {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

/* glibc has no wrapper for these two. */
static int read_capabilities(struct capabilities *capabilities)
{
	*capabilities =
		(struct capabilities){.header = {.version = _LINUX_CAPABILITY_VERSION_3}};
	return syscall(SYS_capget, &capabilities->header, capabilities->data) ? -errno
									      : 0;
}

static int write_capabilities(struct capabilities *capabilities)
{
	return syscall(SYS_capset, &capabilities->header, capabilities->data) ? -errno
									      : 0;
}

static int keep_only_raw_sockets(void)
{
	struct capabilities capabilities;
	int rc = read_capabilities(&capabilities);
	uint32_t kept = capabilities.data[0].permitted & KEPT;

	if (rc)
		return rc;
	memset(capabilities.data, 0, sizeof(capabilities.data));
	capabilities.data[0].permitted = capabilities.data[0].effective = kept;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -errno;
	return write_capabilities(&capabilities);
}

/* Fails without CAP_SETPCAP, and is then not needed: no_new_privs says the same. */
static void empty_bounding_set(void)
{
	for (unsigned capability = 0; capability < 64; capability++)
		(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static int become(const struct passwd *user)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) ||
		initgroups(user->pw_name, user->pw_gid) ||
		setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
		setresuid(user->pw_uid, user->pw_uid, user->pw_uid) ||
		prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
		return -errno;
	return 0;
}

static int become_named(const char *name, struct fault *fault)
{
	const struct passwd *user;
	int rc;

	errno = 0;
	user = getpwnam(name);
	if (!user)
		return fault_at(
			fault, STATUS_UNKNOWN, "user", "there is no user \"%s\"", name);
	rc = become(user);
	if (rc)
		return fault_at(
			fault, rc, "user", "becoming \"%s\": %s", name, status_text(rc));
	return 0;
}

int privileges_drop(const char *user, struct fault *fault)
{
	int rc = 0;

	empty_bounding_set();
	if (user[0] && geteuid() == 0)
		rc = become_named(user, fault);
	if (rc)
		return rc;
	rc = keep_only_raw_sockets();
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		rc = -errno;
	if (rc)
		return fault_at(
			fault, rc, "", "dropping privileges: %s", status_text(rc));
	return 0;
}

bool privileges_can_use_raw_sockets(void)
{
	struct capabilities capabilities;

	return read_capabilities(&capabilities) == 0 &&
	       capabilities.data[0].effective & KEPT;
}
