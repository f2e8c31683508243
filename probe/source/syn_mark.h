/*
 * How the SYNs of traces are told from those that open connections, by who counts
 * connections on the same machine: by a window that no system begins with.
 */
#ifndef ASTRAY_SYN_MARK_H
#define ASTRAY_SYN_MARK_H

#define SYN_MARK_WINDOW 24947
/* Linux makes a SYN's window a multiple of the segment's size: with this one its own SYNs
 * can have that window. */
#define SYN_MARK_SEGMENT (SYN_MARK_WINDOW / 19)

#endif
