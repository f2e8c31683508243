/*
 * Reads what waits at a socket, in lots: packets, or with MSG_ERRQUEUE the errors that
 * came back for packets sent, each with the kernel's stamp. Nothing blocks; the room is
 * fixed.
 */
#ifndef TRACE_INBOX_H
#define TRACE_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/moment.h"

#define INBOX_TURN 1024   /* so that the loop's other work has its turn */
#define INBOX_PACKET 1536 /* ICMPv6 quotes up to 1280 bytes in all */

struct inbox;

/* What the kernel says of an error; see struct sock_extended_err. */
struct inbox_error {
	uint8_t origin; /* SO_EE_ORIGIN_*; 0: this is no error */
	uint8_t type, code;
	uint32_t info, data;
	uint16_t extension_at; /* RFC 4884: where it begins in the bytes; 0: there is none
				*/
	struct address offender;
};

struct inbox_item {
	struct address from; /* of an error: whom its packet was for */
	uint16_t port;
	struct moment at; /* the latest there is where the kernel gave no stamp */
	uint8_t ttl;      /* 0: not known */
	const uint8_t *bytes;
	size_t len;
	struct inbox_error error;
};

typedef void (*inbox_fn)(void *arg, const struct inbox_item *item);

int inbox_new(struct inbox **out);
void inbox_free(struct inbox *inbox); /* NULL is fine */

/* Hands over what waits, at most INBOX_TURN; how many it was. *drops becomes the number
 * of packets that this socket had no room for, in all. */
int inbox_read(struct inbox *inbox, int fd, int flags, uint32_t *drops, inbox_fn arrived,
	void *arg);

/* Asks for stamps, for the count of what found no room, and for much room. */
int inbox_prepare(int fd);

#endif
