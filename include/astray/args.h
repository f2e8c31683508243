/*
 * Command lines by table: one array of commands drives dispatch and help, one array of
 * options drives parsing and help, so that neither can drift. Long options take --name
 * VALUE or
 * --name=VALUE; letters may stand in one group; "--" ends the options; operands may stand
 * between.
 */
#ifndef ASTRAY_ARGS_H
#define ASTRAY_ARGS_H

#include <stdint.h>
#include <stdio.h>

enum args_kind {
	ARGS_FLAG,  /* target: bool */
	ARGS_TEXT,  /* target: const char * */
	ARGS_INT,   /* target: int64_t, within min..max */
	ARGS_TEXTS, /* target: struct args_texts; the option may be repeated */
};

#define ARGS_TEXTS_MAX 64
struct args_texts {
	unsigned count;
	const char *text[ARGS_TEXTS_MAX];
};

struct args_option {
	const char *name; /* "max-ttl" ; NULL: a letter only */
	char letter;      /* 'r' ; 0: none */
	enum args_kind kind;
	const char *metavar; /* "FILE" */
	int64_t min, max;
	void *target;
	const char *help;
};

struct args_command {
	const char *name;
	const char *operands; /* "HOST…" */
	const char *summary;
	int (*run)(void *app, int argc,
		char **argv); /* argv[0] is the command; returns an exit code */
};

/* What most commands do with their line: parsed as by args_parse, with --help among the
 * options. The number of operands; negative when all is said: then the command ends with
 * args_exit_code of it. */
#define ARGS_HELPED (-2)
int args_take(const struct args_option *options, const struct args_command *command,
	const char *program, int argc, char **argv);
int args_exit_code(int taken);
/* "PROGRAM COMMAND: WHY; see PROGRAM COMMAND --help" on stderr; returns EX_USAGE. */
int args_complain(
	const char *program, const struct args_command *command, const char *why);

/* Moves the operands to the front of argv[1..] and returns their number, or -1 after a
 * message on stderr that names the option, the reason and the nearest valid one (the
 * caller exits 64).
 * The table ends with a row without name and letter. */
int args_parse(
	const struct args_option *options, const char *command, int argc, char **argv);
void args_help(FILE *out, const char *program, const struct args_command *command,
	const struct args_option *options);
void args_help_commands(FILE *out, const char *program, const char *what,
	const struct args_command *commands);
struct args_program {
	const char *name, *version;
	const char *what;                    /* it does, in a sentence */
	const struct args_command *commands; /* ends with a row without name */
};
/* What main() does: the help, the version, or the command that argv names. */
int args_run(const struct args_program *program, void *app, int argc, char **argv);

/* The command of that name; NULL after a message with the nearest one. */
const struct args_command *args_command_find(
	const struct args_command *commands, const char *program, const char *name);

#endif
