/*
 * What HTTP/2's frames look like by nothing but the length of the record that holds them,
 * without what encryption adds. Control frames are short and of few lengths; a request
 * may have one of these too, which is for others to find out. Pure. Source: RFC 9113
 * §3.4, §4.1, §6.
 */
#ifndef PROTOCOL_H2_LENGTHS_H
#define PROTOCOL_H2_LENGTHS_H

#include <stdbool.h>

/* A head of nine bytes and what stands behind it. */
#define H2_LENGTHS_FRAME 9
#define H2_LENGTHS_WINDOW_UPDATE (H2_LENGTHS_FRAME + 4)
#define H2_LENGTHS_PING (H2_LENGTHS_FRAME + 8)
#define H2_LENGTHS_PRIORITY \
	(H2_LENGTHS_FRAME + 5) /* browsers order what they asked for */

/* HEADERS hold at least five indexed fields: method, scheme, authority, path, agent. That
 * is as long as a priority: which of them it is, answers tell. */
#define H2_LENGTHS_REQUEST_MIN (H2_LENGTHS_FRAME + 5)

/* Preface, two settings and a window update, as nghttp2's clients begin. */
#define H2_LENGTHS_OPENING (24 + H2_LENGTHS_FRAME + 2 * 6 + H2_LENGTHS_WINDOW_UPDATE)

/* Whether it may be a client's first, with nothing behind the settings; a server's
 * settings, with so many windows more updated behind them; a client's acknowledgement of
 * them. */
bool h2_lengths_is_preface(int content);
bool h2_lengths_is_settings(int content, int windows_max);
bool h2_lengths_is_acknowledgement(int content);
/* So many window updates at most: one for each body that is being sent. */
bool h2_lengths_is_windows(int content, int windows_max);
/* Window updates and resets, a few of them together, a priority, and a ping. */
bool h2_lengths_is_control(int content);

#endif
