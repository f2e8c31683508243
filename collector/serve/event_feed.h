/*
 * Server-sent events: everybody who listens is told of changes as they happen. Bounded;
 * who finds no place is told to come again.
 */
#ifndef ASTRAY_EVENT_FEED_H
#define ASTRAY_EVENT_FEED_H

#include <stddef.h>

struct event_feed;
struct http_exchange;

int event_feed_new(struct event_feed **out);
/* Ends what is open; call it before the server is closed. NULL is fine. */
void event_feed_free(struct event_feed *feed);
void event_feed_join(struct event_feed *feed, struct http_exchange *exchange);
/* data is one line, without its newline. */
void event_feed_say(
	struct event_feed *feed, const char *event, const char *data, size_t len);
size_t event_feed_listeners(const struct event_feed *feed);

#endif
