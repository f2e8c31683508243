/*
 * Does a name server's name imitate one that is approved? By registrable domain, the
 * provider's way of naming, and shape; plain edit distance fails (it finds ns-1514 and
 * ns-1515 as far apart as awsdns-61 and awsdns-061). Pure.
 *
 * That a name is no lookalike never means that it is safe: a foreign one may be
 * anybody's, and at a provider whom customers share anybody gets a genuine name.
 */
#ifndef ASTRAY_LOOKALIKE_H
#define ASTRAY_LOOKALIKE_H

#include "astray/obs.h"

enum lookalike_kind {
	LOOKALIKE_SAME,          /* one of the approved names */
	LOOKALIKE_SAME_ZONE,     /* under a registrable domain of theirs */
	LOOKALIKE_SAME_PROVIDER, /* a genuine name of their provider: perhaps another
				    customer's */
	LOOKALIKE_IMITATES,      /* made, or fit, to be taken for one of them */
	LOOKALIKE_FOREIGN,       /* none of these */
};

enum lookalike_reason {
	LOOKALIKE_NO_REASON,
	LOOKALIKE_OTHER_SUFFIX, /* the same label under another public suffix */
	LOOKALIKE_LOOKS_EQUAL, /* the same to the eye: 0 and o, rn and m, a zero put in */
	LOOKALIKE_OTHER_DIGITS, /* the same but for numbers */
	LOOKALIKE_NEAR,         /* a letter or two apart */
	LOOKALIKE_CONTAINS,     /* carries the approved domain's word */
	LOOKALIKE_HOST_LABEL,   /* has the approved domain's label as a host in a foreign
				   zone */
};

struct lookalike {
	enum lookalike_kind kind;
	enum lookalike_reason reason; /* of LOOKALIKE_IMITATES */
	const char *approved; /* the one that it is, stands beside or imitates; NULL:
				 foreign */
	const char *provider; /* whose name it is, when that is known: others share him */
};

/* Names as everywhere: A-labels, no trailing dot; case does not matter. `approved`
 * outlives the result. */
struct lookalike lookalike_judge(
	const char *name, const char approved[][OBS_NAME], unsigned count);

/* "same", "same-zone", "same-provider", "lookalike", "foreign" */
const char *lookalike_kind_text(enum lookalike_kind kind);

/* For people: what it is, and which characters differ. */
#define LOOKALIKE_TEXT 1024
const char *lookalike_explain(const struct lookalike *result, const char *name,
	char buf[static LOOKALIKE_TEXT]);

#endif
