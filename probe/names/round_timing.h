/*
 * When the next round is: the interval give or take a fifth, so that probes do not march
 * in step, and rarer while nobody answers.
 */
#ifndef NAMES_ROUND_TIMING_H
#define NAMES_ROUND_TIMING_H

#include <stdint.h>

/* Twice as long for each level of silence, up to five minutes or the interval itself. */
uint64_t round_timing_wait_ms(int64_t interval_us, unsigned silence);
/* Somewhere in the first tenth of the interval, and in five seconds. */
uint64_t round_timing_first_ms(int64_t interval_us);
uint32_t round_timing_random(void);

#endif
