#include "event_feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_server.h"

#define LISTENERS 128
#define GREETING "retry: 3000\n\n"

struct listener {
	struct event_feed *feed; /* NULL: the feed has gone, the stream has not yet */
	struct http_stream *stream;
	struct listener *next;
};

struct event_feed {
	size_t count;
	struct listener *first;
};

int event_feed_new(struct event_feed **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

/* The streams' ends are called back later, from the loop, and free their listeners then.
 */
void event_feed_free(struct event_feed *feed)
{
	if (!feed)
		return;
	for (struct listener *at = feed->first, *next; at; at = next) {
		next = at->next;
		at->feed = NULL;
		http_server_stream_end(at->stream);
	}
	free(feed);
}

static void listener_gone(void *arg)
{
	struct listener *listener = arg;

	if (listener->feed) {
		struct listener **at = &listener->feed->first;

		while (*at != listener)
			at = &(*at)->next;
		*at = listener->next;
		listener->feed->count--;
	}
	free(listener);
}

void event_feed_join(struct event_feed *feed, struct http_exchange *exchange)
{
	struct listener *listener = NULL;

	if (feed->count < LISTENERS)
		listener = calloc(1, sizeof(*listener));
	if (!listener) {
		http_server_refuse(exchange, 503, "too many listen already");
		return;
	}
	listener->stream = http_server_stream(
		exchange, "text/event-stream", listener_gone, listener);
	if (!listener->stream) {
		free(listener);
		return;
	}
	listener->feed = feed;
	listener->next = feed->first;
	feed->first = listener;
	feed->count++;
	http_server_stream_send(listener->stream, GREETING, strlen(GREETING));
}

void event_feed_say(
	struct event_feed *feed, const char *event, const char *data, size_t len)
{
	char *text;
	int size;

	if (!feed->first)
		return;
	size = asprintf(&text, "event: %s\ndata: %.*s\n\n", event, (int)len, data);
	if (size < 0)
		return;
	for (struct listener *at = feed->first, *next; at; at = next) {
		next = at->next;
		http_server_stream_send(at->stream, text, (size_t)size);
	}
	free(text);
}

size_t event_feed_listeners(const struct event_feed *feed)
{
	return feed->count;
}
