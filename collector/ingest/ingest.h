/*
 * Where probes come in: POST /v1/observations and GET /v1/assignment. A batch is checked
 * and decoded whole, journalled, acknowledged once it is durable, and only then fed on,
 * in the journal's order, in slices that leave the loop's other work its turn. Nothing
 * here judges.
 */
#ifndef ASTRAY_INGEST_H
#define ASTRAY_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assigned.h"
#include "astray/log.h"
#include "astray/wire.h"
#include "http_server.h"
#include "journal.h"
#include "secret.h"

struct uv_loop_s;
struct ingest;

struct ingest_token {
	char probe[OBS_WORD];
	struct secret secret;
};

/* Borrowed for as long as they are in force. */
struct ingest_rules {
	const struct ingest_token *tokens;
	size_t token_count;
	const char (*refused)[OBS_WORD]; /* probes that are let in no more, whatever they
					    show */
	size_t refused_count;
	const struct assigned *assigned;
	int64_t quota_bytes_per_minute; /* of one probe, expanded; 0: none */
};

struct ingest_counters {
	uint64_t batches, observations, duplicates;
	uint64_t refused_batches; /* 400, 403, 413: not what the contract says */
	uint64_t unauthorized;    /* 401, 403 */
	uint64_t put_off;         /* 429, 503: to be sent again */
	uint64_t received_bytes, expanded_bytes;
	uint64_t waiting_observations; /* durable and acknowledged, not yet fed */
	uint64_t waiting_bytes, probes;
};

typedef void (*ingest_sink_fn)(
	void *arg, const struct wire_origin *origin, const struct obs *obs);

int ingest_open(struct ingest **out, struct uv_loop_s *loop, struct journal *journal,
	const struct ingest_rules *rules, const struct log *log, ingest_sink_fn sink,
	void *arg);
/* Feeds what is durable, then frees. Once the server and the journal have been closed. */
void ingest_close(struct ingest *ingest, void (*closed)(void *arg), void *arg);
void ingest_set_rules(struct ingest *ingest, const struct ingest_rules *rules);
void ingest_read_counters(const struct ingest *ingest, struct ingest_counters *out);

/* The handler of the probes' server; arg is the ingest. */
void ingest_handle(void *arg, struct http_exchange *exchange);

/* What an operator says (maintenance, acknowledge): one wire line, journalled and fed as
 * any batch. Negative with the fault filled when it is no such line; else `done` is
 * called, when it is fed. */
typedef void (*ingest_said_fn)(void *arg, int rc);
int ingest_say(struct ingest *ingest, const char *line, size_t len, ingest_said_fn done,
	void *arg, struct fault *fault);

/* Tells what a probe is, at the start. */
void ingest_learn(struct ingest *ingest, const char *probe, enum obs_role role);
/* Everything with an rx before this has been fed; the journal's present when nothing
 * waits. */
struct moment ingest_settled(const struct ingest *ingest);

#endif
