/*
 * A text that grows in a buffer of fixed size; what does not fit is cut off.
 */
#ifndef ASTRAY_PAGE_H
#define ASTRAY_PAGE_H

#include <stddef.h>

struct page {
	char *buf;
	size_t cap, used;
};

struct page page_over(char *buf, size_t cap);
void page_put(struct page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "a, b, c and 4 more": names of a fixed width, one behind the other. */
void page_put_names(struct page *page, const char *names, size_t width, unsigned count);

#endif
