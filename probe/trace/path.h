/*
 * One trace of one flow towards one destination: which probe to send next, what a reply
 * means, and when it is over. Pure: it is given packets' meanings and times, and gives
 * back TTLs and ids.
 *
 * All TTLs are in flight at once, ascending. Each hop is asked anew once its last probe
 * was answered or given up, until it has had `queries`; a hop that stays silent is asked
 * twice. Where something farther has answered, silence is waited for as the answers so
 * far teach; beyond that with patience, since the slow stretch may still be to come.
 *
 * A narrow path has one probe in flight at a time: for sockets that cannot tell whose
 * answer came.
 */
#ifndef TRACE_PATH_H
#define TRACE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"
#include "reply_packet.h"
#include "ttl_gate.h"

#define PATH_TTL_MAX 64
#define PATH_QUERIES_MAX 10
#define PATH_ROWS_MAX (PATH_TTL_MAX + 16)

struct path;

struct path_plan {
	unsigned max_ttl;  /* 1..PATH_TTL_MAX */
	unsigned queries;  /* 1..PATH_QUERIES_MAX */
	uint16_t first_id; /* at most path_first_id_max of the plan */
	/* Where the destination was last time, 0 when nobody knows: probes go little
	 * further at first. What lies behind only costs it answers, of which it may give
	 * few. */
	unsigned likely_length;
	bool narrow;
	unsigned spare_ids; /* kept free behind its own, for the caller's use */
};

struct path_probe {
	uint8_t ttl;
	uint16_t id;
};

/* What came from one address at one TTL. */
struct path_row {
	int64_t rtt_us;         /* the least */
	struct address address; /* family 0: nobody answered at this TTL */
	uint8_t ttl;
	uint8_t sent; /* at this TTL, whoever answered */
	uint8_t answered;
	bool translated;
	enum obs_unreachable why;
	uint8_t reply_ttl, quoted_ttl, quoted_tos; /* 0, 1, 0: nothing of note */
	unsigned mpls_count;
	struct obs_mpls mpls[OBS_MPLS];
};

enum path_match {
	PATH_COUNTED,
	PATH_DUPLICATE, /* that probe had its answer */
	PATH_STRANGE,   /* that probe was never sent */
};

/* The highest first id with which all ids are neither 0 nor 0xffff. */
uint16_t path_first_id_max(const struct path_plan *plan);

int path_new(struct path **out, const struct path_plan *plan);
void path_free(struct path *path); /* NULL is fine */

/* The next probe to send now, noted as sent; false when there is none at this time, or
 * none that the gate lets through. */
bool path_next(struct path *path, struct tick now, const struct ttl_gate *gate,
	struct path_probe *probe);
/* The moment at which it really left, where that became known later. */
void path_note_sent(struct path *path, uint16_t id, struct tick at);
enum path_match path_take_reply(
	struct path *path, uint16_t id, const struct reply_packet *reply, struct tick at);
/* A reply that does not say to which probe: it counts when only one is in flight;
 * otherwise the path becomes narrow. */
enum path_match path_take_unnumbered(
	struct path *path, const struct reply_packet *reply, struct tick at);
/* The TTL that belongs to an id, 0 when it is none of this path. */
uint8_t path_ttl_of(const struct path *path, uint16_t id);
/* The probe could not be sent, and will not be again. */
void path_abandon(struct path *path, uint16_t id);

/* When path_expire should be called; far in the future when nothing is awaited. */
struct tick path_deadline(const struct path *path);
/* Gives up probes whose time is over; their answers still count until the end. */
void path_expire(struct path *path, struct tick now);
bool path_is_done(const struct path *path);

bool path_is_reached(const struct path *path);
/* The TTL at which it ended, or the highest that was asked. */
unsigned path_length(const struct path *path);
/* How long an answer from its end should be waited for, as it looks now. */
int64_t path_patience_us(const struct path *path);
uint16_t path_spare_id(const struct path *path, unsigned number);
/* What was found, by ascending TTL, at most PATH_ROWS_MAX rows; a TTL that two addresses
 * answered at has two, a silent one has one. Returns how many. */
unsigned path_rows(const struct path *path, struct path_row rows[static PATH_ROWS_MAX]);
/* Answers from further addresses than there were rows for. */
unsigned path_dropped(const struct path *path);

#endif
