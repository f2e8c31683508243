/*
 * What an answer of the collector means for the batch that was sent. Only a 200 that
 * names the batch makes it forgotten: a login page of a hotel's network also answers 200.
 * Pure.
 */
#ifndef ASTRAY_UPLINK_VERDICT_H
#define ASTRAY_UPLINK_VERDICT_H

#include <stdint.h>

#include "astray/fetch.h"

#define UPLINK_VERDICT_WAIT_MAX_US (INT64_C(3600) * 1000000)

enum uplink_deed {
	UPLINK_FORGET,    /* durable over there */
	UPLINK_SET_ASIDE, /* can never be taken */
	UPLINK_RETRY,     /* keep it, try later */
};

struct uplink_verdict {
	enum uplink_deed deed;
	int64_t not_before_us; /* what the collector asked for, bounded */
	char why[512]; /* unless it is forgotten: the reason, and what to look at */
};

struct uplink_verdict uplink_verdict_of(const struct fetch_answer *answer, int64_t seq);

#endif
