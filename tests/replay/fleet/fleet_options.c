#include "fleet_options.h"

#include <stdlib.h>
#include <string.h>

#include "astray/args.h"

#define EXIT_USAGE 64
#define PARSED (-1)

struct words {
	int64_t seed, sites, services, endpoints, history_days, days;
	bool incidents, help;
	struct args_texts without;
};

static int leave_out(struct fleet_options *options, const struct args_texts *without)
{
	for (unsigned i = 0; i < without->count; i++) {
		bool known = strcmp(without->text[i], "all") == 0;

		for (int noise = 0; noise < FLEET_NOISES; noise++) {
			if (known || strcmp(without->text[i],
					     fleet_world_noise_text(
						     (enum fleet_noise)noise)) == 0) {
				options->without |= UINT64_C(1) << noise;
				if (!known)
					goto next;
			}
		}
		if (!known) {
			(void)fprintf(stderr, "fleet: --without %s: no such noise\n",
				without->text[i]);
			return EXIT_USAGE;
		}
	next:;
	}
	return PARSED;
}

int fleet_options_parse(
	struct fleet_options *options, struct fleet_files *files, int argc, char **argv)
{
	struct words words = {1, 5, 24, 12, 14, 14, false, false, {0}};
	const struct args_option table[] = {
		{"seed", 0, ARGS_INT, "N", 0, INT32_MAX, &words.seed,
			"Another world each."},
		{"sites", 0, ARGS_INT, "N", 1, FLEET_SITES, &words.sites, "Offices."},
		{"services", 0, ARGS_INT, "N", 1, FLEET_SERVICES, &words.services,
			"Services."},
		{"endpoints", 0, ARGS_INT, "N", 0, 64, &words.endpoints,
			"Laptops at each office."},
		{"history", 0, ARGS_INT, "DAYS", 0, 60, &words.history_days,
			"Calm days before judging begins."},
		{"days", 0, ARGS_INT, "DAYS", 1, 60, &words.days, "Judged days."},
		{"incidents", 0, ARGS_FLAG, NULL, 0, 0, &words.incidents,
			"Play troubles; otherwise every day is ordinary."},
		{"without", 0, ARGS_TEXTS, "NOISE", 0, 0, &words.without,
			"Leave a noise of ordinary days out (or all)."},
		{"config", 0, ARGS_TEXT, "FILE", 0, 0, &files->config,
			"Write the collector's configuration."},
		{"truth", 0, ARGS_TEXT, "FILE", 0, 0, &files->truth,
			"Write what pages are scored by."},
		{"help", 'h', ARGS_FLAG, NULL, 0, 0, &words.help, "Say this."},
		{0},
	};
	const struct args_command self = {
		"", "", "Writes the recorded stream of a simulated fleet.", NULL};
	int operands = args_parse(table, "fleet", argc, argv);

	if (operands != 0 && !words.help)
		return EXIT_USAGE;
	if (words.help) {
		args_help(stdout, "fleet", &self, table);
		return 0;
	}
	*options = (struct fleet_options){.seed = (uint64_t)words.seed,
		.sites = (unsigned)words.sites,
		.services = (unsigned)words.services,
		.endpoints_a_site = (unsigned)words.endpoints,
		.history_days = (int)words.history_days,
		.days = (int)words.days,
		.incidents = words.incidents};
	return leave_out(options, &words.without);
}
