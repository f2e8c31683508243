/*
 * A socket that the kernel answers questions on, and tells of what changes.
 */
#ifndef NETLINK_NETLINK_SOCKET_H
#define NETLINK_NETLINK_SOCKET_H

#include <stdint.h>

/* protocol: NETLINK_…; groups: RTMGRP_… of the news that are wanted. The descriptor, or
 * negative. */
int netlink_socket_open(int protocol, uint32_t groups);

#endif
