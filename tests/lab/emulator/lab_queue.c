#include "lab_queue.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

struct lab_queue {
	size_t count;
	uint64_t turns;
	struct lab_due heap[LAB_QUEUE_MAX];
};

struct lab_queue *lab_queue_new(void)
{
	return calloc(1, sizeof(struct lab_queue));
}

void lab_queue_free(struct lab_queue *queue)
{
	if (!queue)
		return;
	for (size_t i = 0; i < queue->count; i++)
		free(queue->heap[i].bytes);
	free(queue);
}

static bool before(const struct lab_due *a, const struct lab_due *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->turn < b->turn;
}

int lab_queue_add(
	struct lab_queue *queue, int64_t due_us, int to, const uint8_t *bytes, size_t len)
{
	struct lab_due due = {
		.due_us = due_us, .turn = queue->turns, .to = to, .len = len};
	size_t at = queue->count;

	if (at == LAB_QUEUE_MAX)
		return STATUS_LIMIT;
	due.bytes = malloc(len);
	if (!due.bytes)
		return -ENOMEM;
	memcpy(due.bytes, bytes, len);
	queue->turns++;
	queue->count++;
	for (; at && before(&due, &queue->heap[(at - 1) / 2]); at = (at - 1) / 2)
		queue->heap[at] = queue->heap[(at - 1) / 2];
	queue->heap[at] = due;
	return 0;
}

int64_t lab_queue_next_us(const struct lab_queue *queue)
{
	return queue->count ? queue->heap[0].due_us : INT64_MAX;
}

struct lab_due lab_queue_take(struct lab_queue *queue)
{
	struct lab_due first = queue->heap[0], last = queue->heap[--queue->count];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= queue->count)
			break;
		if (child + 1 < queue->count &&
			before(&queue->heap[child + 1], &queue->heap[child]))
			child++;
		if (!before(&queue->heap[child], &last))
			break;
		queue->heap[at] = queue->heap[child];
		at = child;
	}
	queue->heap[at] = last;
	return first;
}
