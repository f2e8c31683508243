#include "trace_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "fan_record.h"
#include "fan_view.h"
#include "geo.h"
#include "host_addresses.h"
#include "naming.h"
#include "path_change.h"
#include "round_table.h"
#include "trace_memory.h"
#include "trace_view.h"
#include "tracer.h"

#define AT_ONCE 1024
/* Names are waited for so long after a trace; a resolver that is slow or away holds up
 * nothing. */
#define NAMES_WAIT_US (MOMENT_SECOND_US / 2)
#define ROUND_MS 1000
#define LINE_ROOM ((size_t)WIRE_LINE_MAX)

struct trace_run {
	const struct trace_run_order *order;
	uv_loop_t loop;
	struct tracer *tracer;
	struct geo *geo;
	struct naming *naming;     /* NULL: names are not wanted */
	struct round_table *table; /* with several rounds */
	unsigned drawn;            /* lines of it on the terminal */
	uv_timer_t round_timer;
	uv_signal_t interrupt;
	struct errand *resting; /* between two rounds */
	bool interrupted;
	struct obs *obs, *before, *last; /* too large for a stack */
	char *line;                      /* with --json */
	size_t next;                     /* of the targets */
	unsigned active;
	bool pumping, way_reported;
	int exit_code;
};

/* One target under way. */
struct errand {
	struct trace_run *run;
	const struct trace_target *target;
	struct address peer; /* of the round before, and how far it was */
	unsigned likely_length;
};

static void begin_more(struct trace_run *run);
static void next_round(uv_timer_t *timer);

static void end_errand(struct errand *errand)
{
	struct trace_run *run = errand->run;

	free(errand);
	run->active--;
	begin_more(run);
}

static void complain(struct trace_run *run, const char *host, int rc, int exit_code)
{
	log_error(run->order->log, "trace", "%s: %s", host, status_text(rc));
	run->exit_code = exit_code;
}

static void print(struct trace_run *run, const char *host, const struct obs *obs)
{
	int len;

	if (run->order->form == TRACE_RUN_CSV) {
		trace_view_print_csv(stdout, host, obs->at, &obs->trace);
	} else if (run->order->form == TRACE_RUN_TABLE) {
		trace_view_print(stdout, host, &obs->trace);
	} else {
		len = wire_encode(run->line, LINE_ROOM, obs);
		if (len < 0)
			complain(run, host, len, EX_SOFTWARE);
		else
			(void)fwrite(
				run->line, 1, (size_t)len, stdout); /* fflush tells */
	}
	if (fflush(stdout))
		complain(run, "standard output", -errno, EX_IOERR);
}

/* People are told what changed; machines compare for themselves. */
static void compare(struct trace_run *run, const char *host, const struct obs *obs)
{
	char ago[MOMENT_TEXT];

	if (run->order->form != TRACE_RUN_TABLE)
		return;
	if (trace_memory_recall(run->before, host, &obs->trace) == 0 &&
		path_change_comparable(&run->before->trace, &obs->trace)) {
		(void)printf("since the last trace, %s ago:\n",
			moment_span_text(obs->at.us - run->before->at.us, ago));
		if (path_change_print(stdout, &run->before->trace, &obs->trace) == 0)
			(void)puts("  nothing changed");
	}
	(void)trace_memory_keep(obs, host);
}

/* In place of what was drawn before. */
static void draw(struct trace_run *run)
{
	if (run->drawn)
		(void)printf("\033[%uA\033[J", run->drawn);
	run->drawn = round_table_print(stdout, run->table, run->order->colours);
	(void)fflush(stdout);
}

/* True when another round follows. */
static bool rest_until_next(
	struct trace_run *run, struct errand *errand, const struct obs_trace *trace)
{
	round_table_add(run->table, trace);
	if (run->order->live)
		draw(run);
	if (run->interrupted || run->table->rounds >= run->order->rounds)
		return false;
	errand->peer = trace->peer;
	errand->likely_length = trace->reached && trace->hop_count
					? (unsigned)trace->hops[trace->hop_count - 1].ttl
					: 0;
	run->resting = errand;
	(void)uv_timer_start(&run->round_timer, next_round, ROUND_MS, 0);
	return true;
}

static void finish_rounds(struct trace_run *run, struct errand *errand)
{
	if (!run->order->live)
		(void)round_table_print(stdout, run->table, run->order->colours);
	(void)fflush(stdout);
	compare(run, errand->target->host, run->last);
	end_errand(errand);
}

static void finish_errand(void *arg, struct obs *obs)
{
	struct errand *errand = arg;
	struct trace_run *run = errand->run;

	trace_record_place(obs, run->geo, &run->order->here);
	if (run->table) {
		*run->last = *obs;
		if (!rest_until_next(run, errand, &run->last->trace))
			finish_rounds(run, errand);
		return;
	}
	print(run, errand->target->host, obs);
	compare(run, errand->target->host, obs);
	end_errand(errand);
}

static void print_fan(struct trace_run *run, const struct errand *errand,
	const struct tracer_result *result)
{
	bool chosen[FAN_FLOWS];

	if (run->order->form == TRACE_RUN_TABLE) {
		fan_view_print(stdout, errand->target->host, &result->order, result->fan);
		return;
	}
	(void)fan_record_choose(result->fan, chosen);
	for (unsigned flow = 0; flow < FAN_FLOWS; flow++) {
		if (!chosen[flow])
			continue;
		fan_record_fill(run->obs, result->at, errand->target->name,
			&result->order, result->fan, flow, run->geo, &run->order->here);
		print(run, errand->target->host, run->obs);
	}
}

static void trace_ended(void *arg, const struct tracer_result *result)
{
	struct errand *errand = arg;
	struct trace_run *run = errand->run;

	if (result->rc)
		complain(run, errand->target->host, result->rc,
			status_exit_code(result->rc));
	if (result->fan) {
		print_fan(run, errand, result);
		end_errand(errand);
		return;
	}
	trace_record_fill(run->obs, result->at, errand->target->name, &result->order,
		result->path, run->geo, &run->order->here);
	if (result->mtu)
		trace_record_add_mtu(run->obs, result->mtu);
	if (run->naming)
		naming_add(run->naming, run->obs, finish_errand, errand);
	else
		finish_errand(errand, run->obs);
}

/* Once, and only where it is not the usual one. */
static void report_way(struct trace_run *run, uint8_t family)
{
	if (run->way_reported || tracer_is_privileged(run->tracer))
		return;
	run->way_reported = true;
	log_info(run->order->log, "trace", "without CAP_NET_RAW: by %s",
		tracer_way(run->tracer, family, run->order->protocol));
}

static int start_trace(struct errand *errand, const struct address *peer)
{
	const struct trace_run_order *order = errand->run->order;
	struct trace_order trace = {.peer = *peer,
		.protocol = order->protocol,
		.port = order->port,
		.flow = order->flow,
		.max_ttl = order->max_ttl,
		.queries = order->queries,
		.all_paths = order->all_paths,
		.likely_length = errand->likely_length,
		.mtu = order->mtu};

	report_way(errand->run, peer->family);
	return tracer_start(errand->run->tracer, &trace, trace_ended, errand);
}

static void next_round(uv_timer_t *timer)
{
	struct trace_run *run = timer->data;
	struct errand *errand = run->resting;
	int rc;

	run->resting = NULL;
	rc = run->interrupted ? -ECANCELED : start_trace(errand, &errand->peer);
	if (rc == 0)
		return;
	if (!run->interrupted)
		complain(run, errand->target->host, rc, status_exit_code(rc));
	finish_rounds(run, errand);
}

static void was_interrupted(uv_signal_t *handle, int number)
{
	struct trace_run *run = handle->data;

	(void)number;
	run->interrupted = true;
	if (run->resting)
		(void)uv_timer_start(&run->round_timer, next_round, 0, 0);
}

/* The first address that there is a way to. */
static void host_found(void *arg, int rc, const struct address *addresses, unsigned count)
{
	struct errand *errand = arg;
	bool found = rc == 0;

	for (unsigned i = 0; i < count; i++) {
		rc = start_trace(errand, &addresses[i]);
		if (rc == 0)
			return;
	}
	complain(errand->run, errand->target->host, rc,
		found ? status_exit_code(rc) : EX_NOHOST);
	end_errand(errand);
}

static void begin(struct trace_run *run)
{
	const struct trace_target *target = &run->order->targets->list[run->next++];
	struct errand *errand = calloc(1, sizeof(*errand));
	struct address literal;
	int rc;

	if (!errand) {
		complain(run, target->host, -ENOMEM, EX_OSERR);
		return;
	}
	*errand = (struct errand){.run = run, .target = target};
	run->active++;
	if (address_parse(&literal, target->host) == 0 &&
		(!run->order->family || run->order->family == literal.family)) {
		host_found(errand, 0, &literal, 1);
		return;
	}
	rc = host_addresses_find(
		&run->loop, target->host, run->order->family, host_found, errand);
	if (rc) {
		complain(run, target->host, rc, EX_NOHOST);
		end_errand(errand);
	}
}

static void close_tracer(struct trace_run *run)
{
	struct tracer_counts counts = tracer_count(run->tracer);

	if (counts.dropped)
		log_warn(run->order->log, "trace",
			"the kernel had no room for %llu packets: hops may look silent, "
			"a "
			"lower --rate helps",
			(unsigned long long)counts.dropped);
	if (counts.unlisted)
		log_warn(run->order->log, "trace",
			"%llu answers came from more addresses than a path lists",
			(unsigned long long)counts.unlisted);
	tracer_close(run->tracer, NULL, NULL);
	run->tracer = NULL;
	if (run->last) {
		uv_close((uv_handle_t *)&run->round_timer, NULL);
		uv_close((uv_handle_t *)&run->interrupt, NULL);
	}
	naming_close(run->naming, NULL, NULL);
	run->naming = NULL;
}

/* Errands that end at once come back here; only the outermost call begins new ones. */
static void begin_more(struct trace_run *run)
{
	if (run->pumping)
		return;
	run->pumping = true;
	while (run->active < AT_ONCE && run->next < run->order->targets->count)
		begin(run);
	run->pumping = false;
	if (run->active == 0 && run->tracer)
		close_tracer(run);
}

static int open_rounds(struct trace_run *run)
{
	run->table = calloc(1, sizeof(*run->table));
	run->last = calloc(1, sizeof(*run->last));
	if (!run->table || !run->last)
		return -ENOMEM;
	(void)uv_timer_init(&run->loop, &run->round_timer);
	run->round_timer.data = run;
	(void)uv_signal_init(&run->loop, &run->interrupt);
	run->interrupt.data = run;
	(void)uv_signal_start(&run->interrupt, was_interrupted, SIGINT);
	return 0;
}

static int open_run(struct trace_run *run, struct fault *fault)
{
	struct tracer_limits limits = {.rate = run->order->rate,
		.peer_rate = run->order->host_rate,
		.router_rate = run->order->router_rate,
		.traces = AT_ONCE};
	int rc;

	run->obs = malloc(sizeof(*run->obs));
	run->before = malloc(sizeof(*run->before));
	run->line = malloc(LINE_ROOM);
	if (!run->obs || !run->before || !run->line)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	rc = geo_open(&run->geo, run->order->geo_city, run->order->geo_asn, fault);
	if (rc == 0)
		rc = tracer_open(&run->tracer, &run->loop, &limits, fault);
	if (rc == 0)
		rc = tracer_allows(run->tracer, run->order->protocol, fault);
	if (rc == 0 && run->order->rounds > 1)
		rc = open_rounds(run);
	if (rc == 0 && run->order->names)
		rc = naming_open(&run->naming, &run->loop, NULL, NAMES_WAIT_US, AT_ONCE);
	return rc;
}

int trace_run(const struct trace_run_order *order)
{
	struct trace_run run = {.order = order, .exit_code = EX_OK};
	struct fault fault = {0};
	char text[1024];
	int rc = uv_loop_init(&run.loop);

	if (rc) {
		log_error(order->log, "trace", "%s", status_text(rc));
		return EX_OSERR;
	}
	rc = open_run(&run, &fault);
	if (rc == 0)
		begin_more(&run);
	else
		log_error(order->log, "trace", "%s",
			fault_text(&fault, text, sizeof(text)));
	if (rc && run.tracer)
		close_tracer(&run);
	(void)uv_run(&run.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&run.loop);
	geo_close(run.geo);
	free(run.obs);
	free(run.before);
	free(run.last);
	free(run.table);
	free(run.line);
	return rc ? status_exit_code(rc) : run.exit_code;
}
