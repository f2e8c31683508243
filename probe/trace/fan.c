#include "fan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEED_FLOWS 6 /* as many as one next router needs before there is no second */
#define AGAIN 6      /* times that one flow is asked where several answered */
#define TRIES 2
#define WAIT_TIMES 2
#define WAIT_MORE_US 30000
#define PATIENCE_US MOMENT_SECOND_US
#define ADD_AT_ONCE 64 /* flows */
#define NOBODY (-1)

/* n(k): flows after which a further one of k+1 equally likely next routers would have
 * been seen; by inclusion and exclusion, at 95 % and 99 %. */
static const unsigned stops_95[] = {
	0, 6, 11, 16, 21, 27, 33, 38, 44, 51, 57, 63, 70, 76, 83, 90, 96};
static const unsigned stops_99[] = {
	0, 8, 15, 21, 28, 36, 43, 51, 58, 66, 74, 82, 90, 98, 106, 115, 123};
#define STOPS (sizeof(stops_95) / sizeof(stops_95[0]))
#define STOP_MORE 8 /* for each beyond the table, a little more than it grows there */

enum state { UNASKED, WANTED, FLYING, ANSWERED, SILENT };

struct cell { /* one flow at one TTL */
	uint8_t state, tries;
	int8_t node;
};

struct shot {
	struct tick sent;
	uint16_t flow;
	uint8_t ttl;
	bool answered, given_up, again;
};

struct level {
	unsigned node_count;
	struct fan_node nodes[FAN_NODES];
	struct cell cells[FAN_FLOWS];
	bool balances, checked; /* packets, one flow asked again */
	unsigned again_wanted;
	int again_node;
};

struct fan {
	struct fan_plan plan;
	unsigned flow_count, shot_count, flying, wanted;
	unsigned last; /* the farthest TTL worth asking, as far as known */
	bool reached, cut_short;
	int64_t longest_us;
	struct shot shots[FAN_SHOTS];
	struct level levels[FAN_TTLS + 1]; /* by TTL; 0 is this machine */
};

uint16_t fan_first_id_max(void)
{
	return UINT16_MAX - FAN_SHOTS;
}

static struct cell *cell_at(struct fan *fan, unsigned ttl, unsigned flow)
{
	return &fan->levels[ttl].cells[flow];
}

static void want(struct fan *fan, unsigned ttl, unsigned flow)
{
	struct cell *cell = cell_at(fan, ttl, flow);

	if (cell->state != UNASKED)
		return;
	cell->state = WANTED;
	fan->wanted++;
}

/* Further flows, as far as there are any; they begin at this machine. */
static unsigned add_flows(struct fan *fan, unsigned count)
{
	unsigned room = FAN_FLOWS - fan->flow_count;

	if (count > ADD_AT_ONCE)
		count = ADD_AT_ONCE;
	if (count > room)
		fan->cut_short = true;
	count = count < room ? count : room;
	for (unsigned i = 0; i < count; i++) {
		struct cell *start = cell_at(fan, 0, fan->flow_count++);

		*start = (struct cell){.state = ANSWERED};
	}
	return count;
}

int fan_new(struct fan **out, const struct fan_plan *plan)
{
	struct fan *fan;

	*out = NULL;
	if (plan->max_ttl < 1 || plan->max_ttl > FAN_TTLS || plan->first_id < 1 ||
		plan->first_id > fan_first_id_max())
		return -EINVAL;
	fan = calloc(1, sizeof(*fan));
	if (!fan)
		return -ENOMEM;
	fan->plan = *plan;
	fan->last = plan->max_ttl;
	fan->levels[0].node_count = 1;
	(void)add_flows(fan, SEED_FLOWS);
	for (unsigned ttl = 1; ttl <= fan->last; ttl++)
		for (unsigned flow = 0; flow < SEED_FLOWS; flow++)
			want(fan, ttl, flow);
	*out = fan;
	return 0;
}

void fan_free(struct fan *fan)
{
	free(fan);
}

/* Flows that ended at this TTL or before are not asked about farther ones. */
static bool has_ended(const struct fan *fan, unsigned ttl, unsigned flow)
{
	const struct cell *cell = &fan->levels[ttl].cells[flow];

	return cell->state == ANSWERED && ttl > 0 &&
	       fan->levels[ttl].nodes[cell->node].is_end;
}

static struct shot *take_shot(struct fan *fan, unsigned ttl, unsigned flow,
	struct tick now, struct fan_probe *probe)
{
	struct shot *shot = &fan->shots[fan->shot_count];

	*shot = (struct shot){.sent = now, .flow = (uint16_t)flow, .ttl = (uint8_t)ttl};
	*probe = (struct fan_probe){.ttl = (uint8_t)ttl,
		.flow = (uint16_t)flow,
		.id = (uint16_t)(fan->plan.first_id + fan->shot_count++)};
	fan->flying++;
	return shot;
}

static bool next_again(struct fan *fan, struct tick now, const struct ttl_gate *gate,
	struct fan_probe *probe)
{
	for (unsigned ttl = 1; ttl <= fan->last; ttl++) {
		struct level *level = &fan->levels[ttl];

		if (!level->again_wanted || !ttl_gate_is_open(gate, ttl))
			continue;
		level->again_wanted--;
		take_shot(fan, ttl, 0, now, probe)->again = true;
		return true;
	}
	return false;
}

/* The first flow that is still to be asked about this TTL, or -1. */
static int wanted_at(struct fan *fan, unsigned ttl)
{
	for (unsigned flow = 0; flow < fan->flow_count; flow++)
		if (cell_at(fan, ttl, flow)->state == WANTED)
			return (int)flow;
	return -1;
}

bool fan_next(struct fan *fan, struct tick now, const struct ttl_gate *gate,
	struct fan_probe *probe)
{
	if (fan->shot_count == FAN_SHOTS) {
		fan->cut_short = true;
		fan->wanted = 0;
		return false;
	}
	for (unsigned ttl = 1; fan->wanted && ttl <= fan->last; ttl++) {
		int flow = wanted_at(fan, ttl);
		struct cell *cell;

		if (flow < 0 || !ttl_gate_is_open(gate, ttl))
			continue;
		cell = cell_at(fan, ttl, (unsigned)flow);
		fan->wanted--;
		cell->state = FLYING;
		cell->tries++;
		(void)take_shot(fan, ttl, (unsigned)flow, now, probe);
		return true;
	}
	return next_again(fan, now, gate, probe);
}

uint8_t fan_ttl_of(const struct fan *fan, uint16_t id)
{
	unsigned number = (unsigned)id - fan->plan.first_id; /* wraps when it is below */

	return number < fan->shot_count ? fan->shots[number].ttl : 0;
}

static struct shot *shot_of(struct fan *fan, uint16_t id)
{
	unsigned number = (unsigned)id - fan->plan.first_id; /* wraps when it is below */

	return number < fan->shot_count ? &fan->shots[number] : NULL;
}

void fan_note_sent(struct fan *fan, uint16_t id, struct tick at)
{
	struct shot *shot = shot_of(fan, id);

	if (shot && !shot->answered)
		shot->sent = at;
}

static int node_for(struct level *level, const struct reply_packet *reply)
{
	struct fan_node *node;

	for (unsigned i = 0; i < level->node_count; i++)
		if (address_equal(&level->nodes[i].address, &reply->from))
			return (int)i;
	if (level->node_count == FAN_NODES)
		return NOBODY;
	node = &level->nodes[level->node_count];
	*node = (struct fan_node){.address = reply->from,
		.rtt_us = INT64_MAX,
		.is_end = reply->kind != REPLY_EXPIRED,
		.mpls_count = reply->mpls_count};
	memcpy(node->mpls, reply->mpls, sizeof(node->mpls));
	return (int)level->node_count++;
}

/* Beyond the last TTL at which any flow goes on, nothing is asked. */
static void note_end(struct fan *fan, unsigned ttl, const struct reply_packet *reply)
{
	bool all = reply->kind != REPLY_EXPIRED;

	if (reply->kind == REPLY_ARRIVED)
		fan->reached = true;
	for (unsigned flow = 0; all && flow < SEED_FLOWS; flow++)
		all = has_ended(fan, ttl, flow);
	if (!all || ttl >= fan->last)
		return;
	for (unsigned beyond = ttl + 1; beyond <= fan->last; beyond++)
		for (unsigned flow = 0; flow < fan->flow_count; flow++)
			if (cell_at(fan, beyond, flow)->state == WANTED) {
				cell_at(fan, beyond, flow)->state = UNASKED;
				fan->wanted--;
			}
	fan->last = ttl;
}

static void give_up(struct fan *fan, struct shot *shot)
{
	struct cell *cell = cell_at(fan, shot->ttl, shot->flow);

	shot->given_up = true;
	fan->flying--;
	if (shot->again || cell->state != FLYING)
		return;
	if (cell->tries < TRIES) {
		cell->state = UNASKED;
		want(fan, shot->ttl, shot->flow);
	} else {
		cell->state = SILENT;
	}
}

static void think(struct fan *fan);

bool fan_take_reply(
	struct fan *fan, uint16_t id, const struct reply_packet *reply, struct tick at)
{
	struct shot *shot = shot_of(fan, id);
	struct level *level;
	struct cell *cell;
	int64_t rtt_us;
	int node;

	if (!shot || shot->answered || reply->kind == REPLY_TOO_BIG)
		return false;
	level = &fan->levels[shot->ttl];
	node = node_for(level, reply);
	shot->answered = true;
	if (!shot->given_up)
		fan->flying--;
	rtt_us = tick_since_us(at, shot->sent);
	if (rtt_us < 0)
		rtt_us = 0;
	if (rtt_us > fan->longest_us && shot->ttl <= fan->last)
		fan->longest_us = rtt_us;
	cell = cell_at(fan, shot->ttl, shot->flow);
	if (node == NOBODY) {
		fan->cut_short = true;
		cell->state = SILENT;
	} else {
		if (rtt_us < level->nodes[node].rtt_us)
			level->nodes[node].rtt_us = rtt_us;
		if (cell->state == ANSWERED && cell->node != node)
			level->balances = true; /* one flow, two routers */
		else if (cell->state != ANSWERED)
			level->nodes[node].flows++;
		if (cell->state == WANTED)
			fan->wanted--;
		cell->state = ANSWERED;
		cell->node = (int8_t)node;
	}
	note_end(fan, shot->ttl, reply);
	think(fan);
	return true;
}

static unsigned stop_after(const struct fan *fan, unsigned nodes)
{
	const unsigned *stops = fan->plan.confident ? stops_99 : stops_95;

	return nodes < STOPS
		       ? stops[nodes]
		       : stops[STOPS - 1] + (nodes - (unsigned)STOPS + 1) * STOP_MORE;
}

/* Flows through one node of a TTL: how many were asked about the next TTL, how many next
 * nodes they showed; further ones among them are wanted up to the rule's number. */
static unsigned ask_beyond(struct fan *fan, unsigned ttl, int node)
{
	bool seen[FAN_NODES] = {false};
	unsigned asked = 0, next_nodes = 0, needed;

	for (unsigned flow = 0; flow < fan->flow_count; flow++) {
		const struct cell *cell = cell_at(fan, ttl, flow);
		const struct cell *next = cell_at(fan, ttl + 1, flow);

		if (cell->state != ANSWERED || cell->node != node ||
			next->state == UNASKED)
			continue;
		asked++;
		if (next->state == ANSWERED && !seen[next->node]) {
			seen[next->node] = true;
			next_nodes++;
		}
	}
	needed = stop_after(fan, next_nodes ? next_nodes : 1);
	for (unsigned flow = 0; flow < fan->flow_count && asked < needed; flow++) {
		const struct cell *cell = cell_at(fan, ttl, flow);

		if (cell->state != ANSWERED || cell->node != node ||
			cell_at(fan, ttl + 1, flow)->state != UNASKED)
			continue;
		want(fan, ttl + 1, flow);
		asked++;
	}
	return needed - (asked < needed ? asked : needed);
}

/* More flows through a node are found by asking its own TTL with ones that are new there.
 */
static void find_flows(struct fan *fan, unsigned ttl, unsigned lacking)
{
	unsigned wanted = 0, goal = lacking * fan->levels[ttl].node_count;

	if (goal > ADD_AT_ONCE)
		goal = ADD_AT_ONCE;
	for (unsigned flow = 0; flow < fan->flow_count && wanted < goal; flow++)
		if (cell_at(fan, ttl, flow)->state == UNASKED) {
			want(fan, ttl, flow);
			wanted++;
		}
	if (wanted < goal) {
		unsigned first = fan->flow_count, more = add_flows(fan, goal - wanted);

		for (unsigned i = 0; ttl > 0 && i < more; i++)
			want(fan, ttl, first + i);
	}
}

static void check_packets(struct fan *fan, unsigned ttl)
{
	struct level *level = &fan->levels[ttl];

	if (level->checked || level->node_count < 2)
		return;
	level->checked = true;
	level->again_wanted = AGAIN;
}

/* What all answers so far leave to be asked. Only between batches: what is in flight may
 * answer the question. */
static void think(struct fan *fan)
{
	if (fan->flying || fan->wanted)
		return;
	for (unsigned ttl = 0; ttl < fan->last; ttl++) {
		const struct level *level = &fan->levels[ttl];
		unsigned lacking = 0;

		check_packets(fan, ttl + 1);
		if (level->balances || fan->levels[ttl + 1].balances)
			continue;
		for (unsigned node = 0; node < level->node_count; node++) {
			unsigned lacks;

			if (level->nodes[node].is_end)
				continue;
			lacks = ask_beyond(fan, ttl, (int)node);
			lacking = lacks > lacking ? lacks : lacking;
		}
		if (lacking)
			find_flows(fan, ttl, lacking);
	}
	(void)ask_beyond(fan, 0, 0); /* flows that are new at this machine */
}

static int64_t wait_us(const struct fan *fan)
{
	int64_t taught_us = WAIT_TIMES * fan->longest_us + WAIT_MORE_US;

	return fan->reached && taught_us < PATIENCE_US ? taught_us : PATIENCE_US;
}

struct tick fan_deadline(const struct fan *fan)
{
	struct tick due = {INT64_MAX};

	for (unsigned i = 0; fan->flying && i < fan->shot_count; i++) {
		const struct shot *shot = &fan->shots[i];

		if (!shot->answered && !shot->given_up && shot->sent.us < due.us)
			due.us = shot->sent.us;
	}
	if (due.us != INT64_MAX)
		due.us += wait_us(fan);
	return due;
}

void fan_expire(struct fan *fan, struct tick now)
{
	for (unsigned i = 0; fan->flying && i < fan->shot_count; i++) {
		struct shot *shot = &fan->shots[i];

		if (!shot->answered && !shot->given_up &&
			shot->sent.us + wait_us(fan) <= now.us)
			give_up(fan, shot);
	}
	think(fan);
}

bool fan_is_done(const struct fan *fan)
{
	for (unsigned ttl = 1; ttl <= fan->last; ttl++)
		if (fan->levels[ttl].again_wanted)
			return false;
	return fan->flying == 0 && fan->wanted == 0;
}

bool fan_is_reached(const struct fan *fan)
{
	return fan->reached;
}

unsigned fan_length(const struct fan *fan)
{
	unsigned length = fan->last;

	while (length > 0 && fan->levels[length].node_count == 0)
		length--;
	return length;
}

unsigned fan_flow_count(const struct fan *fan)
{
	return fan->flow_count;
}

unsigned fan_nodes(const struct fan *fan, unsigned ttl, const struct fan_node **nodes)
{
	*nodes = fan->levels[ttl].nodes;
	return fan->levels[ttl].node_count;
}

int fan_node_of(const struct fan *fan, unsigned ttl, unsigned flow)
{
	const struct cell *cell = &fan->levels[ttl].cells[flow];

	return cell->state == ANSWERED ? cell->node : NOBODY;
}

static void count_link(
	struct fan_link *links, unsigned max, unsigned *count, unsigned from, unsigned to)
{
	for (unsigned i = 0; i < *count && i < max; i++)
		if (links[i].from == from && links[i].to == to) {
			links[i].flows++;
			return;
		}
	if (*count < max)
		links[*count] = (struct fan_link){from, to, 1};
	(*count)++;
}

unsigned fan_links(
	const struct fan *fan, unsigned ttl, struct fan_link *links, unsigned max)
{
	unsigned count = 0;

	for (unsigned flow = 0; flow < fan->flow_count; flow++) {
		int from = fan_node_of(fan, ttl, flow);
		int to = fan_node_of(fan, ttl + 1, flow);

		if (from != NOBODY && to != NOBODY)
			count_link(links, max, &count, (unsigned)from, (unsigned)to);
	}
	return count < max ? count : max;
}

bool fan_balances_packets(const struct fan *fan, unsigned ttl)
{
	return fan->levels[ttl].balances;
}

bool fan_is_cut_short(const struct fan *fan)
{
	return fan->cut_short;
}
