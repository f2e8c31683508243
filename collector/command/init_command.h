/*
 * astray-collector init: a first configuration, certificates, and a probe to begin with.
 */
#ifndef ASTRAY_INIT_COMMAND_H
#define ASTRAY_INIT_COMMAND_H

int init_command(void *app, int argc, char **argv);

#endif
