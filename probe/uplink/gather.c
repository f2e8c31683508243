#include "gather.h"

#include <errno.h>
#include <stdlib.h>

#include "astray/status.h"
#include "astray/wire.h"

#define ROOM (GATHER_BYTES + WIRE_LINE_MAX + 1)

int gather_init(struct gather *gather)
{
	*gather = (struct gather){
		.text = malloc(ROOM), .read_back = malloc(sizeof(struct obs))};
	if (gather->text && gather->read_back)
		return 0;
	gather_free(gather);
	return -ENOMEM;
}

void gather_free(struct gather *gather)
{
	free(gather->text);
	free(gather->read_back);
	*gather = (struct gather){0};
}

static void stretch(struct gather *gather, struct moment at)
{
	if (gather->observations == 0 || moment_before(at, gather->from))
		gather->from = at;
	if (gather->observations == 0 || moment_before(gather->until, at))
		gather->until = at;
}

int gather_add(struct gather *gather, const struct obs *obs, struct fault *fault)
{
	char *line = gather->text + gather->len;
	int len = wire_encode(line, ROOM - gather->len, obs);
	int rc;

	if (len < 0)
		return fault_at(fault, len == STATUS_LIMIT ? STATUS_RANGE : len, "", "%s",
			status_text(len));
	if (gather->len > 0 && gather->len + (size_t)len > GATHER_BYTES)
		return STATUS_LIMIT;
	rc = wire_decode(gather->read_back, line, (size_t)len, fault);
	if (rc)
		return rc == STATUS_LIMIT ? STATUS_RANGE : rc;
	stretch(gather, obs->at);
	gather->len += (size_t)len;
	gather->observations++;
	return 0;
}

void gather_clear(struct gather *gather)
{
	gather->len = 0;
	gather->observations = 0;
}
