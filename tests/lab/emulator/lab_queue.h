/*
 * Packets that are under way, in the order in which they are due; those due at the same
 * moment leave in the order they came. Holds at most LAB_QUEUE_MAX and refuses more.
 */
#ifndef LAB_QUEUE_H
#define LAB_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#define LAB_QUEUE_MAX 131072

struct lab_queue;

struct lab_due {
	int64_t due_us;
	uint64_t turn;
	int to;
	size_t len;
	uint8_t *bytes; /* owned by who took it: free() */
};

struct lab_queue *lab_queue_new(void);
void lab_queue_free(struct lab_queue *queue);
/* Copies the bytes; negative when there is no room. */
int lab_queue_add(struct lab_queue *queue, int64_t due_us, int to, const uint8_t *bytes,
	size_t len);
/* When the first one is due, or INT64_MAX. */
int64_t lab_queue_next_us(const struct lab_queue *queue);
struct lab_due lab_queue_take(struct lab_queue *queue);

#endif
