/*
 * The packets of a pcapng stream, one by one: its blocks (pcapng.h) read as long as they
 * come. Holds one block at a time, PCAPNG_BLOCK_MAX at most.
 */
#ifndef CAPTURE_PCAPNG_FILE_H
#define CAPTURE_PCAPNG_FILE_H

#include <stdio.h>

#include "astray/fault.h"
#include "pcapng.h"

struct pcapng_file;

/* Reads as far as the first interface, whose link type is *link_type. The stream stays
 * the caller's. STATUS_CORRUPT when there is none, or errno. */
int pcapng_file_open(
	struct pcapng_file **out, FILE *stream, int *link_type, struct fault *fault);
/* Packets that were dropped at the capture, as far as the file was read and says. */
uint64_t pcapng_file_drops(const struct pcapng_file *file);
void pcapng_file_close(struct pcapng_file *file); /* NULL is fine */

/* 1 and a packet, whose bytes are good until the next; 0 at the end; negative when the
 * stream breaks off or contradicts itself. */
int pcapng_file_next(
	struct pcapng_file *file, struct pcapng_packet *packet, struct fault *fault);

#endif
