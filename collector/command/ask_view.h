/*
 * What the API answers, as tables for people. Pure; what comes from outside is made safe
 * to print.
 */
#ifndef ASTRAY_ASK_VIEW_H
#define ASTRAY_ASK_VIEW_H

#include <stdio.h>

#include "astray/json.h"

void ask_view_services(FILE *out, const struct json *answer);
void ask_view_incidents(FILE *out, const struct json *answer);
void ask_view_paths(FILE *out, const struct json *answer);

#endif
