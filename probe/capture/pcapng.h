/*
 * A pcapng file cut into its blocks, and these read: packets with their times, each from
 * an interface whose link type and clock are its own. Sections may differ in byte order.
 * Pure; fixed size. Source: draft-ietf-opsawg-pcapng.
 */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/moment.h"

#define PCAPNG_HEAD 12 /* bytes of a block that tell how long it is */
#define PCAPNG_BLOCK_MAX (16 << 20)
#define PCAPNG_INTERFACES 256

struct pcapng_interface {
	uint16_t link_type;
	uint32_t snaplen; /* 0: no bound */
	uint64_t units;   /* of its clock, a second */
	int64_t offset_s;
	uint64_t counted_drops; /* by its packets */
	uint64_t told_drops;    /* by its statistics */
};

struct pcapng {
	bool begun, big_endian; /* the present section */
	unsigned interface_count;
	uint64_t earlier_drops; /* in sections before */
	struct pcapng_interface interfaces[PCAPNG_INTERFACES];
};

struct pcapng_packet {
	struct moment at; /* negative: what no clock shows */
	int link_type;    /* any */
	uint32_t captured, wire_len;
	const uint8_t *bytes; /* in the block */
};

/* How long the block is that begins so. STATUS_CORRUPT: it can be none, or no file begins
 * with it; STATUS_LIMIT: nobody writes such long ones. */
int pcapng_block_len(
	struct pcapng *file, const uint8_t head[static PCAPNG_HEAD], uint32_t *len);
/* Reads a whole block: 1 when it holds a packet, 0 when it does not. STATUS_CORRUPT;
 * STATUS_UNSUPPORTED: another version; STATUS_LIMIT: too many interfaces. */
int pcapng_read(struct pcapng *file, const uint8_t *block, uint32_t len,
	struct pcapng_packet *out);

/* Packets that were dropped where the file was captured, as far as it says. */
uint64_t pcapng_drops(const struct pcapng *file);

#endif
