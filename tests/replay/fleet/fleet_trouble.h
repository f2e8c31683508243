/*
 * The troubles of a fleet: what deserves a page, from when to when, where, and what it
 * does to what is measured. This is the truth that pages are scored by.
 */
#ifndef FLEET_TROUBLE_H
#define FLEET_TROUBLE_H

#include "fleet_world.h"

enum fleet_kind {
	TROUBLE_NAME_SERVER,  /* the delegation moves to a lookalike; vantages follow one
				 by one */
	TROUBLE_MAIL,         /* only the MX at the authority */
	TROUBLE_ISSUER,       /* another certificate authority */
	TROUBLE_POLICY_PATH,  /* through a country that policy does not allow */
	TROUBLE_NEW_COUNTRY,  /* the same for a service without policy */
	TROUBLE_QUIET_DETOUR, /* a near country: the round trip hardly changes */
	TROUBLE_FAILURES,
	TROUBLE_SLOW_TWICE,
	TROUBLE_SLOW_HALF,
	TROUBLE_SLOW_TAIL,
	TROUBLE_UPLINK,  /* a site's own */
	TROUBLE_SILENCE, /* no requests at all */
	TROUBLE_DROP_80,
	TROUBLE_DROP_40,
	TROUBLE_DROP_20,
	TROUBLE_DROP_NIGHT,
	TROUBLE_DROP_LOW,
	TROUBLE_DECAY,
	TROUBLE_CREEP,
	TROUBLE_EDGE,    /* several services behind one provider */
	TROUBLE_ADDRESS, /* the authority itself answers a stranger's address */
	TROUBLE_FAILURES_NIGHT,
	TROUBLE_FAILURES_SITE, /* one service, at one site */
	TROUBLE_SLOW_NIGHT,
	TROUBLE_SLOW_LOW,  /* a service with few requests */
	TROUBLE_DROP_SITE, /* one service, at one site */
	TROUBLE_RESOLVER,  /* a site's own: names do not resolve there */
	FLEET_KINDS
};

struct fleet_trouble {
	enum fleet_kind kind;
	unsigned number;
	int64_t from_us, until_us;
	int service;       /* -1: see provider, or the site itself */
	int site;          /* -1: all */
	int edge_provider; /* -1: none */
	double size;
	unsigned city; /* a detour's */
};

#define FLEET_TROUBLES 128
struct fleet_troubles {
	unsigned count;
	struct fleet_trouble list[FLEET_TROUBLES];
};

/* What holds for one service, seen from one site, at one moment. */
struct fleet_effect {
	double requests, latency; /* factors */
	double tail;              /* the share of requests that take six times as long */
	double failures;          /* the share that fails */
	const struct fleet_trouble *detour; /* NULL: none */
	const struct fleet_trouble *names;  /* the delegation is not ours */
	const struct fleet_trouble *leads;  /* the names lead elsewhere … */
	bool reaches_names;                 /* … and this vantage believes it */
	bool mail, issuer;
	bool unresolved; /* no names at all */
};

const char *fleet_trouble_text(enum fleet_kind kind);
/* Space-separated causes of the wire contract that name it rightly. */
const char *fleet_trouble_causes(enum fleet_kind kind);
double fleet_trouble_weight(enum fleet_kind kind);
int64_t fleet_trouble_target_us(enum fleet_kind kind);
bool fleet_trouble_hits(const struct fleet_world *world,
	const struct fleet_trouble *trouble, unsigned service);

/* Places them in the judged days, never two on one service at once. */
void fleet_trouble_plan(struct fleet_troubles *troubles, const struct fleet_world *world);
struct fleet_effect fleet_trouble_effect(const struct fleet_world *world,
	const struct fleet_troubles *troubles, unsigned service, unsigned site,
	uint64_t vantage, int64_t at_us);

#endif
