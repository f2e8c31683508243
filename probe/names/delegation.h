/*
 * What the zone above says of a zone: its name servers, their addresses (glue) and the DS
 * records that vouch for its keys, as sets. Pure.
 */
#ifndef NAMES_DELEGATION_H
#define NAMES_DELEGATION_H

#include "dns_endpoint.h"
#include "astray/dns_message.h"

#define DELEGATION_SERVERS 32
#define DELEGATION_DS 16
#define DELEGATION_GLUE 64

struct delegation_glue {
	char host[OBS_NAME];
	struct address address;
	uint32_t ttl;
};

struct delegation {
	bool exists;  /* false: a clean "no such name", or no delegation there */
	bool ds_told; /* DS, or the signed proof that there is none, came along */
	uint32_t ttl, ds_ttl;
	unsigned server_count, ds_count, glue_count; /* each sorted */
	char servers[DELEGATION_SERVERS][OBS_NAME];
	char ds[DELEGATION_DS][OBS_NAME];
	struct delegation_glue glue[DELEGATION_GLUE];
};

/* One server's word on it. */
struct delegation_word {
	struct dns_endpoint server;
	struct moment at;
	int64_t rtt_us;
	int rc;        /* 0: `delegation` holds; else why not */
	bool answered; /* rcode and authoritative hold */
	bool tcp, authoritative;
	unsigned rcode;
	struct delegation delegation;
};

/* From the parent's answer to NS of the zone. STATUS_REFUSED when it says nothing of it
 * (an error, or a server that does not know the zone), STATUS_LIMIT when it says too
 * much. */
int delegation_read(
	struct delegation *out, const struct dns_message *message, const char *zone);
/* Adds what an answer to DS of the zone says. */
int delegation_read_ds(struct delegation *delegation, const struct dns_message *message,
	const char *zone);

/* Sets are compared; of DS and of a host's glue only what both were told. */
bool delegation_equal(const struct delegation *a, const struct delegation *b);
/* The same name servers, whatever else. */
bool delegation_same_servers(const struct delegation *a, const struct delegation *b);
bool delegation_has_server(const struct delegation *delegation, const char *host);

/* "name server ns2.example is new, ns1.example is gone; DS is gone" */
#define DELEGATION_TEXT 512
const char *delegation_changes_text(const struct delegation *before,
	const struct delegation *after, char buf[static DELEGATION_TEXT]);

#endif
