/*
 * What was heard of a zone as tables for people.
 */
#ifndef NAMES_NAMES_VIEW_H
#define NAMES_NAMES_VIEW_H

#include <stdio.h>

#include "names_verdict.h"

void names_view_print(FILE *out, const struct names_report *report,
	const struct names_verdict *verdict);

#endif
