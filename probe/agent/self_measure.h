/*
 * What a probe costs the machine that it runs on, for its health observations.
 */
#ifndef ASTRAY_SELF_MEASURE_H
#define ASTRAY_SELF_MEASURE_H

#include <stdint.h>

int64_t self_measure_cpu_us(void);    /* since the process started */
int64_t self_measure_rss_bytes(void); /* now; OBS_ABSENT when the kernel does not say */

#endif
