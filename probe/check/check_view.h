/*
 * One check as a table for people: a row for each phase, then the certificate.
 */
#ifndef CHECK_CHECK_VIEW_H
#define CHECK_CHECK_VIEW_H

#include <stdio.h>

#include "astray/obs.h"

void check_view_print(FILE *out, const struct obs_check *check, struct moment now);

#endif
