/*
 * The API of the web listener: everything under /api/v1/, and whether the collector is
 * there
 * (/-/healthy) and has caught up (/-/ready). Reading is open to whoever reaches the
 * listener. What changes something (acknowledging, announcing work) wants the token where
 * one is configured; in any case it wants JSON from the page's own origin, so that no
 * foreign page can send it.
 */
#ifndef ASTRAY_API_H
#define ASTRAY_API_H

#include <stdbool.h>
#include <stddef.h>

#include "astray/services.h"
#include "incident.h"
#include "learning.h"

struct api;
struct http_exchange;
struct secret;
struct store;

struct api_settings {
	struct store *store; /* borrowed, as all of these */
	const struct services *services;
	struct moment (*now)(void);
	const struct secret *token; /* NULL: none is asked for */
	learning_fn learning;       /* NULL: nobody knows */
	void *learning_arg;
	const char *url; /* under which people see the dashboard, or "" */
	const char *geo; /* whose places are shown ("IP Geolocation by DB-IP"), or "" */
	/* Takes what an operator says, as one wire line without its newline: journals it,
	 * feeds it on, then calls done from the loop. Negative at once: not taken, and
	 * done is not called. */
	int (*operate)(void *arg, const char *line, size_t len,
		void (*done)(void *done_arg, int rc), void *done_arg);
	void *operate_arg;
};

int api_new(struct api **out, const struct api_settings *settings);
/* Ends the event streams; call it before the server is closed. NULL is fine. */
void api_free(struct api *api);
/* False, and nothing is answered, when the path is none of the API's. */
bool api_handle(struct api *api, struct http_exchange *exchange);
/* The journal has been fed again after a start: ready from now on. */
void api_caught_up(struct api *api);

/* For who listens to /api/v1/events: "incident" at each change, "tick" once the store was
 * flushed. */
void api_changed(
	struct api *api, enum incident_change change, const struct incident *incident);
void api_tick(struct api *api);

#endif
