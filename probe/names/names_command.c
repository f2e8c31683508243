#include "names_command.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sysexits.h>

#include "astray/args.h"
#include "astray/log.h"
#include "astray/status.h"
#include "dns_name.h"
#include "names_run.h"

struct wishes {
	struct args_texts roots, resolvers, expect;
	const char *rdap, *geo_city, *geo_asn;
	bool json;
};

static const struct args_command command = {
	.name = "names",
	.operands = "ZONE",
	.summary = "Asks everybody once what they say of a zone: the servers of the zone "
		   "above\n"
		   "(found from the root), its own name servers, the resolver and the "
		   "registry.\n"
		   "Ends with 1 when the zone is not what it should be.",
	.run = names_command_run,
};

static int usage(const struct log *log, const char *what, const char *why)
{
	log_error(log, "names", "%s%s; see astray-probe names --help", what, why);
	return EX_USAGE;
}

static int read_endpoints(const struct log *log, struct dns_endpoint *out,
	unsigned *count, unsigned limit, const struct args_texts *texts)
{
	if (texts->count > limit)
		return usage(log, texts->text[limit], ": one address too many");
	for (unsigned i = 0; i < texts->count; i++)
		if (dns_endpoint_read(&out[i], texts->text[i]))
			return usage(log, texts->text[i],
				": is neither ADDRESS nor ADDRESS:PORT");
	*count = texts->count;
	return EX_OK;
}

static int read_wishes(
	const struct log *log, struct names_run_order *order, const struct wishes *wishes)
{
	int exit_code = read_endpoints(
		log, order->roots, &order->root_count, FINDER_ROOTS, &wishes->roots);

	if (exit_code == EX_OK)
		exit_code = read_endpoints(log, order->resolvers, &order->resolver_count,
			DNS_CLIENT_RESOLVERS, &wishes->resolvers);
	for (unsigned i = 0; exit_code == EX_OK && i < wishes->expect.count; i++)
		if (dns_name_read(order->expect[i], wishes->expect.text[i]))
			exit_code = usage(
				log, wishes->expect.text[i], ": is no name of a server");
	order->expect_count = wishes->expect.count;
	return exit_code;
}

static int run(
	const struct log *log, const struct wishes *wishes, int operands, char **argv)
{
	struct names_run_order *order;
	int exit_code;

	if (operands != 1)
		return usage(log, "", "wants one zone");
	order = calloc(1, sizeof(*order));
	if (!order) {
		log_error(log, "names", "no memory");
		return EX_OSERR;
	}
	order->log = log;
	order->json = wishes->json;
	order->rdap = wishes->rdap;
	order->geo_city = wishes->geo_city;
	order->geo_asn = wishes->geo_asn;
	exit_code = read_wishes(log, order, wishes);
	if (exit_code == EX_OK &&
		(dns_name_read(order->zone, argv[1]) || !order->zone[0]))
		exit_code = usage(log, argv[1],
			": is no zone (a domain name; international ones as xn--…)");
	if (exit_code == EX_OK)
		exit_code = names_run(order);
	free(order);
	return exit_code;
}

int names_command_run(void *app, int argc, char **argv)
{
	struct wishes wishes = {0};
	const struct args_option options[] = {
		{.name = "root",
			.kind = ARGS_TEXTS,
			.metavar = "ADDRESS",
			.target = &wishes.roots,
			.help = "a root server, in place of the well-known ones; its "
				":PORT is "
				"then every server's"},
		{.name = "resolver",
			.kind = ARGS_TEXTS,
			.metavar = "ADDRESS",
			.target = &wishes.resolvers,
			.help = "ask this resolver, not the machine's own"},
		{.name = "rdap",
			.kind = ARGS_TEXT,
			.metavar = "URL",
			.target = &wishes.rdap,
			.help = "base URL of the registry to ask, in place of the one "
				"that IANA "
				"lists (with --root no other is asked)"},
		{.name = "expect",
			.kind = ARGS_TEXTS,
			.metavar = "NAME-SERVER",
			.target = &wishes.expect,
			.help = "a name server that the zone should have; any other is "
				"wrong then"},
		{.name = "geo-city",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.geo_city,
			.help = "database of places (MaxMind format)"},
		{.name = "geo-asn",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.geo_asn,
			.help = "database of networks (MaxMind format)"},
		{.name = "json",
			.kind = ARGS_FLAG,
			.target = &wishes.json,
			.help = "print observations, one a line"},
		{0},
	};
	int operands = args_take(options, &command, "astray-probe", argc, argv);

	if (operands < 0)
		return args_exit_code(operands);
	return run(app, &wishes, operands, argv);
}
