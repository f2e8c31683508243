/*
 * System calls that a probe never makes, and that whoever takes it over would: executing
 * programs, tracing and reading other processes, name spaces, keys, BPF. Making one ends
 * the process.
 *
 * It is a list of what is forbidden, not of what is allowed: resolvers and TLS libraries
 * load modules and start threads in ways that change with their versions, and a filter
 * that kills a probe after an update of libc would do more harm than good. The unit file
 * adds systemd's allow-list, which is kept up with libc.
 */
#ifndef ASTRAY_CALL_FENCE_H
#define ASTRAY_CALL_FENCE_H

/* For this thread and all that it starts; needs no_new_privs. STATUS_UNSUPPORTED on
 * machines whose numbers are not known here, else 0 or -errno. */
int call_fence_raise(void);

#endif
