/*
 * The wire contract in code: one observation is one JSON object on one line. The same
 * bytes are measured, spooled, sent, journalled and replayed. The contract itself, for
 * readers, is WIRE.md beside this file.
 *
 * Readers ignore fields that they do not know, and refuse a line that lacks a field they
 * need, holds a value out of its range, repeats a key, nests deeper than 16 or is not
 * UTF-8; the fault names the field and why. Lines are at most WIRE_LINE_MAX bytes,
 * recorded ones WIRE_RECORD_MAX, so that whatever was accepted can be recorded.
 */
#ifndef ASTRAY_WIRE_H
#define ASTRAY_WIRE_H

#include <stddef.h>

#include "astray/fault.h"
#include "astray/obs.h"

#define WIRE_VERSION 1
#define WIRE_LINE_MAX (256 * 1024)
#define WIRE_RECORD_MAX (WIRE_LINE_MAX + 512) /* a line with its origin in front */
#define WIRE_BATCH_MAX (1024 * 1024)          /* bytes of one batch, expanded */
#define WIRE_BATCH_OBSERVATIONS 10000

struct wire_batch {
	char probe[OBS_WORD];
	char boot[OBS_WORD];
	int64_t seq;
	struct moment sent;
	int64_t observations;
};

/* Who sent a line of a recorded stream, and when the collector had it. */
struct wire_origin {
	struct moment rx;
	char probe[OBS_WORD];
	char boot[OBS_WORD];
	int64_t seq;
};

/* Decodes one line, with or without its newline. 0 or negative with *fault filled (field
 * and why; input and line are the caller's). Unknown kinds are STATUS_UNKNOWN, and so are
 * the fields that the recorded stream adds (rx_us, probe, boot, seq): only a recorder may
 * write them. */
int wire_decode(struct obs *out, const char *line, size_t len, struct fault *fault);

/* Encodes one observation as one line with its newline, and a NUL behind. Returns the
 * length without the NUL, or negative (STATUS_LIMIT when cap is too small). */
int wire_encode(char *buf, size_t cap, const struct obs *obs);

/* The first line of a batch. */
int wire_decode_batch(
	struct wire_batch *out, const char *line, size_t len, struct fault *fault);
int wire_encode_batch(char *buf, size_t cap, const struct wire_batch *batch);

/* A line of the recorded stream. Encoding puts the origin in front of the raw observation
 * line without parsing or printing it again. */
int wire_decode_record(struct wire_origin *origin, struct obs *obs, const char *line,
	size_t len, struct fault *fault);
int wire_encode_record(char *buf, size_t cap, const struct wire_origin *origin,
	const char *line, size_t len);

/* Splits a buffer into lines: returns the next line (without newline) and moves *at past
 * it; NULL at the end. *terminated says whether a newline closed it. */
const char *wire_next_line(
	const char **at, const char *end, size_t *len, bool *terminated);

/* Names that probes, boots, sites and labels may have: 1..63 of letters, digits and . _ -
 */
bool wire_word_is_valid(const char *text);
/* A service: 1..255 of letters, digits and . _ - : / [ ] @ */
bool wire_service_is_valid(const char *text);

#endif
