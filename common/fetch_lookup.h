/*
 * The addresses of a name, asked of the system's resolver by libuv's threads. They come
 * sorted and without those that this machine has no route to; when it has none to any,
 * all of them.
 */
#ifndef COMMON_FETCH_LOOKUP_H
#define COMMON_FETCH_LOOKUP_H

#include "astray/address.h"

struct uv_loop_s;
struct fetch_lookup;

#define FETCH_LOOKUP_MAX 64

typedef void (*fetch_lookup_fn)(
	void *arg, int rc, const struct address *list, unsigned count);

/* *out is valid until done is called, which is never before this returns. */
int fetch_lookup_start(struct fetch_lookup **out, struct uv_loop_s *loop,
	const char *host, fetch_lookup_fn done, void *arg);
/* Nobody waits any more: done is not called. A question that is under way ends by itself
 * later. */
void fetch_lookup_cancel(struct fetch_lookup *lookup); /* NULL is fine */

#endif
