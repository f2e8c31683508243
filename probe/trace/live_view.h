/*
 * A terminal that is drawn on and typed at, on a libuv loop. It is as it was before once
 * this is closed, and while the program is stopped by Ctrl-Z.
 */
#ifndef TRACE_LIVE_VIEW_H
#define TRACE_LIVE_VIEW_H

#include "live_screen.h"

struct uv_loop_s;
struct live_view;

enum live_view_key { LIVE_VIEW_UP = 256, LIVE_VIEW_DOWN, LIVE_VIEW_REDRAW };

/* pressed: a character, or one of the above. Standard output is a terminal; without one
 * at standard input, nothing can be typed. */
int live_view_open(struct live_view **out, struct uv_loop_s *loop,
	void (*pressed)(void *arg, int key), void *arg);
/* NULL is fine. */
void live_view_close(struct live_view *view);

/* In place of what was shown; rows and columns are set to what there is. */
void live_view_show(struct live_view *view, const struct live_screen *screen);

#endif
