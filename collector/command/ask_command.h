/*
 * astray-collector services, incidents, paths: what the running collector knows, by its
 * API.
 */
#ifndef ASTRAY_ASK_COMMAND_H
#define ASTRAY_ASK_COMMAND_H

int ask_command_services(void *app, int argc, char **argv);
int ask_command_incidents(void *app, int argc, char **argv);
int ask_command_paths(void *app, int argc, char **argv);

#endif
