/*
 * One error space. Functions return 0 or a negative number: errno and libuv values pass
 * through as they are (libuv's are -errno), our own start at -1000.
 */
#ifndef ASTRAY_STATUS_H
#define ASTRAY_STATUS_H

enum {
	STATUS_SHORT = -1000,       /* the input ends before the thing does */
	STATUS_SYNTAX = -1001,      /* not the language it should be */
	STATUS_MISSING = -1002,     /* a field that is needed is not there */
	STATUS_RANGE = -1003,       /* a value outside what its field allows */
	STATUS_UNKNOWN = -1004,     /* a key, kind or name that nobody knows */
	STATUS_LIMIT = -1005,       /* more than the bound allows */
	STATUS_UNSUPPORTED = -1006, /* understood, but not something this build does */
	STATUS_DUPLICATE = -1007,   /* already there */
	STATUS_REFUSED = -1008,     /* the other side said no, for good */
	STATUS_LATER = -1009,       /* the other side said not now */
	STATUS_NOT_OURS = -1010,    /* a packet or answer that belongs to somebody else */
	STATUS_LIBRARY = -1011,     /* a library failed; the fault says how */
	STATUS_CORRUPT = -1012,     /* stored bytes that do not check */
};

/* A short text for any of the above, for errno and for libuv values; never NULL. */
const char *status_text(int rc);

/* The sysexits code that a program ends with after this failure of the user's input. */
int status_exit_code(int rc);

#endif
