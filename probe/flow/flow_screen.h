/*
 * A terminal that a view is shown on, over and over in the same place. It is put back as
 * it was when it is closed, and while the program is stopped (^Z).
 */
#ifndef FLOW_FLOW_SCREEN_H
#define FLOW_FLOW_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct uv_loop_s;
struct flow_screen;

/* Whether standard output is a terminal that can be written over. */
bool flow_screen_is_possible(void);

/* `key` is called from the loop for each one pressed, and with 0 when the view has to be
 * shown anew. */
int flow_screen_open(struct flow_screen **out, struct uv_loop_s *loop,
	void (*key)(void *arg, char key), void *arg);
/* The loop must run on until its handles are closed. */
void flow_screen_close(struct flow_screen *screen);

void flow_screen_size(unsigned *columns, unsigned *rows);
/* Lines, each ended; those beyond the screen's width are cut. */
void flow_screen_show(const char *text);

#endif
