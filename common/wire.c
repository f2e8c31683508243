#include "astray/wire.h"

#include <ctype.h>
#include <string.h>

#include "astray/status.h"
#include "wire_decode.h"
#include "wire_fields.h"
#include "wire_parts.h"

static bool is_made_of(const char *text, const char *marks, size_t max)
{
	size_t len = 0;

	for (; text[len]; len++)
		if (len == max ||
			!(isalnum((unsigned char)text[len]) || strchr(marks, text[len])))
			return false;
	return len > 0;
}

bool wire_word_is_valid(const char *text)
{
	return is_made_of(text, "._-", OBS_WORD - 1);
}

bool wire_service_is_valid(const char *text)
{
	return is_made_of(text, "._-:/[]@", OBS_NAME - 1);
}

const char *wire_next_line(
	const char **at, const char *end, size_t *len, bool *terminated)
{
	const char *line = *at;
	const char *newline;

	*len = 0;
	*terminated = false;
	if (line == end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(end - line));
	*terminated = newline != NULL;
	*len = (size_t)((newline ? newline : end) - line);
	*at = newline ? newline + 1 : end;
	return line;
}

static void read_batch(struct wire_fields *fields, struct wire_batch *batch)
{
	const char *kind =
		json_as_text(wire_fields_take(fields, "kind", JSON_TEXT, WIRE_REQUIRED));
	int64_t version = 0;

	if (kind && strcmp(kind, "batch") != 0)
		wire_fields_refuse(fields, STATUS_UNKNOWN, "kind",
			"the first line should be the batch");
	wire_fields_int(fields, "v", WIRE_REQUIRED, WIRE_VERSION, WIRE_VERSION, &version);
	wire_fields_word(fields, "probe", WIRE_REQUIRED, batch->probe, OBS_WORD,
		wire_word_is_valid, WIRE_PARTS_WORD_WHY);
	wire_fields_word(fields, "boot", WIRE_REQUIRED, batch->boot, OBS_WORD,
		wire_word_is_valid, WIRE_PARTS_WORD_WHY);
	wire_fields_int(fields, "seq", WIRE_REQUIRED, 0, MOMENT_MAX_US, &batch->seq);
	wire_fields_moment(fields, "sent_us", WIRE_REQUIRED, &batch->sent);
	wire_fields_int(fields, "observations", WIRE_REQUIRED, 0, WIRE_BATCH_OBSERVATIONS,
		&batch->observations);
}

int wire_decode_batch(
	struct wire_batch *out, const char *line, size_t len, struct fault *fault)
{
	struct wire_fields fields;
	struct json_doc *doc;
	int rc = wire_decode_parse(&doc, line, len, WIRE_LINE_MAX, fault);

	*out = (struct wire_batch){0};
	if (rc)
		return rc;
	fields = wire_fields_over(json_root(doc), fault);
	read_batch(&fields, out);
	json_doc_free(doc);
	return fields.rc;
}

static void read_origin(struct wire_fields *fields, struct wire_origin *origin)
{
	wire_fields_moment(fields, "rx_us", WIRE_REQUIRED, &origin->rx);
	wire_fields_word(fields, "probe", WIRE_REQUIRED, origin->probe, OBS_WORD,
		wire_word_is_valid, WIRE_PARTS_WORD_WHY);
	/* What an operator says belongs to no boot and no batch. */
	wire_fields_word(fields, "boot", WIRE_OPTIONAL, origin->boot, OBS_WORD,
		wire_word_is_valid, WIRE_PARTS_WORD_WHY);
	wire_fields_int(fields, "seq", WIRE_OPTIONAL, 0, MOMENT_MAX_US, &origin->seq);
}

int wire_decode_record(struct wire_origin *origin, struct obs *obs, const char *line,
	size_t len, struct fault *fault)
{
	struct wire_fields fields;
	struct json_doc *doc;
	int rc = wire_decode_parse(&doc, line, len, WIRE_RECORD_MAX, fault);

	*origin = (struct wire_origin){.seq = OBS_ABSENT};
	if (rc)
		return rc;
	fields = wire_fields_over(json_root(doc), fault);
	read_origin(&fields, origin);
	rc = fields.rc ? fields.rc : wire_decode_object(obs, json_root(doc), fault);
	json_doc_free(doc);
	return rc;
}
