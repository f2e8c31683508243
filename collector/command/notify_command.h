/*
 * astray-collector notify --test NAME: tells one target of an incident that did not
 * happen.
 */
#ifndef ASTRAY_NOTIFY_COMMAND_H
#define ASTRAY_NOTIFY_COMMAND_H

int notify_command(void *app, int argc, char **argv);

#endif
