#include "astray/status.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

static const struct {
	int rc;
	const char *text;
	int exit_code;
} known[] = {
	{STATUS_SHORT, "ends too early", EX_DATAERR},
	{STATUS_SYNTAX, "not well formed", EX_DATAERR},
	{STATUS_MISSING, "something needed is missing", EX_DATAERR},
	{STATUS_RANGE, "out of range", EX_DATAERR},
	{STATUS_UNKNOWN, "unknown name", EX_DATAERR},
	{STATUS_LIMIT, "beyond the limit", EX_DATAERR},
	{STATUS_UNSUPPORTED, "not supported", EX_UNAVAILABLE},
	{STATUS_DUPLICATE, "already there", EX_DATAERR},
	{STATUS_REFUSED, "refused by the other side", EX_UNAVAILABLE},
	{STATUS_LATER, "the other side asks to come later", EX_TEMPFAIL},
	{STATUS_NOT_OURS, "belongs to somebody else", EX_DATAERR},
	{STATUS_LIBRARY, "a library failed", EX_SOFTWARE},
	{STATUS_CORRUPT, "the stored bytes do not check", EX_DATAERR},
	/* What libuv adds to errno, by its numbers, which uv/errno.h keeps for ever. */
	{-3001, "the resolver asks to come later", EX_TEMPFAIL},
	{-3004, "the resolver failed", EX_NOHOST},
	{-3007, "the name has no address", EX_NOHOST},
	{-3008, "no such host name", EX_NOHOST},
	{-4095, "the other side closed", EX_TEMPFAIL},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

const char *status_text(int rc)
{
	const char *text;

	if (rc >= 0)
		return "success";
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		if (known[i].rc == rc)
			return known[i].text;
	text = strerrordesc_np(-rc);
	return text ? text : "unknown failure";
}

int status_exit_code(int rc)
{
	if (rc >= 0)
		return EX_OK;
	for (size_t i = 0; i < KNOWN_COUNT; i++)
		if (known[i].rc == rc)
			return known[i].exit_code;
	switch (-rc) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
		return EX_NOINPUT;
	case EPERM:
	case EACCES:
		return EX_NOPERM;
	case EAGAIN:
	case ETIMEDOUT:
	case ECONNREFUSED:
	case ENETUNREACH:
	case EHOSTUNREACH:
		return EX_TEMPFAIL;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return EX_OSERR;
	default:
		return EX_IOERR;
	}
}
