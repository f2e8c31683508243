/*
 * What a probe sent, expanded: the batch line and its observations, checked against who
 * sent it and decoded, each line once. Pure.
 */
#ifndef ASTRAY_BATCH_TEXT_H
#define ASTRAY_BATCH_TEXT_H

#include "astray/fault.h"
#include "astray/wire.h"
#include "parcel.h"

#define BATCH_TEXT_OPERATOR "operator" /* no probe may have this name */

/* 0, or the HTTP status that refuses it with the fault filled (line, field, why): 400,
 * 403, 413, 503. `scratch` is room for one observation. */
int batch_text_read(struct wire_batch *batch, struct parcel *observations,
	const char *text, size_t len, const char *probe, struct obs *scratch,
	struct fault *fault);

#endif
