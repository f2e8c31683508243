/*
 * astray-probe flow: counts connections and requests and times answers in a capture file
 * or on an interface.
 */
#ifndef FLOW_FLOW_COMMAND_H
#define FLOW_FLOW_COMMAND_H

/* app: the program's struct log. Returns a sysexits code. */
int flow_command(void *app, int argc, char **argv);

#endif
