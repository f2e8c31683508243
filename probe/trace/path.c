#include "path.h"

#include <errno.h>
#include <stdlib.h>

/* A hop that answered neither of two probes is silent; that it loses packets shows in
 * hops that do answer. */
#define SILENT_ATTEMPTS 2
/* Beyond the slowest answer so far: routers answer late when they are busy. */
#define WAIT_TIMES 2
#define WAIT_MORE_US 30000
/* The second probe to a silent hop need not wait for the first to be given up. */
#define RETRY_MORE_US 15000
/* Where nothing farther has answered, the destination may be near and only slow: it is
 * not asked twice before it could have answered. */
#define FAR_TIMES 3
#define FAR_LEAST_US 300000
/* Longer than any round trip on Earth, geostationary satellites included. */
#define PATIENCE_US MOMENT_SECOND_US

/* Beyond the likely length, so that a slightly longer path takes no longer. */
#define SLACK 2

#define NEVER_US INT64_MAX
#define ROWS_AT_FIRST 8

struct shot {
	struct tick sent;
	bool answered;
	bool unclear; /* it may have been answered, but nobody knows */
};

struct hop {
	uint8_t sent;
	uint8_t answered;
	bool waiting; /* for the last one sent */
};

struct path {
	struct path_plan plan;
	unsigned last;     /* the TTL at which it ends, as far as known */
	unsigned farthest; /* that answered */
	unsigned opened;   /* the highest that may be asked so far */
	bool reached, refused, narrow;
	int64_t longest_us; /* the slowest answer's round trip */
	unsigned row_count, row_room, dropped;
	struct path_row *rows;
	struct hop hops[PATH_TTL_MAX + 1]; /* by TTL */
	struct shot shots[];               /* by id */
};

static unsigned attempts_of(const struct path_plan *plan)
{
	return plan->queries > SILENT_ATTEMPTS ? plan->queries : SILENT_ATTEMPTS;
}

static unsigned id_count(const struct path_plan *plan)
{
	return plan->max_ttl * attempts_of(plan);
}

uint16_t path_first_id_max(const struct path_plan *plan)
{
	return (uint16_t)(UINT16_MAX - id_count(plan) - plan->spare_ids);
}

static unsigned opened_at_first(const struct path_plan *plan)
{
	unsigned opened = plan->likely_length + SLACK;

	return plan->likely_length == 0 || opened > plan->max_ttl ? plan->max_ttl
								  : opened;
}

int path_new(struct path **out, const struct path_plan *plan)
{
	struct path *path;

	*out = NULL;
	if (plan->max_ttl < 1 || plan->max_ttl > PATH_TTL_MAX || plan->queries < 1 ||
		plan->queries > PATH_QUERIES_MAX || plan->first_id < 1 ||
		plan->first_id > path_first_id_max(plan))
		return -EINVAL;
	path = calloc(1, sizeof(*path) + id_count(plan) * sizeof(path->shots[0]));
	if (!path)
		return -ENOMEM;
	path->plan = *plan;
	path->last = plan->max_ttl;
	path->opened = opened_at_first(plan);
	path->narrow = plan->narrow;
	*out = path;
	return 0;
}

void path_free(struct path *path)
{
	if (path)
		free(path->rows);
	free(path);
}

/* Second attempts have higher ids than all first ones: to a TCP that has just taken a SYN
 * whose TTL was larger, a lower sequence number would be an old duplicate, and without an
 * answer. */
static unsigned shot_number(const struct path *path, unsigned ttl, unsigned attempt)
{
	return attempt * path->plan.max_ttl + ttl - 1;
}

static struct shot *shot_at(struct path *path, unsigned ttl, unsigned attempt)
{
	return &path->shots[shot_number(path, ttl, attempt)];
}

static uint16_t id_of(const struct path *path, unsigned ttl, unsigned attempt)
{
	return (uint16_t)(path->plan.first_id + shot_number(path, ttl, attempt));
}

static bool has_ended(const struct path *path)
{
	return path->reached || path->refused;
}

static bool wants_probe(const struct path *path, const struct hop *hop)
{
	if (hop->waiting)
		return false;
	return hop->sent < (hop->answered ? path->plan.queries : SILENT_ATTEMPTS);
}

static void take_shot(
	struct path *path, unsigned ttl, struct tick now, struct path_probe *probe)
{
	struct hop *hop = &path->hops[ttl];

	probe->ttl = (uint8_t)ttl;
	probe->id = id_of(path, ttl, hop->sent);
	shot_at(path, ttl, hop->sent)->sent = now;
	hop->sent++;
	hop->waiting = true;
}

/* One at a time, every hop once before any is asked again: where the path ends teaches
 * how long silence is to be waited for. */
static unsigned next_narrow(const struct path *path, const struct ttl_gate *gate)
{
	unsigned best = 0;

	for (unsigned ttl = 1; ttl <= path->last && ttl <= path->opened; ttl++) {
		const struct hop *hop = &path->hops[ttl];

		if (hop->waiting)
			return 0;
		if (wants_probe(path, hop) &&
			(!best || hop->sent < path->hops[best].sent) &&
			ttl_gate_is_open(gate, ttl))
			best = ttl;
	}
	return best;
}

static unsigned next_wide(const struct path *path, const struct ttl_gate *gate)
{
	for (unsigned ttl = 1; ttl <= path->last && ttl <= path->opened; ttl++)
		if (wants_probe(path, &path->hops[ttl]) && ttl_gate_is_open(gate, ttl))
			return ttl;
	return 0;
}

bool path_next(struct path *path, struct tick now, const struct ttl_gate *gate,
	struct path_probe *probe)
{
	unsigned ttl = path->narrow ? next_narrow(path, gate) : next_wide(path, gate);

	if (ttl)
		take_shot(path, ttl, now, probe);
	return ttl != 0;
}

static unsigned ttl_at(const struct path *path, unsigned place)
{
	return place % path->plan.max_ttl + 1;
}

/* The TTL of an id, 0 when no such probe was sent; its shot. */
static unsigned find_shot(struct path *path, uint16_t id, struct shot **shot)
{
	unsigned place = (unsigned)id - path->plan.first_id; /* wraps when it is below */
	unsigned ttl = ttl_at(path, place);

	if (place >= id_count(&path->plan) ||
		place / path->plan.max_ttl >= path->hops[ttl].sent)
		return 0;
	*shot = &path->shots[place];
	return ttl;
}

void path_note_sent(struct path *path, uint16_t id, struct tick at)
{
	struct shot *shot;

	if (find_shot(path, id, &shot) && !shot->answered)
		shot->sent = at;
}

void path_abandon(struct path *path, uint16_t id)
{
	struct shot *shot;
	unsigned ttl = find_shot(path, id, &shot);

	if (ttl)
		path->hops[ttl].waiting = false;
}

static struct path_row *add_row(struct path *path)
{
	unsigned room = path->row_room ? path->row_room * 2 : ROWS_AT_FIRST;
	struct path_row *rows;

	if (path->row_count == PATH_ROWS_MAX)
		return NULL;
	if (path->row_count == path->row_room) {
		rows = reallocarray(path->rows, room, sizeof(*rows));
		if (!rows)
			return NULL;
		path->rows = rows;
		path->row_room = room;
	}
	return &path->rows[path->row_count++];
}

static struct path_row *row_of(
	struct path *path, unsigned ttl, const struct address *address)
{
	struct path_row *row;

	for (unsigned i = 0; i < path->row_count; i++)
		if (path->rows[i].ttl == ttl &&
			address_equal(&path->rows[i].address, address))
			return &path->rows[i];
	row = add_row(path);
	if (row)
		*row = (struct path_row){.ttl = (uint8_t)ttl,
			.address = *address,
			.rtt_us = NEVER_US,
			.quoted_ttl = 1};
	return row;
}

static void fill_remarks(struct path_row *row, const struct reply_packet *reply)
{
	row->reply_ttl = reply->ttl;
	row->why = reply->why;
	if (reply->quoted_from.family && reply->kind == REPLY_EXPIRED)
		row->quoted_ttl = reply->quoted_ttl;
	row->quoted_tos = reply->quoted_tos;
	row->mpls_count = reply->mpls_count;
	for (unsigned i = 0; i < reply->mpls_count; i++)
		row->mpls[i] = reply->mpls[i];
}

static void fill_row(
	struct path *path, unsigned ttl, const struct reply_packet *reply, int64_t rtt_us)
{
	struct path_row *row = row_of(path, ttl, &reply->from);

	if (!row) {
		path->dropped++;
		return;
	}
	row->answered++;
	if (rtt_us < row->rtt_us)
		row->rtt_us = rtt_us;
	row->translated |= reply->translated;
	fill_remarks(row, reply);
}

/* Where the probe went no further; what lies behind is the same again. The lowest TTL
 * that arrived counts, and an arrival more than a refusal at the same one. */
static void note_end(struct path *path, unsigned ttl, enum reply_kind kind)
{
	if (kind == REPLY_EXPIRED || ttl > path->last)
		return;
	if (ttl < path->last || !has_ended(path)) {
		path->last = ttl;
		path->reached = path->refused = false;
	}
	if (kind == REPLY_ARRIVED)
		path->reached = true;
	else
		path->refused = true;
}

/* The path goes on where the destination was thought to be, or nobody says. */
static void open_further(struct path *path)
{
	const struct hop *hop = &path->hops[path->opened];

	if (!has_ended(path) && hop->sent && !hop->waiting)
		path->opened = path->plan.max_ttl;
}

enum path_match path_take_reply(
	struct path *path, uint16_t id, const struct reply_packet *reply, struct tick at)
{
	struct shot *shot;
	unsigned ttl = find_shot(path, id, &shot);
	int64_t rtt_us;

	if (!ttl || reply->kind == REPLY_TOO_BIG)
		return PATH_STRANGE;
	if (shot->answered)
		return PATH_DUPLICATE;
	rtt_us = tick_since_us(at, shot->sent);
	if (rtt_us < 0)
		rtt_us = 0;
	shot->answered = true;
	shot->unclear = false;
	path->hops[ttl].answered++;
	if (shot == shot_at(path, ttl, path->hops[ttl].sent - 1u))
		path->hops[ttl].waiting = false;
	fill_row(path, ttl, reply, rtt_us);
	note_end(path, ttl, reply->kind);
	if (ttl <= path->last && rtt_us > path->longest_us)
		path->longest_us = rtt_us;
	if (ttl > path->farthest)
		path->farthest = ttl;
	open_further(path);
	return PATH_COUNTED;
}

/* Something was answered, and it cannot be told what: none of those in flight will count
 * as lost. From now on one is in flight at a time. */
static void become_narrow(struct path *path)
{
	path->narrow = true;
	for (unsigned ttl = 1; ttl <= path->plan.max_ttl; ttl++)
		if (path->hops[ttl].waiting)
			shot_at(path, ttl, path->hops[ttl].sent - 1u)->unclear = true;
}

enum path_match path_take_unnumbered(
	struct path *path, const struct reply_packet *reply, struct tick at)
{
	unsigned awaited = 0, count = 0;

	for (unsigned ttl = 1; ttl <= path->last; ttl++)
		if (path->hops[ttl].waiting) {
			awaited = ttl;
			count++;
		}
	if (count != 1) {
		become_narrow(path);
		return PATH_STRANGE;
	}
	return path_take_reply(
		path, id_of(path, awaited, path->hops[awaited].sent - 1u), reply, at);
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t path_patience_us(const struct path *path)
{
	int64_t taught_us = WAIT_TIMES * path->longest_us + WAIT_MORE_US;

	return taught_us < PATIENCE_US ? taught_us : PATIENCE_US;
}

/* Nothing at this TTL or farther has answered. */
static int64_t give_up_far_us(
	const struct path *path, bool again, int64_t first_us, int64_t last_us)
{
	int64_t could_us =
		most(FAR_TIMES * path->longest_us + RETRY_MORE_US, FAR_LEAST_US);

	if (again || path->narrow)
		return last_us + could_us;
	return most(first_us + PATIENCE_US, last_us + could_us);
}

static int64_t sent_us(const struct path *path, unsigned ttl, unsigned attempt)
{
	return path->shots[shot_number(path, ttl, attempt)].sent.us;
}

static int64_t give_up_us(const struct path *path, unsigned ttl)
{
	const struct hop *hop = &path->hops[ttl];
	int64_t first_us = sent_us(path, ttl, 0);
	int64_t last_us = sent_us(path, ttl, hop->sent - 1u);
	bool again = hop->answered == 0 && hop->sent < SILENT_ATTEMPTS;

	if (!has_ended(path) && ttl > path->farthest)
		return give_up_far_us(path, again, first_us, last_us);
	if (hop->answered)
		return last_us + path_patience_us(path);
	if (again)
		return last_us + path->longest_us + RETRY_MORE_US;
	return most(first_us + path_patience_us(path),
		last_us + path->longest_us + WAIT_MORE_US);
}

struct tick path_deadline(const struct path *path)
{
	struct tick deadline = {NEVER_US};

	for (unsigned ttl = 1; ttl <= path->last; ttl++)
		if (path->hops[ttl].waiting && give_up_us(path, ttl) < deadline.us)
			deadline.us = give_up_us(path, ttl);
	return deadline;
}

void path_expire(struct path *path, struct tick now)
{
	for (unsigned ttl = 1; ttl <= path->last; ttl++)
		if (path->hops[ttl].waiting && give_up_us(path, ttl) <= now.us)
			path->hops[ttl].waiting = false;
	open_further(path);
}

bool path_is_done(const struct path *path)
{
	for (unsigned ttl = 1; ttl <= path->last; ttl++)
		if (path->hops[ttl].waiting || wants_probe(path, &path->hops[ttl]))
			return false;
	return true;
}

bool path_is_reached(const struct path *path)
{
	return path->reached;
}

unsigned path_length(const struct path *path)
{
	return path->last;
}

static uint8_t counted_as_sent(const struct path *path, unsigned ttl)
{
	uint8_t count = path->hops[ttl].sent;

	for (unsigned i = 0; i < path->hops[ttl].sent; i++)
		if (path->shots[shot_number(path, ttl, i)].unclear)
			count--;
	return count;
}

static unsigned copy_rows(const struct path *path, unsigned ttl, struct path_row *into)
{
	unsigned count = 0;

	for (unsigned i = 0; i < path->row_count; i++)
		if (path->rows[i].ttl == ttl) {
			into[count] = path->rows[i];
			into[count++].sent = counted_as_sent(path, ttl);
		}
	return count;
}

unsigned path_rows(const struct path *path, struct path_row rows[static PATH_ROWS_MAX])
{
	unsigned count = 0;

	for (unsigned ttl = 1; ttl <= path->last; ttl++) {
		unsigned more =
			path->hops[ttl].answered ? copy_rows(path, ttl, &rows[count]) : 0;

		if (more == 0)
			rows[count++] = (struct path_row){
				.ttl = (uint8_t)ttl, .sent = counted_as_sent(path, ttl)};
		count += more;
	}
	return count;
}

uint8_t path_ttl_of(const struct path *path, uint16_t id)
{
	unsigned place = (unsigned)id - path->plan.first_id; /* wraps when it is below */

	return place < id_count(&path->plan) ? (uint8_t)ttl_at(path, place) : 0;
}

unsigned path_dropped(const struct path *path)
{
	return path->dropped;
}

uint16_t path_spare_id(const struct path *path, unsigned number)
{
	return (uint16_t)(path->plan.first_id + id_count(&path->plan) + number);
}
