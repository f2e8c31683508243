#include "astray/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "printable.h"

int fault_at(struct fault *fault, int rc, const char *field, const char *why, ...)
{
	char raw[sizeof(fault->why)];
	va_list args;

	if (!fault)
		return rc;
	va_start(args, why);
	(void)vsnprintf(raw, sizeof(raw), why, args);
	va_end(args);
	printable_copy(fault->field, sizeof(fault->field), field ? field : "");
	printable_copy(fault->why, sizeof(fault->why), raw);
	return rc;
}

const char *fault_text(const struct fault *fault, char *buf, size_t cap)
{
	char line[16] = "";

	if (fault->line)
		(void)snprintf(line, sizeof(line), "%u", fault->line);
	(void)snprintf(buf, cap, "%s%s%s%s%s%s%s", fault->input,
		*line && *fault->input ? ":" : "", line,
		*line || *fault->input ? ": " : "", fault->field,
		*fault->field ? ": " : "", fault->why);
	return buf;
}
