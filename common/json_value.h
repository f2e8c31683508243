/*
 * The texts and numbers of JSON, out of bytes that json_scan has found strict and that
 * end with a NUL: nothing is checked again.
 */
#ifndef ASTRAY_JSON_VALUE_H
#define ASTRAY_JSON_VALUE_H

/* The number that begins at *at, as strtod would read it; *at moves behind it. */
double json_value_number(const char **at);
/* Copies the text whose opening quote stands at *at, its escapes resolved and a NUL
 * behind it; both pointers move on. It needs no more room than it takes with its quotes.
 * Returns the copy. */
char *json_value_text(const char **at, char **into);

#endif
