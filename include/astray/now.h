/*
 * The clocks. Pure code never includes this: it is given its times.
 */
#ifndef ASTRAY_NOW_H
#define ASTRAY_NOW_H

#include "astray/moment.h"

struct moment now_moment(void); /* CLOCK_REALTIME */
struct tick now_tick(void);     /* CLOCK_MONOTONIC */

#endif
