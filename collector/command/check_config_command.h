/*
 * astray-collector check-config: says whether a configuration is good, and what is wrong
 * with it.
 */
#ifndef ASTRAY_CHECK_CONFIG_COMMAND_H
#define ASTRAY_CHECK_CONFIG_COMMAND_H

int check_config_command(void *app, int argc, char **argv);

#endif
