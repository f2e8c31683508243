/*
 * astray-probe names: what the zone above, the name servers and the resolver say of a
 * zone.
 */
#ifndef NAMES_NAMES_COMMAND_H
#define NAMES_NAMES_COMMAND_H

/* app: the program's struct log. Returns 0, a sysexits code, or 1 when the zone is not
 * what it should be. */
int names_command_run(void *app, int argc, char **argv);

#endif
