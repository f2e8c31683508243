/*
 * Packets from interfaces as they pass, on a loop. Interfaces are named, also by
 * patterns, and are followed: one that comes is captured from then on, one that goes is
 * let go. The name "any" is all of them in one ring. Interfaces beyond a bound are
 * refused and counted.
 */
#ifndef CAPTURE_LIVE_CAPTURE_H
#define CAPTURE_LIVE_CAPTURE_H

#include <stdbool.h>

#include "astray/log.h"
#include "capture.h"

struct uv_loop_s;
struct live_capture;

/* Who ends it lets the loop run so long and reads, to have what came before. */
#define LIVE_CAPTURE_LAG_MS (2 * CAPTURE_LAG_MS)

struct live_capture_options {
	struct uv_loop_s *loop;
	const struct log *log;  /* of what came and went */
	const char *interfaces; /* "any", or "eth0,wlan*"; borrowed for its life */
	const char *filter;     /* pcap-filter(7) */
	int buffer_bytes;       /* the kernel's ring, of each interface */
	int snaplen;            /* bytes kept of a packet */
	bool patient;           /* those that are not there yet are waited for */
	capture_fn each;
	void *arg;
};

struct live_capture_counts {
	uint64_t received, dropped; /* packets, of all interfaces since it was opened */
	unsigned interfaces;        /* that are captured now */
	uint64_t refused_interfaces;
};

/* -EPERM without CAP_NET_RAW, -ENODEV without such an interface unless it is patient. The
 * loop must run on after a failure, too. */
int live_capture_open(struct live_capture **out,
	const struct live_capture_options *options, struct fault *fault);
/* `closed` is called once nothing is left, from the loop or at once; no packet comes
 * after this. */
void live_capture_close(struct live_capture *live, void (*closed)(void *arg), void *arg);

/* Hands over what waits in the rings, without waiting for the loop; to be called now and
 * then, because an interface that failed is tried again here. */
void live_capture_read(struct live_capture *live);
/* Hands over all that the kernel has taken so far and no more, however much comes
 * meanwhile: to be called before the drops are counted at the end. */
void live_capture_drain(struct live_capture *live);
/* Another filter from now on. What it says is copied. */
int live_capture_set_filter(
	struct live_capture *live, const char *filter, struct fault *fault);

void live_capture_count(
	const struct live_capture *live, struct live_capture_counts *counts);

#endif
