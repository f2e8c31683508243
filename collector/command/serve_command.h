/*
 * astray-collector serve: takes what probes send, judges it, and tells people.
 */
#ifndef ASTRAY_SERVE_COMMAND_H
#define ASTRAY_SERVE_COMMAND_H

int serve_command(void *app, int argc, char **argv);

#endif
