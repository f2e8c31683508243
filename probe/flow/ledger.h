/*
 * Keeps the accounts: what is told of a connection goes to its service's window, or is
 * held in the connection until its service is known. The service becomes known when the
 * client asks for a host, when it is clear that it will not, or when a failure has to be
 * put somewhere.
 */
#ifndef FLOW_LEDGER_H
#define FLOW_LEDGER_H

#include "dns_traffic.h"
#include "flow_table.h"
#include "service_naming.h"
#include "windows.h"

struct ledger {
	struct windows *windows;
	struct service_naming *naming;
	struct dns_traffic *dns;
	struct slab *cells; /* for what is held */
	struct flow *flow;  /* the connection that is being told of */
	struct moment now;  /* when the packet came that tells of it */
};

/* A connection that is not watched: nothing of it needs to be read. */
bool ledger_is_other(const struct flow *flow);

void ledger_connected(
	struct ledger *ledger, int64_t connect_us); /* negative: not timed */
void ledger_client_connected(struct ledger *ledger, int64_t client_connect_us);
void ledger_bytes(struct ledger *ledger, enum exchange_side sender, uint32_t len);
void ledger_retransmit(struct ledger *ledger);
void ledger_lost_packet(struct ledger *ledger);
void ledger_round_trip(struct ledger *ledger, int64_t rtt_us);
/* These are worth a name, even if only by address. */
void ledger_refused(struct ledger *ledger);
void ledger_timed_out(struct ledger *ledger);
void ledger_reset(struct ledger *ledger);
/* The connection is over, or will be followed no longer. */
void ledger_closed(struct ledger *ledger);

/* The three ends of a struct exchange_sink whose arg is the ledger. */
void ledger_event(void *arg, enum exchange_event event, int64_t value_us);
void ledger_host(void *arg, const struct exchange_host *host);
void ledger_message(void *arg, enum exchange_side from, struct cursor bytes, uint32_t len,
	struct moment at);

#endif
