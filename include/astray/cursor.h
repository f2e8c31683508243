/*
 * Reads bytes that may be hostile. Reading past the end gives zero and sets short_read; a
 * parser checks once, at its end. No function here reads outside what it was given.
 */
#ifndef ASTRAY_CURSOR_H
#define ASTRAY_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool short_read;
};

static inline struct cursor cursor_over(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	return (struct cursor){.at = at, .end = len ? at + len : at, .short_read = false};
}

static inline size_t cursor_left(const struct cursor *cur)
{
	return (size_t)(cur->end - cur->at);
}

/* The next len bytes, or NULL (and short_read) when there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *cur, size_t len)
{
	const uint8_t *here = cur->at;

	if (cur->short_read || cursor_left(cur) < len) {
		cur->short_read = true;
		cur->at = cur->end;
		return NULL;
	}
	cur->at += len;
	return here;
}

static inline void cursor_skip(struct cursor *cur, size_t len)
{
	(void)cursor_take(cur, len);
}

static inline uint8_t cursor_take_u8(struct cursor *cur)
{
	const uint8_t *b = cursor_take(cur, 1);

	return b ? b[0] : 0;
}

static inline uint16_t cursor_take_u16(struct cursor *cur)
{
	const uint8_t *b = cursor_take(cur, 2);

	return (uint16_t)(b ? b[0] << 8 | b[1] : 0);
}

static inline uint32_t cursor_take_u24(struct cursor *cur)
{
	const uint8_t *b = cursor_take(cur, 3);

	return b ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t cursor_take_u32(struct cursor *cur)
{
	const uint8_t *b = cursor_take(cur, 4);

	return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
			       b[3]
		 : 0;
}

/* A cursor over the next len bytes (fewer where fewer are left, short_read set on both).
 */
static inline struct cursor cursor_take_sub(struct cursor *cur, size_t len)
{
	size_t have = cursor_left(cur);
	struct cursor sub = cursor_over(cur->at, have < len ? have : len);

	sub.short_read = have < len;
	cursor_skip(cur, len);
	return sub;
}

#endif
