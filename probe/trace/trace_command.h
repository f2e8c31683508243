/*
 * astray-probe trace: the paths to hosts, hop by hop.
 */
#ifndef TRACE_TRACE_COMMAND_H
#define TRACE_TRACE_COMMAND_H

/* app: the program's struct log. Returns a sysexits code. */
int trace_command(void *app, int argc, char **argv);

#endif
