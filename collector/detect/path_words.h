/*
 * A traced path as its networks and countries: what detectors compare and people read.
 * Hop addresses are never compared: load balancers make new ones every day.
 */
#ifndef ASTRAY_PATH_WORDS_H
#define ASTRAY_PATH_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "astray/obs.h"

/* Whether the hop says anything of where the packets are: answered, placed, and possible.
 */
bool path_words_hop_counts(const struct obs_hop *hop);
uint64_t path_words_pair(const struct place *place); /* a key of (ASN, country) */
uint64_t path_words_network(const struct place *place);
uint64_t path_words_country(const struct place *place);
/* "AS64496 JP Tokyo > AS64500 NL Amsterdam": neighbours of one kind are said once. */
void path_words_write(char *buf, size_t cap, const struct obs_trace *trace);
/* The round trip of the destination; OBS_ABSENT when it did not answer. */
int64_t path_words_rtt_us(const struct obs_trace *trace);
/* The hop of the destination, or NULL. */
const struct obs_hop *path_words_destination(const struct obs_trace *trace);

#endif
