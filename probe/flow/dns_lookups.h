/*
 * Questions to DNS servers that wait for their answers: a table of fixed memory. A
 * question is known by a number that its asker makes of both ends, ports, id, name and
 * type; nothing of the name itself is kept. They stand from the one asked longest ago to
 * the latest, a question that is asked again counting from then on. When the table is
 * full the oldest gives way, which is counted. Pure.
 */
#ifndef FLOW_DNS_LOOKUPS_H
#define FLOW_DNS_LOOKUPS_H

#include <stdbool.h>

#include "astray/address.h"
#include "astray/moment.h"

struct dns_lookup {
	uint64_t number;
	uint32_t chain;        /* the next in its bucket */
	uint32_t older, newer; /* by when it was asked last */
	struct moment asked;   /* for the first time */
	struct moment again;   /* for the last time */
	struct moment cut_off; /* when an answer came that did not fit; 0: none */
	struct address server;
	int16_t service;
};

struct dns_lookups;

int dns_lookups_new(struct dns_lookups **out, uint32_t capacity);
void dns_lookups_free(struct dns_lookups *lookups);

struct dns_lookup *dns_lookups_find(struct dns_lookups *lookups, uint64_t number);
/* The one whose place the next will take; NULL while there is room. Its owner says what
 * is to be said of it and calls dns_lookups_drop. */
struct dns_lookup *dns_lookups_victim(struct dns_lookups *lookups);
/* A new question, asked now; never NULL after dns_lookups_victim was seen to. */
struct dns_lookup *dns_lookups_add(
	struct dns_lookups *lookups, uint64_t number, struct moment at);
/* The same question was asked again: it is the latest. */
void dns_lookups_touch(
	struct dns_lookups *lookups, struct dns_lookup *lookup, struct moment at);
/* It goes by another number from now on. */
void dns_lookups_rename(
	struct dns_lookups *lookups, struct dns_lookup *lookup, uint64_t number);
void dns_lookups_drop(struct dns_lookups *lookups, struct dns_lookup *lookup);
struct dns_lookup *dns_lookups_oldest(struct dns_lookups *lookups);
uint32_t dns_lookups_count(const struct dns_lookups *lookups);

#endif
