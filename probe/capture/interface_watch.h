/*
 * Tells which network interfaces there are, and from then on which come, go, or change.
 */
#ifndef CAPTURE_INTERFACE_WATCH_H
#define CAPTURE_INTERFACE_WATCH_H

#include "astray/fault.h"
#include "link_message.h"

struct uv_loop_s;
struct interface_watch;

/* `each` is called for every interface before it returns, and later from the loop; the
 * same news may come more than once. */
int interface_watch_open(struct interface_watch **out, struct uv_loop_s *loop,
	link_message_fn each, void *arg, struct fault *fault);
/* Asks for all of them again; the answers come from the loop. */
void interface_watch_look(struct interface_watch *watch);
/* `closed` is called from the loop once nothing is left. */
void interface_watch_close(
	struct interface_watch *watch, void (*closed)(void *arg), void *arg);

#endif
