/*
 * astray-probe run: measures as its configuration says, until it is told to end.
 */
#ifndef ASTRAY_RUN_COMMAND_H
#define ASTRAY_RUN_COMMAND_H

/* app: the program's struct log. Returns a sysexits code. */
int run_command(void *app, int argc, char **argv);

#endif
