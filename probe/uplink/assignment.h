/*
 * What the collector wants a probe of this role to watch: asked for at once, and then
 * every minute, by ETag, so that an unchanged answer costs nothing. The text is handed on
 * as it came: whoever receives it checks it.
 */
#ifndef ASTRAY_ASSIGNMENT_H
#define ASTRAY_ASSIGNMENT_H

#include <stddef.h>

#include "astray/log.h"
#include "astray/obs.h"
#include "collector_access.h"

#define ASSIGNMENT_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct uv_loop_s;
struct assignment;

/* Called with each text that is another than the last; valid during the call. */
typedef void (*assignment_changed_fn)(void *arg, const char *text, size_t len);

/* Borrows loop, log and fetch until it is closed; copies the access. */
int assignment_open(struct assignment **out, struct uv_loop_s *loop,
	const struct log *log, struct fetch *fetch, const struct collector_access *access,
	enum obs_role role, assignment_changed_fn changed, void *arg);
/* `closed` is called from the loop once nothing is left. */
void assignment_close(
	struct assignment *assignment, void (*closed)(void *arg), void *arg);

void assignment_configure(struct assignment *assignment,
	const struct collector_access *access, enum obs_role role);
/* Asks now, at the start and whenever the network changed. */
void assignment_ask(struct assignment *assignment);

#endif
