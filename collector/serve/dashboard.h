/*
 * The dashboard's files over HTTP: packed where the client takes gzip, not at all where
 * it has them (ETag), and nothing from anywhere else (Content-Security-Policy).
 */
#ifndef ASTRAY_DASHBOARD_H
#define ASTRAY_DASHBOARD_H

#include <stdbool.h>

struct http_exchange;

/* False, and nothing is answered, when no file has the request's path. */
bool dashboard_answer(struct http_exchange *exchange);

#endif
