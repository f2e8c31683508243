/*
 * How far a misspelt word is from a known one, for messages that say "did you mean …?".
 */
#ifndef ASTRAY_NEAREST_H
#define ASTRAY_NEAREST_H

#include <stddef.h>

#define NEAREST_NONE 100u /* too far to be meant */

/* Edits (insert, delete, replace, swap of neighbours) from word to known; NEAREST_NONE
 * when more than a third of the longer one would have to change, or either is over 63
 * bytes. */
unsigned nearest_distance(const char *known, const char *word, size_t word_len);

#endif
