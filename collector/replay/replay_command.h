/*
 * astray-collector replay: judges a recorded stream as it would have been judged live,
 * and says which incidents there would have been. With --compare the same stream is
 * judged by a second configuration as well, to see what it would have raised.
 */
#ifndef ASTRAY_REPLAY_COMMAND_H
#define ASTRAY_REPLAY_COMMAND_H

int replay_command(void *app, int argc, char **argv);

#endif
