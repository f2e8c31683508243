#include "names_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <uv.h>

#include "astray/status.h"
#include "astray/wire.h"
#include "astray/suffix.h"
#include "authority_round.h"
#include "geo.h"
#include "names_record.h"
#include "names_view.h"
#include "parent_ask.h"
#include "registry_client.h"
#include "resolver_ask.h"

#define PARENTS_ASKED 3
#define LINE_ROOM ((size_t)WIRE_LINE_MAX)

struct run {
	const struct names_run_order *order;
	uv_loop_t loop;
	struct dns_client *client;
	struct finder *finder;
	struct registry_client *registry;
	struct authority_round_order authority; /* too large for a stack */
	bool authority_asked;
	struct geo *geo;
	struct obs *obs; /* too large for a stack */
	char *line;      /* with --json */
	struct names_report report;
	struct names_verdict verdict;
	unsigned pending; /* questions under way */
	int exit_code;
};

static void complain(struct run *run, const char *what, int rc, int exit_code)
{
	log_error(run->order->log, "names", "%s: %s", what, status_text(rc));
	run->exit_code = exit_code;
}

static void print_line(struct run *run)
{
	int len = wire_encode(run->line, LINE_ROOM, run->obs);

	if (len < 0)
		complain(run, run->order->zone, len, EX_SOFTWARE);
	else if (fwrite(run->line, 1, (size_t)len, stdout) != (size_t)len)
		complain(run, "standard output", -errno, EX_IOERR);
}

static void take(struct run *run)
{
	int rc = names_report_add(&run->report, &run->obs->dns);

	if (rc)
		complain(run, run->order->zone, rc, EX_OSERR);
	if (run->order->json)
		print_line(run);
}

static void one_done(void *arg)
{
	struct run *run = arg;

	if (--run->pending > 0)
		return;
	dns_client_close(run->client, NULL, NULL);
	run->client = NULL;
	registry_client_close(run->registry);
	run->registry = NULL;
}

static void take_reply(
	struct run *run, const struct dns_reply *reply, enum obs_dns_role role)
{
	names_record_reply(run->obs, reply, run->order->zone, role, run->geo);
	take(run);
	if (names_record_alias(run->obs, reply, run->order->zone, role))
		take(run);
}

static void authority_heard(void *arg, const struct dns_reply *reply)
{
	take_reply(arg, reply, OBS_AUTHORITY);
}

static void authority_lost(void *arg, const char *host)
{
	struct run *run = arg;

	log_warn(run->order->log, "names", "name server %s: no address is found", host);
}

/* By the first delegation that is told. */
static void ask_authorities(struct run *run, const struct delegation *delegation)
{
	static const enum dns_type types[] = {
		DNS_SOA, DNS_NS, DNS_A, DNS_AAAA, DNS_MX, DNS_TXT, DNS_CAA};
	int rc;

	if (run->authority_asked || !delegation->exists)
		return;
	run->authority_asked = true;
	run->authority = (struct authority_round_order){.client = run->client,
		.finder = run->finder,
		.delegation = delegation,
		.heard = authority_heard,
		.lost = authority_lost,
		.done = one_done,
		.arg = run};
	memcpy(run->authority.zone, run->order->zone, sizeof(run->authority.zone));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		authority_round_ask(&run->authority, run->order->zone, types[i]);
	run->pending++;
	rc = authority_round_start(&run->authority);
	if (rc) {
		complain(run, run->order->zone, rc, EX_OSERR);
		run->pending--;
	}
}

static void registry_heard(void *arg, int rc, const struct obs *obs, int64_t wait_us,
	const struct fault *fault)
{
	struct run *run = arg;

	(void)wait_us;
	if (rc == -ECANCELED)
		return;
	if (rc == 0) {
		run->report.registry_told = true;
		run->report.registry = obs->registry;
		*run->obs = *obs;
		if (run->order->json)
			print_line(run);
	} else {
		(void)fault_text(fault, run->report.registry_why,
			sizeof(run->report.registry_why));
		if (run->order->json)
			log_warn(run->order->log, "names", "registry: %s",
				run->report.registry_why);
	}
	one_done(run);
}

static void ask_registry(struct run *run)
{
	char domain[OBS_NAME];
	int rc;

	if ((run->order->root_count && !run->order->rdap) ||
		suffix_registrable(domain, run->order->zone))
		return;
	run->pending++;
	rc = registry_client_ask(run->registry, domain, registry_heard, run);
	if (rc) {
		complain(run, "registry", rc, EX_UNAVAILABLE);
		run->pending--;
	}
}

static void word_heard(void *arg, const struct delegation_word *word)
{
	struct run *run = arg;

	for (unsigned row = 0; names_record_word(
		     run->obs, word, run->order->zone, run->order->zone, row, run->geo);
		row++)
		take(run);
	if (word->rc == 0)
		ask_authorities(run, &word->delegation);
	one_done(run);
}

static void ask_parent(struct run *run, const struct address *server, bool tcp)
{
	struct parent_ask_order order = {.client = run->client,
		.server = {.address = *server, .port = finder_port(run->finder)},
		.tcp = tcp,
		.want_ds = true};
	int rc;

	memcpy(order.zone, run->order->zone, sizeof(order.zone));
	rc = parent_ask(&order, word_heard, run);
	if (rc)
		complain(run, run->order->zone, rc, EX_OSERR);
	else
		run->pending++;
}

static void parent_found(void *arg, int rc, const struct zone_cut *parent)
{
	struct run *run = arg;

	if (rc)
		complain(run, "no way from the root to the zone above", rc,
			EX_UNAVAILABLE);
	else
		memcpy(run->report.parent, parent->zone, sizeof(run->report.parent));
	for (unsigned i = 0; rc == 0 && i < parent->address_count && i < PARENTS_ASKED;
		i++)
		ask_parent(run, &parent->addresses[i].address, i > 0);
	one_done(run);
}

static void resolver_heard(void *arg, const struct dns_reply *reply)
{
	take_reply(arg, reply, OBS_RESOLVER);
}

static void ask_resolver(
	struct run *run, struct resolver_ask_order *order, enum dns_type type)
{
	int rc;

	order->type = (uint16_t)type;
	rc = resolver_ask(order);
	if (rc)
		complain(run, "resolver", rc, EX_OSERR);
	else
		run->pending++;
}

static void ask_resolvers(struct run *run)
{
	struct resolver_ask_order order = {.client = run->client,
		.resolver_count = run->order->resolver_count,
		.heard = resolver_heard,
		.done = one_done,
		.arg = run};
	int count = (int)order.resolver_count;

	memcpy(order.name, run->order->zone, sizeof(order.name));
	memcpy(order.resolvers, run->order->resolvers, sizeof(order.resolvers));
	if (count == 0)
		count = dns_client_resolvers(order.resolvers);
	if (count <= 0) {
		complain(run, "resolv.conf", count ? count : STATUS_MISSING, EX_CONFIG);
		return;
	}
	order.resolver_count = (unsigned)count;
	ask_resolver(run, &order, DNS_A);
	ask_resolver(run, &order, DNS_AAAA);
	ask_resolver(run, &order, DNS_MX);
}

static int open_run(struct run *run, struct fault *fault)
{
	const struct names_run_order *order = run->order;
	int rc;

	memcpy(run->report.zone, order->zone, sizeof(run->report.zone));
	run->obs = malloc(sizeof(*run->obs));
	run->line = malloc(LINE_ROOM);
	if (!run->obs || !run->line)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	rc = geo_open(&run->geo, order->geo_city, order->geo_asn, fault);
	if (rc)
		return rc;
	rc = dns_client_open(&run->client, &run->loop);
	if (rc == 0)
		rc = registry_client_open(&run->registry, &run->loop, order->rdap, NULL);
	if (rc == 0)
		rc = finder_open(
			&run->finder, run->client, order->roots, order->root_count);
	return rc ? fault_at(fault, rc, "", "%s", status_text(rc)) : 0;
}

static void close_run(struct run *run)
{
	dns_client_close(run->client, NULL, NULL);
	registry_client_close(run->registry);
	(void)uv_run(&run->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&run->loop);
	finder_close(run->finder);
	geo_close(run->geo);
	names_report_free(&run->report);
	free(run->obs);
	free(run->line);
}

static void ask_everybody(struct run *run)
{
	run->pending = 2;
	ask_registry(run);
	finder_parent(run->finder, run->order->zone, parent_found, run);
	ask_resolvers(run);
	one_done(run);
	(void)uv_run(&run->loop, UV_RUN_DEFAULT);
	names_report_sort(&run->report);
	names_verdict_reach(&run->verdict, &run->report, run->order->expect,
		run->order->expect_count);
	if (!run->order->json)
		names_view_print(stdout, &run->report, &run->verdict);
	if (run->exit_code == EX_OK && names_verdict_is_wrong(&run->verdict))
		run->exit_code = EXIT_FAILURE;
	if (fflush(stdout))
		complain(run, "standard output", -errno, EX_IOERR);
}

int names_run(const struct names_run_order *order)
{
	struct run run = {.order = order, .exit_code = EX_OK};
	struct fault fault = {0};
	char text[1024];
	int rc = uv_loop_init(&run.loop);

	if (rc) {
		log_error(order->log, "names", "%s", status_text(rc));
		return EX_OSERR;
	}
	rc = open_run(&run, &fault);
	if (rc == 0)
		ask_everybody(&run);
	else
		log_error(order->log, "names", "%s",
			fault_text(&fault, text, sizeof(text)));
	close_run(&run);
	return rc ? status_exit_code(rc) : run.exit_code;
}
