#include "trace_output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "astray/wire.h"
#include "fan_record.h"
#include "fan_view.h"
#include "path_change.h"
#include "trace_memory.h"
#include "trace_view.h"

/* Lines wait here for others, so that a thousand traces are not as many writes. */
#define LINES_ROOM (2 * (size_t)WIRE_LINE_MAX)

struct trace_output {
	enum trace_form form;
	struct obs *obs; /* too large for a stack */
	char *lines;
	size_t waiting; /* bytes of them */
};

int trace_output_open(struct trace_output **out, enum trace_form form)
{
	struct trace_output *output = calloc(1, sizeof(*output));

	*out = output;
	if (!output)
		return -ENOMEM;
	output->form = form;
	output->obs = malloc(sizeof(*output->obs));
	output->lines = malloc(LINES_ROOM);
	if (output->obs && output->lines)
		return 0;
	trace_output_close(output);
	*out = NULL;
	return -ENOMEM;
}

void trace_output_close(struct trace_output *output)
{
	if (!output)
		return;
	free(output->obs);
	free(output->lines);
	free(output);
}

int trace_output_flush(struct trace_output *output)
{
	(void)fwrite(output->lines, 1, output->waiting, stdout); /* fflush tells */
	output->waiting = 0;
	return fflush(stdout) ? -errno : 0;
}

static int put_record(struct trace_output *output, const struct obs *obs)
{
	int rc = 0, len;

	if (LINES_ROOM - output->waiting < WIRE_LINE_MAX)
		rc = trace_output_flush(output);
	len = wire_encode(
		output->lines + output->waiting, LINES_ROOM - output->waiting, obs);
	if (len < 0)
		return len;
	output->waiting += (size_t)len;
	return rc;
}

int trace_output_trace(
	struct trace_output *output, const char *host, const struct obs *obs)
{
	switch (output->form) {
	case TRACE_TABLE:
		trace_view_print(stdout, host, &obs->trace);
		break;
	case TRACE_CSV:
		trace_view_print_csv(stdout, host, obs->at, &obs->trace);
		break;
	case TRACE_JSON:
		return put_record(output, obs);
	}
	return 0;
}

int trace_output_fan(struct trace_output *output, const char *host, const char *service,
	const struct tracer_result *result, const struct geo *geo,
	const struct place *here)
{
	bool chosen[FAN_FLOWS];
	int rc = 0;

	if (output->form == TRACE_TABLE) {
		fan_view_print(stdout, host, &result->order, result->fan);
		return 0;
	}
	(void)fan_record_choose(result->fan, chosen);
	for (unsigned flow = 0; flow < FAN_FLOWS && rc == 0; flow++) {
		if (!chosen[flow])
			continue;
		fan_record_fill(output->obs, result->at, service, &result->order,
			result->fan, flow, geo, here);
		rc = trace_output_trace(output, host, output->obs);
	}
	return rc;
}

void trace_output_changes(
	struct trace_output *output, const char *host, const struct obs *obs)
{
	struct obs *before = output->obs;
	char ago[MOMENT_TEXT];

	if (output->form != TRACE_TABLE)
		return;
	if (trace_memory_recall(before, host, &obs->trace) == 0 &&
		path_change_comparable(&before->trace, &obs->trace)) {
		(void)printf("since the last trace, %s ago:\n",
			moment_span_text(obs->at.us - before->at.us, ago));
		if (path_change_print(stdout, &before->trace, &obs->trace) == 0)
			(void)puts("  nothing changed");
	}
	(void)trace_memory_keep(obs, host);
}
