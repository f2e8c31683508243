/*
 * The answer to a request as the handler gives it, and its bytes. Pure.
 */
#ifndef ASTRAY_HTTP_REPLY_H
#define ASTRAY_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "astray/moment.h"

struct http_header {
	const char *name, *value;
};

struct http_reply {
	int status;
	const char *content_type; /* NULL: no body */
	const void *body;         /* copied */
	size_t body_len;
	const struct http_header
		*headers; /* more of them; ends with a row without name; may be NULL */
};

struct http_reply_form {
	struct moment now; /* for the Date header */
	bool close;        /* the connection ends behind it */
	bool head_only;    /* what GET would say, without the body */
	bool endless;      /* the body follows in pieces, up to the connection's end */
};

/* The whole answer into new memory that the caller frees; NULL when there is none. A
 * header whose value could break the line is left out. */
char *http_reply_compose(
	const struct http_reply *reply, const struct http_reply_form *form, size_t *len);
const char *http_reply_status_text(int status);

#endif
