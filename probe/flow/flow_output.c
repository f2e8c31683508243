#include "flow_output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "astray/status.h"
#include "astray/wire.h"
#include "flow_view.h"

#define SERVICES_LIMIT 1024

struct flow_output {
	enum flow_output_form form;
	struct traffic_sum *sum;
	char *line;
	int failure;
};

int flow_output_start_over(struct flow_output *output)
{
	traffic_sum_free(output->sum);
	return traffic_sum_new(&output->sum, SERVICES_LIMIT);
}

int flow_output_new(struct flow_output **out, enum flow_output_form form)
{
	struct flow_output *output = calloc(1, sizeof(*output));
	int rc = 0;

	*out = NULL;
	if (!output)
		return -ENOMEM;
	output->form = form;
	if (form != FLOW_OUTPUT_WIRE)
		rc = flow_output_start_over(output);
	else if (!(output->line = malloc(WIRE_LINE_MAX)))
		rc = -ENOMEM;
	if (rc) {
		flow_output_free(output);
		return rc;
	}
	*out = output;
	return 0;
}

void flow_output_free(struct flow_output *output)
{
	if (!output)
		return;
	traffic_sum_free(output->sum);
	free(output->line);
	free(output);
}

static void print_wire(struct flow_output *output, const struct obs *obs)
{
	int len = wire_encode(output->line, WIRE_LINE_MAX, obs);

	if (len < 0)
		output->failure = len;
	else if (fwrite(output->line, 1, (size_t)len, stdout) != (size_t)len)
		output->failure = -errno;
}

void flow_output_take(void *arg, const struct obs *obs)
{
	struct flow_output *output = arg;

	if (output->failure)
		return;
	if (output->form == FLOW_OUTPUT_WIRE)
		print_wire(output, obs);
	else
		(void)traffic_sum_add(output->sum, &obs->traffic);
	if (output->form == FLOW_OUTPUT_LINES)
		flow_view_window(stdout, obs);
}

struct traffic_sum *flow_output_sum(struct flow_output *output)
{
	return output->sum;
}

int flow_output_flush(struct flow_output *output, struct fault *fault)
{
	if (fflush(stdout) && !output->failure)
		output->failure = -errno;
	if (!output->failure)
		return 0;
	return fault_at(fault, output->failure, "", "standard output: %s",
		status_text(output->failure));
}
