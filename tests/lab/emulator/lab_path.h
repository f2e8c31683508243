/*
 * A programmed path: what a packet meets between two places, in both directions. Pure but
 * for its own state (budgets of answers, the order of what it carries): times and chance
 * come from the caller.
 *
 * Round trips are programmed, from the path's beginning to each hop and to its end; half
 * of one is the time that a packet travels. On the way back the hops stand in reverse.
 */
#ifndef LAB_PATH_H
#define LAB_PATH_H

#include "lab_packet.h"

#define LAB_WAYS 64   /* parallel routers at one hop, of each family */
#define LAB_ROUTES 32 /* alternative rows of hops */
#define LAB_HOPS 64

struct lab_router {
	struct address address;
	double budget; /* answers that it may send now */
	int64_t counted_us;
};

struct lab_hop {
	struct lab_router ways[2][LAB_WAYS]; /* IPv4, IPv6 */
	unsigned way_counts[2];
	int64_t rtt_us, jitter_us;
	bool silent;
	double loss, answer_loss;    /* of packets that come here; of its answers */
	double answers_per_s, burst; /* 0: no limit */
	int64_t refusals[2];         /* unreachable with this code; -1: passes on */
	struct address nat[2];       /* the source of what passes becomes this */
	int64_t tos, quoted_ttl;     /* of what passes; of what it quotes; -1: as it is */
	int64_t mtu;                 /* 0: any */
	struct lab_error error;      /* labels and quote of its answers */
};

struct lab_route {
	unsigned hop_count;
	struct lab_hop *hops;
	int64_t last_due_us[2]; /* so that jitter does not change the order */
};

struct lab_path {
	int64_t rtt_us, jitter_us;
	double loss;          /* each way, anywhere */
	bool balance_packets; /* ways are chosen for each packet, not each flow */
	bool reorders;
	int64_t loops_to; /* the last hop sends everything back to this one; 0: no */
	bool rewrites;    /* some hop changes what passes */
	struct address inside[2]; /* who is behind its NAT */
	bool forges;
	struct address forgers[2];
	unsigned route_count;
	struct lab_route routes[LAB_ROUTES];
};

struct lab_chance {
	uint64_t state;
};
double lab_chance_next(struct lab_chance *chance); /* [0, 1) */

enum lab_fate { LAB_LOST, LAB_PASSED, LAB_ANSWERED };

struct lab_leg {
	enum lab_fate fate;
	int64_t due_us;
	uint8_t ttl; /* passed: what is left of it */
	size_t len;  /* of what goes on, or of the answer */
	uint8_t bytes[LAB_PACKET_MAX];
};

/* What becomes of a packet that enters the path at its beginning (or, back, at its end).
 */
void lab_path_travel(struct lab_path *path, const struct lab_packet *packet, bool back,
	int64_t now_us, struct lab_chance *chance, struct lab_leg *out);
/* When what the end itself answers is back at the beginning. */
int64_t lab_path_round_us(
	const struct lab_path *path, int64_t now_us, struct lab_chance *chance);
void lab_path_free(struct lab_path *path);

#endif
