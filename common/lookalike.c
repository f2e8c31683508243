#include "astray/lookalike.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "astray/provider_table.h"
#include "astray/suffix.h"

#define LABEL_ROOM 64
/* Shorter labels that are two edits apart are mostly unrelated. */
#define SHORT_LABEL 8
#define SHAPE_LETTERS 4
#define WORD_LETTERS 5
#define HOST_LETTERS 4

/* What is compared of a name. */
struct looks {
	char name[OBS_NAME];        /* lower case */
	char registrable[OBS_NAME]; /* the name itself where nobody can register it */
	char label[LABEL_ROOM];     /* the first of the registrable domain */
	char skeleton[LABEL_ROOM];
	char shape[LABEL_ROOM];
	char word[LABEL_ROOM]; /* the label's letters */
};

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t count_letters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += is_letter(*text);
	return count;
}

static void fold_case(char out[static OBS_NAME], const char *name)
{
	size_t len = strnlen(name, OBS_NAME - 1);

	for (size_t i = 0; i < len; i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a')
							  : name[i];
	out[len] = '\0';
}

static void take_first_label(char out[static LABEL_ROOM], const char *name)
{
	size_t len = strcspn(name, ".");

	if (len >= LABEL_ROOM)
		len = LABEL_ROOM - 1;
	memcpy(out, name, len);
	out[len] = '\0';
}

/* "061" and "61" are one number. */
static void drop_leading_zeros(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		bool begins = at == text || !is_digit(at[-1]);

		while (begins && at[0] == '0' && is_digit(at[1]))
			at++;
		*to++ = *at;
	}
	*to = '\0';
}

static char fold_char(char c)
{
	switch (c) {
	case '0':
		return 'o';
	case '1':
	case 'i':
		return 'l';
	case '5':
		return 's';
	default:
		return c;
	}
}

/* Two characters that look like one: that one, or 0. */
static char fold_pair(const char *at)
{
	if (at[0] == 'r' && at[1] == 'n')
		return 'm';
	if (at[0] == 'v' && at[1] == 'v')
		return 'w';
	if (at[0] == 'c' && at[1] == 'l')
		return 'd';
	return '\0';
}

/* What the eye takes in: alike characters are one, hyphens and doubles are overlooked. */
static void draw_skeleton(char out[static LABEL_ROOM], const char *label)
{
	char text[LABEL_ROOM];
	size_t len = 0;

	memcpy(text, label, LABEL_ROOM);
	drop_leading_zeros(text);
	for (const char *at = text; *at; at++) {
		char folded = fold_pair(at);

		if (folded)
			at++;
		else
			folded = fold_char(*at);
		if (folded != '-' && (len == 0 || out[len - 1] != folded))
			out[len++] = folded;
	}
	out[len] = '\0';
}

static void draw_shape(char out[static LABEL_ROOM], const char *label)
{
	size_t len = 0;

	for (; *label; label++) {
		char c = is_digit(*label) ? '#' : *label;

		if (c != '#' || len == 0 || out[len - 1] != '#')
			out[len++] = c;
	}
	out[len] = '\0';
}

static void take_letters(char *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (is_letter(text[i]))
			*out++ = text[i];
	*out = '\0';
}

static void look_at(struct looks *looks, const char *name)
{
	fold_case(looks->name, name);
	if (suffix_registrable(looks->registrable, looks->name))
		memcpy(looks->registrable, looks->name, OBS_NAME);
	take_first_label(looks->label, looks->registrable);
	draw_skeleton(looks->skeleton, looks->label);
	draw_shape(looks->shape, looks->label);
	take_letters(looks->word, looks->label, strlen(looks->label));
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Damerau-Levenshtein (optimal string alignment): edits, neighbours changing places being
 * one. */
static unsigned distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	unsigned rows[3][LABEL_ROOM + 1];
	unsigned *two_up = rows[0], *up = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		up[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *spare = two_up;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = least(least(up[j], row[j - 1]) + 1,
				up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_up[j - 2] + 1);
		}
		two_up = up;
		up = row;
		row = spare;
	}
	return up[b_len];
}

static bool is_near(const struct looks *a, const struct looks *b)
{
	size_t a_len = strlen(a->label), b_len = strlen(b->label);
	size_t shorter = a_len < b_len ? a_len : b_len;

	if (distance(a->label, b->label) <= (shorter < SHORT_LABEL ? 1u : 2u))
		return true;
	return count_letters(a->shape) >= SHAPE_LETTERS &&
	       count_letters(b->shape) >= SHAPE_LETTERS &&
	       distance(a->shape, b->shape) <= 1;
}

/* In one label, whatever stands between the letters. */
static bool contains_word(const char *name, const char *word)
{
	if (strlen(word) < WORD_LETTERS)
		return false;
	while (*name) {
		size_t len = strcspn(name, ".");
		char letters[OBS_NAME];

		take_letters(letters, name, len);
		if (strstr(letters, word))
			return true;
		name += len + (name[len] == '.');
	}
	return false;
}

static bool has_host_label(const struct looks *looks, const char *label)
{
	const char *end = looks->name + strlen(looks->name) - strlen(looks->registrable);
	size_t label_len = strlen(label);

	if (count_letters(label) < HOST_LETTERS)
		return false;
	for (const char *at = looks->name; at < end;) {
		size_t len = strcspn(at, ".");

		if (len == label_len && memcmp(at, label, len) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

/* Why `seen` may be taken for `approved`, the plainest reason first. */
static enum lookalike_reason compare(
	const struct looks *seen, const struct looks *approved)
{
	if (strcmp(seen->label, approved->label) == 0)
		return LOOKALIKE_OTHER_SUFFIX;
	if (strcmp(seen->skeleton, approved->skeleton) == 0)
		return LOOKALIKE_LOOKS_EQUAL;
	if (strcmp(seen->shape, approved->shape) == 0)
		return LOOKALIKE_OTHER_DIGITS;
	if (is_near(seen, approved))
		return LOOKALIKE_NEAR;
	if (has_host_label(seen, approved->label))
		return LOOKALIKE_HOST_LABEL;
	if (contains_word(seen->name, approved->word))
		return LOOKALIKE_CONTAINS;
	return LOOKALIKE_NO_REASON;
}

/* Of two that speak for the same kind the approved name that is nearer to what was seen.
 */
static bool is_nearer(
	const char *name, const struct looks *looks, const struct looks *best_looks)
{
	char a[LABEL_ROOM], b[LABEL_ROOM], c[LABEL_ROOM];

	take_first_label(a, name);
	take_first_label(b, looks->name);
	take_first_label(c, best_looks->name);
	return distance(a, b) < distance(a, c);
}

static struct lookalike judge_pair(const struct looks *seen, const struct looks *approved)
{
	struct lookalike result = {.kind = LOOKALIKE_FOREIGN,
		.provider = provider_table_find(seen->registrable)};
	const char *own = provider_table_find(approved->registrable);

	if (strcmp(seen->name, approved->name) == 0)
		result.kind = LOOKALIKE_SAME;
	else if (strcmp(seen->registrable, approved->registrable) == 0)
		result.kind = LOOKALIKE_SAME_ZONE;
	else if (own && result.provider && strcmp(own, result.provider) == 0)
		result.kind = LOOKALIKE_SAME_PROVIDER;
	else if (!result.provider) /* another provider's own name imitates nobody */
		result.reason = compare(seen, approved);
	if (result.reason)
		result.kind = LOOKALIKE_IMITATES;
	return result;
}

/* The kinds stand in the order in which they win, and so do the reasons. */
static bool wins(const struct lookalike *a, const struct lookalike *b)
{
	return a->kind != b->kind ? a->kind < b->kind : a->reason < b->reason;
}

struct lookalike lookalike_judge(
	const char *name, const char approved[][OBS_NAME], unsigned count)
{
	struct looks seen, looks, best_looks;
	struct lookalike best;

	look_at(&seen, name);
	best = (struct lookalike){.kind = LOOKALIKE_FOREIGN,
		.provider = provider_table_find(seen.registrable)};
	for (unsigned i = 0; i < count; i++) {
		struct lookalike result;

		look_at(&looks, approved[i]);
		result = judge_pair(&seen, &looks);
		if (result.kind == LOOKALIKE_FOREIGN ||
			(best.approved && !wins(&result, &best) &&
				(wins(&best, &result) ||
					!is_nearer(seen.name, &looks, &best_looks))))
			continue;
		best = result;
		best.approved = approved[i];
		best_looks = looks;
	}
	return best;
}

const char *lookalike_kind_text(enum lookalike_kind kind)
{
	static const char *const texts[] = {[LOOKALIKE_SAME] = "same",
		[LOOKALIKE_SAME_ZONE] = "same-zone",
		[LOOKALIKE_SAME_PROVIDER] = "same-provider",
		[LOOKALIKE_IMITATES] = "lookalike",
		[LOOKALIKE_FOREIGN] = "foreign"};

	return texts[kind];
}

/* Where two texts differ: what begins and ends them alike is left away, but never half a
 * run of digits, so that 061 and 61 differ, not a 0 and nothing. */
static void find_difference(
	const char *a, const char *b, size_t *start, size_t *a_len, size_t *b_len)
{
	size_t a_end = strlen(a), b_end = strlen(b), begin = 0;

	while (a[begin] && a[begin] == b[begin])
		begin++;
	while (a_end > begin && b_end > begin && a[a_end - 1] == b[b_end - 1]) {
		a_end--;
		b_end--;
	}
	while (begin > 0 && is_digit(a[begin - 1]))
		begin--;
	while (is_digit(a[a_end]) && is_digit(b[b_end])) {
		a_end++;
		b_end++;
	}
	*start = begin;
	*a_len = a_end - begin;
	*b_len = b_end - begin;
}

static const char *reason_text(enum lookalike_reason reason)
{
	switch (reason) {
	case LOOKALIKE_OTHER_SUFFIX:
		return "the same label under another suffix";
	case LOOKALIKE_LOOKS_EQUAL:
		return "the same to the eye";
	case LOOKALIKE_OTHER_DIGITS:
		return "the same but for a number that the provider does not use";
	case LOOKALIKE_NEAR:
		return "a letter or two apart";
	case LOOKALIKE_CONTAINS:
		return "carries its word in another domain";
	case LOOKALIKE_HOST_LABEL:
		return "has its label as a host in another domain";
	case LOOKALIKE_NO_REASON:
		break;
	}
	return "";
}

static void explain_imitation(
	const struct lookalike *result, const char *name, char buf[static LOOKALIKE_TEXT])
{
	struct looks seen, approved;
	size_t start, seen_len, approved_len;

	look_at(&seen, name);
	look_at(&approved, result->approved);
	if (result->reason == LOOKALIKE_CONTAINS ||
		result->reason == LOOKALIKE_HOST_LABEL) {
		(void)snprintf(buf, LOOKALIKE_TEXT, "%s imitates %s: %s, %s", seen.name,
			approved.name, reason_text(result->reason), seen.registrable);
		return;
	}
	find_difference(
		seen.registrable, approved.registrable, &start, &seen_len, &approved_len);
	(void)snprintf(buf, LOOKALIKE_TEXT,
		"%s imitates %s: %s, \"%.*s\" stands for \"%.*s\" in %s", seen.name,
		approved.name, reason_text(result->reason), (int)seen_len,
		seen.registrable + start, (int)approved_len, approved.registrable + start,
		seen.registrable);
}

const char *lookalike_explain(
	const struct lookalike *result, const char *name, char buf[static LOOKALIKE_TEXT])
{
	static const char shared[] = ", whom customers share: perhaps another customer's";

	switch (result->kind) {
	case LOOKALIKE_SAME:
		(void)snprintf(buf, LOOKALIKE_TEXT, "%s is approved", name);
		break;
	case LOOKALIKE_SAME_ZONE:
		(void)snprintf(buf, LOOKALIKE_TEXT,
			"%s stands in the same domain as %s%s%s%s", name,
			result->approved, result->provider ? ", of " : "",
			result->provider ? result->provider : "",
			result->provider ? shared : "");
		break;
	case LOOKALIKE_SAME_PROVIDER:
		(void)snprintf(buf, LOOKALIKE_TEXT,
			"%s is, like %s, a genuine name of %s%s", name, result->approved,
			result->provider, shared);
		break;
	case LOOKALIKE_IMITATES:
		explain_imitation(result, name, buf);
		break;
	case LOOKALIKE_FOREIGN:
		(void)snprintf(buf, LOOKALIKE_TEXT,
			"%s is like none of those approved%s%s", name,
			result->provider ? ", of " : "",
			result->provider ? result->provider : "");
		break;
	}
	return buf;
}
