/*
 * How our own connections (checks, the uplink) are told from those of users, by who
 * counts connections on the same machine: by a time to live that no system begins with
 * and that any program may set. It reaches everywhere and routers treat it like any
 * other.
 */
#ifndef ASTRAY_OWN_MARK_H
#define ASTRAY_OWN_MARK_H

#define OWN_MARK_TTL 201

/* The same for whoever asks the kernel instead of capturing: the largest TCP segment that
 * they say to take, which fits everywhere and which nobody else says. The kernel takes
 * off what the timestamps need once they are agreed on. */
#define OWN_MARK_SEGMENT 1193
#define OWN_MARK_TIMESTAMPS 12

#endif
