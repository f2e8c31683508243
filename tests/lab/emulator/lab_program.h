/*
 * What has been programmed: which host owns which addresses, and the paths between hosts
 * and addresses. Filled by commands, one JSON object each; asked for every packet. Pure.
 */
#ifndef LAB_PROGRAM_H
#define LAB_PROGRAM_H

#include "astray/fault.h"
#include "astray/json.h"
#include "lab_path.h"

#define LAB_HOSTS 128
#define LAB_NAME 64
#define LAB_FILE 256

struct lab_prefix {
	struct address address;
	unsigned bits;
};

struct lab_host {
	char name[LAB_NAME];
	char namespace[LAB_FILE]; /* "": no real machine, it answers by itself */
	char device[16];
	bool listens, silent; /* a host that is not real: SYN-ACK instead of RST; nothing
				 at all */
};

struct lab_program;

struct lab_program *lab_program_new(void);
void lab_program_free(struct lab_program *program);

/* {"do":"host"…}: the new host's number, or negative. */
int lab_program_add_host(
	struct lab_program *program, const struct json_doc *doc, struct fault *fault);
/* {"do":"path"…} and {"do":"no-path"…}. A path that is there is replaced at once. */
int lab_program_set_path(
	struct lab_program *program, const struct json_doc *doc, struct fault *fault);
int lab_program_drop_path(
	struct lab_program *program, const struct json_doc *doc, struct fault *fault);

const struct lab_host *lab_program_host(const struct lab_program *program, int host);

struct lab_way {
	struct lab_path *path;
	bool back;
	int to; /* the host that owns the destination */
};
/* How a packet that leaves this host goes: by a path from it, or back along one to it.
 * False: nobody owns its destination, or there is no path. */
bool lab_program_way(struct lab_program *program, int from,
	const struct lab_packet *packet, struct lab_way *out);

#endif
