/*
 * astray-collector export: the journal as a recorded stream.
 */
#ifndef ASTRAY_EXPORT_COMMAND_H
#define ASTRAY_EXPORT_COMMAND_H

int export_command(void *app, int argc, char **argv);

#endif
