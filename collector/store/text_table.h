/*
 * Texts to numbers: a hash table with a limit. Texts are copied. The hash is seeded at
 * random, so that nobody outside can choose texts that meet in one slot.
 */
#ifndef ASTRAY_TEXT_TABLE_H
#define ASTRAY_TEXT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_table;

int text_table_new(struct text_table **out, size_t limit);
void text_table_free(struct text_table *table); /* NULL is fine */

bool text_table_find(const struct text_table *table, const char *text, int64_t *out);
/* Adds or replaces; STATUS_LIMIT when it is full. */
int text_table_put(struct text_table *table, const char *text, int64_t value);
void text_table_clear(struct text_table *table);
size_t text_table_count(const struct text_table *table);

#endif
