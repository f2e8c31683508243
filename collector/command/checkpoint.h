/*
 * Snapshots of the judgement: taken on the loop, written from a thread of its pool while
 * the loop goes on, and read at the start. One write at a time; of those that come
 * meanwhile the newest is written next.
 */
#ifndef ASTRAY_CHECKPOINT_H
#define ASTRAY_CHECKPOINT_H

#include "astray/log.h"
#include "astray/moment.h"

struct pipeline;
struct uv_loop_s;
struct checkpoint;

int checkpoint_new(struct checkpoint **out, struct uv_loop_s *loop, const char *path,
	const struct log *log);
/* The pipeline as it is after the batch of that rx. What fails is logged. */
void checkpoint_take(
	struct checkpoint *checkpoint, struct pipeline *pipeline, struct moment position);

/* The newest of what else is on disk: a snapshot that knows more is of no use. */
struct checkpoint_bounds {
	struct moment journal, store;
};

/* Reads the last snapshot into a new pipeline: 0 and the rx behind which the journal goes
 * on; -ENOENT: there is none. Any other failure is logged, the snapshot is set aside, and
 * the pipeline is of no use any more. */
int checkpoint_read(struct checkpoint *checkpoint, struct pipeline *pipeline,
	const struct checkpoint_bounds *bounds, struct moment *position);
/* Frees once what there is to write is written; NULL is fine. */
void checkpoint_close(struct checkpoint *checkpoint);

#endif
