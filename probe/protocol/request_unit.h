/*
 * The length that requests for much the same have, once HPACK knows all their fields:
 * learnt from how often lengths, and their multiples, come. It moves with the length of
 * numbers in the fields, and gives way to another that comes as often. Pure.
 */
#ifndef PROTOCOL_REQUEST_UNIT_H
#define PROTOCOL_REQUEST_UNIT_H

#include <stdbool.h>
#include <stdint.h>

struct request_unit {
	uint16_t length; /* 0: none yet */
	uint16_t rival;  /* length that has come instead of late */
	uint8_t repeats : 4;
	uint8_t rival_repeats : 4;
	uint8_t least_multiples; /* in a row, of the shortest that a request can be */
};

enum request_unit_news {
	REQUEST_UNIT_SAME,
	REQUEST_UNIT_LEARNT,   /* it is known now, or known better */
	REQUEST_UNIT_REPLACED, /* by its rival */
};

bool request_unit_is_known(const struct request_unit *unit);
/* Whether a length is the usual one, give or take a byte. */
bool request_unit_is(const struct request_unit *unit, int content);
/* How many requests of that length a record holds, with window updates between them and,
 * where it may, the acknowledgement of settings; 0 when it is not made up so. */
int request_unit_count(
	const struct request_unit *unit, int content, bool may_acknowledge);
/* How many so many bytes of several records are; 0 if they are not. */
int request_unit_count_bytes(const struct request_unit *unit, uint32_t bytes);

enum request_unit_news request_unit_note(struct request_unit *unit, int content);
/* It was of so many requests together; false when it cannot have been. */
bool request_unit_divide(struct request_unit *unit, unsigned each);

#endif
