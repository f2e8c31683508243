/* Writes the recorded stream of a simulated fleet to standard output. */
#include <stdio.h>
#include <stdlib.h>

#include "fleet.h"
#include "fleet_options.h"
#include "fleet_truth.h"

struct output {
	char observation[WIRE_LINE_MAX], line[WIRE_RECORD_MAX];
};

static int print(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct output *output = arg;
	int len = wire_encode(output->observation, sizeof(output->observation), obs);

	if (len > 0)
		len = wire_encode_record(output->line, sizeof(output->line), origin,
			output->observation, (size_t)len);
	if (len < 0)
		return len;
	return fwrite(output->line, 1, (size_t)len, stdout) == (size_t)len ? 0 : -1;
}

static int write_json(const char *file, struct json *root)
{
	char *text = json_print_new(root);
	FILE *out = text ? fopen(file, "w") : NULL;
	int rc = out && fprintf(out, "%s\n", text) > 0 ? 0 : -1;

	if (out && fclose(out))
		rc = -1;
	free(text);
	if (rc)
		perror(file);
	return rc;
}

static int write_files(const struct fleet_files *files, const struct fleet_world *world,
	const struct fleet_troubles *troubles)
{
	struct json *config = json_new_object(), *truth = json_new_object();
	int rc = 0;

	fleet_truth_config(world, config);
	fleet_truth_write(world, troubles, truth);
	if (files->config)
		rc = write_json(files->config, config);
	if (files->truth && !rc)
		rc = write_json(files->truth, truth);
	json_free(config);
	json_free(truth);
	return rc;
}

int main(int argc, char **argv)
{
	struct fleet_world *world = calloc(1, sizeof(*world));
	struct fleet_troubles *troubles = calloc(1, sizeof(*troubles));
	struct output *output = calloc(1, sizeof(*output));
	struct fleet_options options;
	struct fleet_files files = {0};
	int code = fleet_options_parse(&options, &files, argc, argv);

	if (code < 0) {
		code = 1;
		if (world && troubles && output &&
			fleet_world_init(world, &options) == 0) {
			fleet_trouble_plan(troubles, world);
			if (write_files(&files, world, troubles) == 0 &&
				fleet_run(world, troubles, print, output) == 0 &&
				fflush(stdout) == 0)
				code = 0;
		}
	}
	free(output);
	free(troubles);
	free(world);
	return code;
}
