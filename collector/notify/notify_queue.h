/*
 * What is to be told, on disk: messages stay until they are told (or, where a kind
 * repeats, until the incident has ended), and survive a kill or a power cut. It also
 * knows which changes were heard already: after a restart the pipeline is fed its history
 * again, and nobody is told twice.
 *
 * Changes come in the order of their rx. Calls block for the disk.
 */
#ifndef NOTIFY_NOTIFY_QUEUE_H
#define NOTIFY_NOTIFY_QUEUE_H

#include "astray/fault.h"
#include "incident.h"

struct notify_queue;

struct notify_queue_row {
	int64_t id; /* 0: not on disk */
	const char *target, *incident;
	int64_t change_number;
	bool resolves; /* the last of its incident */
	bool told;     /* and kept to be said again */
	const char *body;
	size_t body_len;
};

typedef int (*notify_queue_fn)(void *arg, const struct notify_queue_row *row);

/* `now`: in a new file, what came before it is history that nobody is told. */
int notify_queue_open(struct notify_queue **out, const char *file, struct moment now,
	struct fault *fault);
void notify_queue_close(struct notify_queue *queue); /* NULL is fine */
/* Every row, oldest first. Ends at the first negative result, and returns it. */
int notify_queue_load(struct notify_queue *queue, notify_queue_fn each, void *arg);

/* Begins to take in one change: 1: it is new; 0: it was heard before (then nothing has
 * begun); negative: the disk failed. After 1, messages are added and all become durable
 * by commit. */
int notify_queue_hear(struct notify_queue *queue, const struct incident *incident);
int notify_queue_add(
	struct notify_queue *queue, struct notify_queue_row *row); /* sets its id */
int notify_queue_commit(struct notify_queue *queue);
void notify_queue_rollback(struct notify_queue *queue);

int notify_queue_mark_told(struct notify_queue *queue, int64_t id);
int notify_queue_remove(struct notify_queue *queue, int64_t id);

#endif
