#include "page.h"

#include <stdarg.h>
#include <stdio.h>

#define NAMES_SHOWN 8

struct page page_over(char *buf, size_t cap)
{
	buf[0] = '\0';
	return (struct page){buf, cap, 0};
}

void page_put(struct page *page, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(page->buf + page->used, page->cap - page->used, format, args);
	va_end(args);
	if (len > 0)
		page->used += (size_t)len;
	if (page->used >= page->cap)
		page->used = page->cap - 1;
}

void page_put_names(struct page *page, const char *names, size_t width, unsigned count)
{
	for (unsigned i = 0; i < count && i < NAMES_SHOWN; i++)
		page_put(page, "%s%s", i ? ", " : "", names + i * width);
	if (count > NAMES_SHOWN)
		page_put(page, " and %u more", count - NAMES_SHOWN);
}
