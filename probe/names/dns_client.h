/*
 * DNS questions to one server at a time, on a libuv loop: the one place that meets
 * c-ares. Every question goes from a port of its own with a random id and, where
 * recursion is not asked for, in random case; an answer counts only when all of that
 * comes back from the address that was asked. A truncated answer, or one that lost the
 * case, is asked for again over TCP from the same server. Nothing blocks. At most
 * DNS_CLIENT_ACTIVE questions are on the way, further ones wait, and beyond
 * DNS_CLIENT_WAITING they are refused.
 */
#ifndef NAMES_DNS_CLIENT_H
#define NAMES_DNS_CLIENT_H

#include "astray/moment.h"
#include "dns_endpoint.h"
#include "astray/dns_message.h"

#define DNS_CLIENT_ACTIVE 32
#define DNS_CLIENT_WAITING 4096
#define DNS_CLIENT_RESOLVERS 3 /* as many as libc takes from resolv.conf */

struct uv_loop_s;
struct dns_client;

struct dns_question {
	char name[OBS_NAME];
	uint16_t type;
	struct dns_endpoint server;
	bool recursive; /* RD, with AD: for a resolver; else for an authority */
	bool dnssec;    /* DO */
	bool tcp;
	unsigned tries; /* how often UDP is tried; 0 stands for 1 */
};

struct dns_reply {
	const struct dns_question *question;
	int rc; /* 0: a whole answer came, whatever it says; else negative, and no message
		 */
	const struct dns_message *message; /* valid during the call */
	struct moment at;                  /* when it was asked */
	int64_t rtt_us; /* OBS_ABSENT over TCP, and without an answer */
	bool tcp;       /* it came, or was awaited, over TCP */
	bool case_lost; /* the server does not keep the case of a question */
};

typedef void (*dns_client_done_fn)(void *arg, const struct dns_reply *reply);

struct dns_client_counts {
	uint64_t asked;     /* packets and connections */
	uint64_t retried;   /* of them, again after silence */
	uint64_t by_tcp;    /* of them, over TCP */
	uint64_t malformed; /* answers that could not be read */
	uint64_t refused;   /* questions that found no room */
};

int dns_client_open(struct dns_client **out, struct uv_loop_s *loop);
/* Copies the question; done is called exactly once, from the loop, unless this fails. */
int dns_client_ask(struct dns_client *client, const struct dns_question *question,
	dns_client_done_fn done, void *arg);
struct dns_client_counts dns_client_count(const struct dns_client *client);
/* Ends what is under way with -ECANCELED (during the call); `closed`, which may be NULL,
 * is called from the loop once nothing is left. NULL is fine, and is not called back. */
void dns_client_close(struct dns_client *client, void (*closed)(void *arg), void *arg);

/* The resolvers that this machine uses now (resolv.conf): their number, or negative. */
int dns_client_resolvers(struct dns_endpoint out[static DNS_CLIENT_RESOLVERS]);

#endif
