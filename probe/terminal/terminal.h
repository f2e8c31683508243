/*
 * Standard output as a terminal that a view is shown on, over and over in the same place,
 * and typed at, on a libuv loop. It is as it was before once this is closed, and while
 * the program is stopped by Ctrl-Z.
 */
#ifndef TERMINAL_TERMINAL_H
#define TERMINAL_TERMINAL_H

#include <stdbool.h>

struct uv_loop_s;
struct terminal;

enum terminal_key { TERMINAL_UP = 256, TERMINAL_DOWN, TERMINAL_REDRAW };

/* Whether standard output is a terminal that can be written over. */
bool terminal_can_draw(void);

/* pressed: a character, or one of the above. Without a terminal at standard input,
 * nothing can be typed. */
int terminal_open(struct terminal **out, struct uv_loop_s *loop,
	void (*pressed)(void *arg, int key), void *arg);
/* NULL is fine. The loop must run on until its handles are closed. */
void terminal_close(struct terminal *terminal);

/* The usual ones where it does not say. */
void terminal_size(unsigned *columns, unsigned *rows);
/* Lines, each ended, in place of what was shown; those beyond the width are cut. */
void terminal_show(const char *text);

#endif
