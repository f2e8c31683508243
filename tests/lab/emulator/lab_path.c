#include "lab_path.h"

#include <stdlib.h>
#include <string.h>

enum {
	EXPIRED4 = 11,
	UNREACHABLE4 = 3,
	FRAGMENT4 = 4,
	UNREACHABLE6 = 1,
	TOO_BIG6 = 2,
	EXPIRED6 = 3
};

double lab_chance_next(struct lab_chance *chance)
{
	uint64_t x =
		chance->state; /* xorshift64*: repeatable, and no more is wanted of it */

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	chance->state = x;
	return (double)(x * UINT64_C(0x2545f4914f6cdd1d) >> 11) * 0x1p-53;
}

static bool happens(struct lab_chance *chance, double share)
{
	return share > 0 && lab_chance_next(chance) < share;
}

static int64_t some_of(struct lab_chance *chance, int64_t most)
{
	return most > 0 ? (int64_t)(lab_chance_next(chance) * (double)most) : 0;
}

static uint64_t choice(const struct lab_path *path, const struct lab_packet *packet,
	uint64_t salt, struct lab_chance *chance)
{
	if (path->balance_packets)
		return (uint64_t)(lab_chance_next(chance) * 0x1p32);
	return lab_packet_flow(packet, salt);
}

static bool may_answer(
	struct lab_router *router, const struct lab_hop *hop, int64_t now_us)
{
	if (hop->answers_per_s <= 0)
		return true;
	router->budget +=
		(double)(now_us - router->counted_us) * 1e-6 * hop->answers_per_s;
	if (router->budget > hop->burst)
		router->budget = hop->burst;
	router->counted_us = now_us;
	if (router->budget < 1)
		return false;
	router->budget -= 1;
	return true;
}

/* The hop's answer with this type and code, or nothing where it is silent today. */
static void answer(struct lab_leg *out, struct lab_path *path, struct lab_hop *hop,
	const struct lab_packet *packet, struct lab_error error, int64_t rtt_us,
	int64_t now_us, struct lab_chance *chance)
{
	unsigned family = packet->version == 6, ways = hop->way_counts[family];
	struct lab_router *router;

	if (hop->silent || !ways)
		return;
	router = hop->ways[family];
	router += choice(path, packet, address_hash(&router->address, 1), chance) % ways;
	if (!may_answer(router, hop, now_us) || happens(chance, hop->answer_loss))
		return;
	error.label_count = hop->error.label_count;
	for (unsigned i = 0; i < error.label_count; i++)
		error.labels[i] = hop->error.labels[i];
	error.quote = hop->error.quote;
	error.bare_extension = hop->error.bare_extension;
	out->len = lab_packet_error(out->bytes, packet, &router->address, &error);
	out->due_us = now_us + rtt_us + some_of(chance, hop->jitter_us);
	out->fate = LAB_ANSWERED;
}

struct visit {
	struct lab_hop *hop;
	int64_t rtt_us; /* from where the packet entered */
};

/* The number-th hop (from 1) that a packet meets; hop NULL: it has come through. */
static struct visit hop_at(const struct lab_path *path, const struct lab_route *route,
	unsigned number, bool back)
{
	unsigned count = route->hop_count, first = (unsigned)path->loops_to;
	struct lab_hop *hop;

	if (back) {
		if (number > count)
			return (struct visit){0};
		hop = &route->hops[count - number];
		return (struct visit){hop, path->rtt_us - hop->rtt_us};
	}
	if (number <= count)
		return (struct visit){
			&route->hops[number - 1], route->hops[number - 1].rtt_us};
	if (!first || first > count)
		return (struct visit){0};
	hop = &route->hops[first - 1 + (number - first) % (count - first + 1)];
	return (struct visit){
		hop, route->hops[count - 1].rtt_us + 1000 * (int64_t)(number - count)};
}

/* True when the packet ends at this hop; then out says how. */
static bool ends_at(struct lab_leg *out, struct lab_path *path, struct visit visit,
	const struct lab_packet *packet, unsigned number, int64_t now_us,
	struct lab_chance *chance)
{
	bool v6 = packet->version == 6;
	struct lab_hop *hop = visit.hop;
	struct lab_error error = {.ttl = (uint8_t)(256 - number)};
	struct lab_packet here = *packet;

	if (happens(chance, hop->loss))
		return true;
	here.ttl = (uint8_t)(packet->ttl - number + 1);
	if (hop->refusals[v6] >= 0) {
		error.type = v6 ? UNREACHABLE6 : UNREACHABLE4;
		error.code = (uint8_t)hop->refusals[v6];
	} else if (here.ttl <= 1) {
		error.type = v6 ? EXPIRED6 : EXPIRED4;
	} else if (hop->mtu && packet->len > (size_t)hop->mtu) {
		error.type = v6 ? TOO_BIG6 : UNREACHABLE4;
		error.code = v6 ? 0 : FRAGMENT4;
		error.rest = (uint32_t)hop->mtu;
		if (!packet->dont_fragment)
			return true; /* no router here cuts packets */
	} else {
		return false;
	}
	if (hop->quoted_ttl >= 0)
		here.ttl = (uint8_t)hop->quoted_ttl;
	answer(out, path, hop, &here, error, visit.rtt_us, now_us, chance);
	return true;
}

static int64_t in_order(struct lab_route *route, bool back, int64_t due_us)
{
	if (due_us < route->last_due_us[back])
		return route->last_due_us[back];
	return route->last_due_us[back] = due_us;
}

/* What this hop makes of a packet that it lets pass; on the way back only its NAT
 * matters. */
static void rewrite(struct lab_path *path, const struct lab_hop *hop,
	struct lab_packet *packet, uint8_t *bytes, bool back)
{
	unsigned family = packet->version == 6;
	const struct address *outside = &hop->nat[family];

	if (outside->family && !back) {
		path->inside[family] = packet->from;
		lab_packet_set_source(bytes, packet->len, outside);
	} else if (outside->family && address_equal(&packet->to, outside)) {
		lab_packet_set_destination(bytes, packet->len, &path->inside[family]);
	}
	if (hop->tos >= 0 && !back)
		lab_packet_set_tos(bytes, (uint8_t)hop->tos);
}

void lab_path_travel(struct lab_path *path, const struct lab_packet *sent, bool back,
	int64_t now_us, struct lab_chance *chance, struct lab_leg *out)
{
	uint64_t which = path->route_count > 1 ? choice(path, sent, 0, chance) : 0;
	struct lab_route *route = &path->routes[which % path->route_count];
	struct lab_packet packet = *sent;
	uint8_t bytes[LAB_PACKET_MAX];
	struct visit visit;
	unsigned number;
	int64_t due_us;

	out->fate = LAB_LOST;
	if (!packet.ttl)
		return;
	if (path->rewrites)
		packet.bytes = memcpy(bytes, sent->bytes, sent->len);
	for (number = 1; (visit = hop_at(path, route, number, back)).hop; number++) {
		if (ends_at(out, path, visit, &packet, number, now_us, chance))
			return;
		if (path->rewrites)
			rewrite(path, visit.hop, &packet, bytes, back);
	}
	if (happens(chance, path->loss))
		return;
	due_us = now_us + path->rtt_us / 2 + some_of(chance, path->jitter_us / 2);
	out->due_us = path->reorders ? due_us : in_order(route, back, due_us);
	out->ttl = (uint8_t)(packet.ttl - (number - 1));
	out->len = packet.len;
	memcpy(out->bytes, packet.bytes, packet.len);
	lab_packet_set_ttl(out->bytes, out->ttl);
	out->fate = LAB_PASSED;
}

int64_t lab_path_round_us(
	const struct lab_path *path, int64_t now_us, struct lab_chance *chance)
{
	return now_us + path->rtt_us + some_of(chance, path->jitter_us);
}

void lab_path_free(struct lab_path *path)
{
	if (!path)
		return;
	for (unsigned i = 0; i < path->route_count; i++)
		free(path->routes[i].hops);
	free(path);
}
