/*
 * astray-probe check: one request to each URL, phase by phase, with the certificate.
 */
#ifndef CHECK_CHECK_COMMAND_H
#define CHECK_CHECK_COMMAND_H

/* app: the program's struct log. Returns a sysexits code: that of the last URL that
 * failed. */
int check_command(void *app, int argc, char **argv);

#endif
