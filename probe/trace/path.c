#include "path.h"

#include <errno.h>
#include <stdlib.h>

/* A hop that answered neither of two probes is silent; that it loses packets shows in
 * hops that do answer. */
#define SILENT_ATTEMPTS 2
/* Beyond the slowest answer so far: routers answer late when they are busy. */
#define WAIT_TIMES 2
#define WAIT_MORE_US 30000
/* Longer than any round trip on Earth, geostationary satellites included. */
#define PATIENCE_US MOMENT_SECOND_US

/* Beyond the likely length, so that a slightly longer path takes no longer. */
#define SLACK 2

#define NEVER_US INT64_MAX

struct shot {
	struct tick sent;
	bool answered;
};

struct hop {
	uint8_t sent;
	uint8_t answered;
	bool waiting; /* for the last one sent */
};

struct path {
	struct path_plan plan;
	unsigned attempts; /* ids for each TTL */
	unsigned last;     /* the TTL at which it ends, as far as known */
	unsigned opened;   /* the highest that may be asked so far */
	bool reached, refused;
	int64_t longest_us; /* the slowest answer's round trip */
	unsigned row_count, dropped;
	struct path_row rows[PATH_ROWS_MAX];
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
	return (uint16_t)(UINT16_MAX - id_count(plan));
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
	path->attempts = attempts_of(plan);
	path->last = plan->max_ttl;
	path->opened = opened_at_first(plan);
	*out = path;
	return 0;
}

void path_free(struct path *path)
{
	free(path);
}

static struct shot *shot_at(struct path *path, unsigned ttl, unsigned attempt)
{
	return &path->shots[(ttl - 1) * path->attempts + attempt];
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

bool path_next(struct path *path, struct tick now, struct path_probe *probe)
{
	for (unsigned ttl = 1; ttl <= path->last && ttl <= path->opened; ttl++) {
		struct hop *hop = &path->hops[ttl];

		if (!wants_probe(path, hop))
			continue;
		probe->ttl = (uint8_t)ttl;
		probe->id = (uint16_t)(path->plan.first_id + (ttl - 1) * path->attempts +
				       hop->sent);
		shot_at(path, ttl, hop->sent)->sent = now;
		hop->sent++;
		hop->waiting = true;
		return true;
	}
	return false;
}

/* The TTL of an id, 0 when no such probe was sent; its shot. */
static unsigned find_shot(struct path *path, uint16_t id, struct shot **shot)
{
	unsigned place = (unsigned)id - path->plan.first_id; /* wraps when it is below */
	unsigned ttl = place / path->attempts + 1;

	if (place >= id_count(&path->plan) ||
		place % path->attempts >= path->hops[ttl].sent)
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

static struct path_row *row_of(
	struct path *path, unsigned ttl, const struct address *address)
{
	struct path_row *row;

	for (unsigned i = 0; i < path->row_count; i++)
		if (path->rows[i].ttl == ttl &&
			address_equal(&path->rows[i].address, address))
			return &path->rows[i];
	if (path->row_count == PATH_ROWS_MAX)
		return NULL;
	row = &path->rows[path->row_count++];
	row->ttl = (uint8_t)ttl;
	row->address = *address;
	row->rtt_us = NEVER_US;
	return row;
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
	row->mpls_count = reply->mpls_count;
	for (unsigned i = 0; i < reply->mpls_count; i++)
		row->mpls[i] = reply->mpls[i];
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

	if (!ttl)
		return PATH_STRANGE;
	if (shot->answered)
		return PATH_DUPLICATE;
	rtt_us = tick_since_us(at, shot->sent);
	if (rtt_us < 0)
		rtt_us = 0;
	shot->answered = true;
	path->hops[ttl].answered++;
	if (shot == shot_at(path, ttl, path->hops[ttl].sent - 1u))
		path->hops[ttl].waiting = false;
	fill_row(path, ttl, reply, rtt_us);
	note_end(path, ttl, reply->kind);
	if (ttl <= path->last && rtt_us > path->longest_us)
		path->longest_us = rtt_us;
	open_further(path);
	return PATH_COUNTED;
}

static int64_t patience_us(const struct path *path)
{
	int64_t taught_us = WAIT_TIMES * path->longest_us + WAIT_MORE_US;

	return has_ended(path) && taught_us < PATIENCE_US ? taught_us : PATIENCE_US;
}

static int64_t give_up_us(const struct path *path, unsigned ttl)
{
	unsigned shot = (ttl - 1) * path->attempts + path->hops[ttl].sent - 1u;

	return path->shots[shot].sent.us + patience_us(path);
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

static unsigned copy_rows(const struct path *path, unsigned ttl, struct path_row *into)
{
	unsigned count = 0;

	for (unsigned i = 0; i < path->row_count; i++)
		if (path->rows[i].ttl == ttl) {
			into[count] = path->rows[i];
			into[count++].sent = path->hops[ttl].sent;
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
				.ttl = (uint8_t)ttl, .sent = path->hops[ttl].sent};
		count += more;
	}
	return count;
}

unsigned path_dropped(const struct path *path)
{
	return path->dropped;
}
