/*
 * Packets from an interface or a capture file: the one place that meets libpcap. Files
 * may be pcap or pcapng, of either byte order, with micro- or nanoseconds, also packed by
 * gzip or zstd; the interfaces of a pcapng file may have link types of their own (which
 * libpcap refuses: pcapng.h).
 */
#ifndef CAPTURE_CAPTURE_H
#define CAPTURE_CAPTURE_H

#include <stdint.h>

#include "astray/fault.h"
#include "astray/moment.h"

struct capture;

/* The kernel hands packets over when a part of its ring is full or this old. */
#define CAPTURE_LAG_MS 100

struct capture_packet {
	struct moment at;
	int link_type; /* enum link_layer_type, or another of pcapng's */
	uint32_t captured, wire_len;
	const uint8_t *bytes; /* borrowed for the call */
};

typedef void (*capture_fn)(void *arg, const struct capture_packet *packet);

struct capture_options {
	const char *interface; /* "any": all of them */
	const char *filter;    /* pcap-filter(7) */
	int buffer_bytes;      /* the kernel's ring */
	int snaplen;           /* bytes kept of a packet */
};

/* "-" is standard input. It ends, as if it were no longer, once stop_fd (negative: none)
 * has something to read. STATUS_CORRUPT when it is no capture, STATUS_UNSUPPORTED when
 * its first link type is not known, else errno. */
int capture_open_file(
	struct capture **out, const char *path, int stop_fd, struct fault *fault);
/* -EPERM without CAP_NET_RAW, -ENODEV without such an interface. */
int capture_open_live(
	struct capture **out, const struct capture_options *options, struct fault *fault);
void capture_close(struct capture *capture);

/* Hands over at most `limit` packets and returns how many; 0 when there are none now, or,
 * of a file, none any more. Negative when it breaks off; what came before was handed
 * over. */
int capture_read(struct capture *capture, int limit, capture_fn each, void *arg,
	struct fault *fault);

/* Another filter from now on, also for what waits in the ring. */
int capture_set_filter(struct capture *capture, const char *filter, struct fault *fault);
/* How much of a file was read, 0 to 1; negative when nobody knows (a pipe). */
double capture_share_read(const struct capture *capture);
/* For a loop to wait on; never blocks in capture_read. Live captures only. */
int capture_fd(const struct capture *capture);
/* Packets received, and dropped for want of room in the ring or the interface, since it
 * was opened. What the kernel drops between the two (its backlog) it tells nobody. Of a
 * file: dropped where it was captured, as far as it says. */
void capture_counts(struct capture *capture, uint64_t *received, uint64_t *dropped);

#endif
