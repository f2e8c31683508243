/*
 * The inner half of wire_decode, for lines that hold more than an observation.
 */
#ifndef ASTRAY_WIRE_DECODE_H
#define ASTRAY_WIRE_DECODE_H

#include "astray/fault.h"
#include "astray/json.h"
#include "astray/obs.h"

/* One line of at most `limit` bytes as one object; the caller frees the document. Clears
 * the fault first. */
int wire_decode_parse(struct json_doc **out, const char *line, size_t len, size_t limit,
	struct fault *fault);
int wire_decode_object(struct obs *out, const struct json *object, struct fault *fault);

#endif
