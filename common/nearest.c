#include "nearest.h"

#include <string.h>

#define WORD_MAX 63u

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: three rows of the edit matrix are enough. */
static unsigned distance(const char *a, unsigned a_len, const char *b, unsigned b_len)
{
	unsigned rows[3][WORD_MAX + 1];

	for (unsigned j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		const unsigned *before = rows[(i + 1) % 3], *above = rows[(i - 1) % 3];
		unsigned *row = rows[i % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			unsigned replace = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = least(replace, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

unsigned nearest_distance(const char *known, const char *word, size_t word_len)
{
	size_t known_len = strlen(known);
	size_t longer = known_len > word_len ? known_len : word_len;
	unsigned edits;

	if (longer > WORD_MAX || word_len == 0)
		return NEAREST_NONE;
	edits = distance(known, (unsigned)known_len, word, (unsigned)word_len);
	return edits * 3 <= longer + 1 ? edits : NEAREST_NONE;
}
