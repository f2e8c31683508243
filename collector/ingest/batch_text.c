#include "batch_text.h"

#include <string.h>

#include "astray/status.h"

static int refuse(struct fault *fault, unsigned line, int status, const char *field,
	const char *why)
{
	(void)fault_at(fault, STATUS_REFUSED, field, "%s", why);
	fault->line = line;
	return status;
}

static int read_head(struct wire_batch *batch, const char **at, const char *end,
	const char *probe, struct fault *fault)
{
	size_t len;
	bool terminated;
	const char *line = wire_next_line(at, end, &len, &terminated);

	if (!line || !terminated)
		return refuse(fault, 1, 400, "", "the first line should be the batch");
	if (wire_decode_batch(batch, line, len, fault)) {
		fault->line = 1;
		return 400;
	}
	if (strcmp(batch->probe, probe) != 0)
		return refuse(fault, 1, 403, "probe", "a probe speaks only for itself");
	return 0;
}

static int read_observation(struct parcel *observations, const char *line, size_t len,
	struct obs *scratch, struct fault *fault)
{
	if (wire_decode(scratch, line, len, fault))
		return 400;
	if (scratch->kind == OBS_MAINTENANCE || scratch->kind == OBS_ACKNOWLEDGE)
		return refuse(fault, 0, 400, "kind",
			"only an operator says this, to the collector");
	if (parcel_add(observations, scratch))
		return refuse(fault, 0, 503, "", "no memory");
	return 0;
}

int batch_text_read(struct wire_batch *batch, struct parcel *observations,
	const char *text, size_t len, const char *probe, struct obs *scratch,
	struct fault *fault)
{
	const char *at = text, *end = text + len, *line;
	int status = read_head(batch, &at, end, probe, fault);
	unsigned number = 1;
	bool terminated;

	while (status == 0 && (line = wire_next_line(&at, end, &len, &terminated))) {
		number++;
		if (number - 1 > batch->observations)
			return refuse(fault, number, 400, "observations",
				"more lines than the batch says");
		if (!terminated)
			return refuse(fault, number, 400, "", "the line is cut off");
		status = read_observation(observations, line, len, scratch, fault);
		if (status)
			fault->line = number;
	}
	if (status == 0 && number - 1 != batch->observations)
		return refuse(fault, number, 400, "observations",
			"fewer lines than the batch says");
	return status;
}
