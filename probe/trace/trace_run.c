#include "trace_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <uv.h>

#include "astray/status.h"
#include "geo.h"
#include "host_addresses.h"
#include "live_screen.h"
#include "naming.h"
#include "round_table.h"
#include "terminal.h"
#include "tracer.h"

#define AT_ONCE 1024
/* Names are waited for so long after a trace; a resolver that is slow or away holds up
 * nothing. */
#define NAMES_WAIT_US (MOMENT_SECOND_US / 2)
#define ROUND_MS 1000

enum { INTERRUPTED, TERMINATED, HUNG_UP, SIGNALS };

struct trace_run {
	const struct trace_run_order *order;
	uv_loop_t loop;
	struct tracer *tracer;
	struct host_addresses *hosts_asked;
	struct geo *geo;
	struct naming *naming; /* NULL: names are not wanted */
	struct trace_output *output;
	uv_prepare_t pause; /* nothing more to do at the moment: what was said goes out */
	struct obs *obs;    /* too large for a stack */
	size_t next;        /* of the targets */
	unsigned active;    /* errands that are not done */
	bool pumping, stopping; /* nothing new is begun */
	int exit_code;
	/* With rounds: */
	unsigned errand_count;
	struct errand *errands[TRACE_RUN_ROUND_TARGETS];
	bool watching; /* for signals */
	uv_signal_t signals[SIGNALS];
	struct terminal *terminal; /* NULL: nothing is shown */
	struct live_screen screen;
	struct live_screen_host hosts[TRACE_RUN_ROUND_TARGETS];
};

/* One target under way. */
struct errand {
	struct trace_run *run;
	const struct trace_target *target;
	/* With rounds: */
	struct address peer; /* of the round before, and how far it was */
	unsigned likely_length;
	int64_t rounds; /* done */
	uv_timer_t timer;
	bool lingers;              /* it waits for somebody to let the rounds go on */
	struct round_table *table; /* NULL: each round is printed */
	struct obs *last;
	int rc; /* why there is nothing to see, or 0 */
};

static void begin_more(struct trace_run *run);

static bool in_rounds(const struct trace_run *run)
{
	return run->order->rounds > 1;
}

/* What fails while the terminal is drawn on is said there, and logged in the end. */
static void complain(struct trace_run *run, const char *host, int rc, int exit_code)
{
	if (!run->terminal)
		log_error(run->order->log, "trace", "%s: %s", host, status_text(rc));
	run->exit_code = exit_code;
}

static void show(struct live_screen *screen)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	terminal_size(&screen->columns, &screen->rows);
	live_screen_print(out, screen);
	if (fclose(out) == 0)
		terminal_show(text);
	free(text);
}

static void draw(struct trace_run *run)
{
	if (!run->terminal)
		return;
	for (unsigned i = 0; i < run->errand_count; i++) {
		const struct errand *errand = run->errands[i];

		run->hosts[i] = (struct live_screen_host){.host = errand->target->host,
			.state = errand->rc ? status_text(errand->rc) : "",
			.table = errand->table};
	}
	run->screen.hosts = run->hosts;
	run->screen.host_count = run->errand_count;
	show(&run->screen);
}

/* With rounds it stays, for the sum of them. */
static void end_errand(struct errand *errand)
{
	struct trace_run *run = errand->run;

	run->active--;
	if (!in_rounds(run))
		free(errand);
	draw(run);
	begin_more(run);
}

static void fail_errand(struct errand *errand, int rc, int exit_code)
{
	errand->rc = rc;
	complain(errand->run, errand->target->host, rc, exit_code);
	end_errand(errand);
}

static void trace_ended(void *arg, const struct tracer_result *result);

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

	return tracer_start(errand->run->tracer, &trace, trace_ended, errand);
}

static void next_round(uv_timer_t *timer)
{
	struct errand *errand = timer->data;
	int rc;

	errand->lingers = errand->run->screen.paused;
	if (errand->lingers)
		return;
	rc = start_trace(errand, &errand->peer);
	if (rc)
		fail_errand(errand, rc, status_exit_code(rc));
}

static int print(
	struct trace_run *run, const struct errand *errand, const struct obs *obs)
{
	int rc = trace_output_trace(run->output, errand->target->host, obs);

	if (rc)
		complain(run, "standard output", rc, EX_IOERR);
	return rc;
}

static void end_round(struct errand *errand, const struct obs *obs)
{
	struct trace_run *run = errand->run;
	const struct obs_trace *trace = &obs->trace;

	errand->rounds++;
	if (errand->table) {
		round_table_add(errand->table, trace);
		*errand->last = *obs;
	}
	if ((!errand->table && print(run, errand, obs)) ||
		errand->rounds >= run->order->rounds) {
		end_errand(errand);
		return;
	}
	errand->peer = trace->peer;
	errand->likely_length = trace->reached && trace->hop_count
					? (unsigned)trace->hops[trace->hop_count - 1].ttl
					: 0;
	(void)uv_timer_start(&errand->timer, next_round, ROUND_MS, 0);
	draw(run);
}

static void take_trace(struct errand *errand, const struct obs *obs)
{
	struct trace_run *run = errand->run;

	if (in_rounds(run)) {
		end_round(errand, obs);
		return;
	}
	(void)print(run, errand, obs);
	trace_output_changes(run->output, errand->target->host, obs);
	end_errand(errand);
}

/* Names tell of places. */
static void trace_is_named(void *arg, struct obs *obs)
{
	struct errand *errand = arg;

	trace_record_place(obs, errand->run->geo, &errand->run->order->here);
	take_trace(errand, obs);
}

static void print_fan(const struct errand *errand, const struct tracer_result *result)
{
	struct trace_run *run = errand->run;
	int rc = trace_output_fan(run->output, errand->target->host, errand->target->name,
		result, run->geo, &run->order->here);

	if (rc)
		complain(run, "standard output", rc, EX_IOERR);
}

static void trace_ended(void *arg, const struct tracer_result *result)
{
	struct errand *errand = arg;
	struct trace_run *run = errand->run;

	if (result->rc)
		complain(run, errand->target->host, result->rc,
			status_exit_code(result->rc));
	if (result->fan) {
		print_fan(errand, result);
		end_errand(errand);
		return;
	}
	trace_record_fill(run->obs, result->at, errand->target->name, &result->order,
		result->path, run->geo, &run->order->here);
	if (result->mtu)
		trace_record_add_mtu(run->obs, result->mtu);
	if (run->naming)
		naming_add(run->naming, run->obs, trace_is_named, errand);
	else
		take_trace(errand, run->obs);
}

static void free_errand(struct errand *errand)
{
	free(errand->table);
	free(errand->last);
	free(errand);
}

static void timer_closed(uv_handle_t *handle)
{
	free_errand(handle->data);
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
	fail_errand(errand, rc, found ? status_exit_code(rc) : EX_NOHOST);
}

/* NULL when there is no memory. */
static struct errand *new_errand(struct trace_run *run, const struct trace_target *target)
{
	bool summed = in_rounds(run) && run->order->form == TRACE_TABLE;
	struct errand *errand = calloc(1, sizeof(*errand));

	if (!errand)
		return NULL;
	*errand = (struct errand){.run = run, .target = target};
	if (summed) {
		errand->table = calloc(1, sizeof(*errand->table));
		errand->last = malloc(sizeof(*errand->last));
	}
	if (summed && (!errand->table || !errand->last)) {
		free_errand(errand);
		return NULL;
	}
	if (in_rounds(run)) {
		(void)uv_timer_init(&run->loop, &errand->timer);
		errand->timer.data = errand;
		run->errands[run->errand_count++] = errand;
	}
	return errand;
}

static void begin(struct trace_run *run)
{
	const struct trace_target *target = &run->order->targets->list[run->next++];
	struct errand *errand = new_errand(run, target);
	struct address literal;
	int rc;

	if (!errand) {
		complain(run, target->host, -ENOMEM, EX_OSERR);
		return;
	}
	run->active++;
	if (address_parse(&literal, target->host) == 0 &&
		(!run->order->family || run->order->family == literal.family)) {
		host_found(errand, 0, &literal, 1);
		return;
	}
	rc = host_addresses_find(
		run->hosts_asked, target->host, run->order->family, host_found, errand);
	if (rc)
		fail_errand(errand, rc, EX_NOHOST);
}

/* The sum of all rounds of one host. */
static void print_rounds(struct trace_run *run, struct errand *errand)
{
	if (errand->rc && run->order->live)
		log_error(run->order->log, "trace", "%s: %s", errand->target->host,
			status_text(errand->rc));
	if (!errand->table || !errand->table->rounds)
		return;
	if (run->errand_count > 1 || run->order->live)
		(void)printf("%s\n", errand->target->host);
	(void)round_table_print(stdout, errand->table, run->order->colours);
	trace_output_changes(run->output, errand->target->host, errand->last);
	if (fflush(stdout))
		complain(run, "standard output", -errno, EX_IOERR);
}

static void close_rounds(struct trace_run *run)
{
	if (!run->watching)
		return;
	terminal_close(run->terminal);
	run->terminal = NULL;
	for (unsigned i = 0; i < run->errand_count; i++)
		print_rounds(run, run->errands[i]);
	for (unsigned i = 0; i < run->errand_count; i++)
		uv_close((uv_handle_t *)&run->errands[i]->timer, timer_closed);
	for (unsigned i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&run->signals[i], NULL);
}

static void report_counts(const struct trace_run *run)
{
	struct tracer_counts counts = tracer_count(run->tracer);

	if (counts.dropped)
		log_warn(run->order->log, "trace",
			"the kernel had no room for %llu packets: hops may look silent, "
			"a lower --rate helps",
			(unsigned long long)counts.dropped);
	if (counts.unlisted)
		log_warn(run->order->log, "trace",
			"%llu answers came from more addresses than a path lists",
			(unsigned long long)counts.unlisted);
}

static void close_run(struct trace_run *run)
{
	close_rounds(run);
	report_counts(run);
	tracer_close(run->tracer, NULL, NULL);
	run->tracer = NULL;
	host_addresses_close(run->hosts_asked, NULL, NULL);
	run->hosts_asked = NULL;
	naming_close(run->naming, NULL, NULL);
	run->naming = NULL;
}

/* Errands that end at once come back here; only the outermost call begins new ones. */
static void begin_more(struct trace_run *run)
{
	if (run->pumping)
		return;
	run->pumping = true;
	while (!run->stopping && run->active < AT_ONCE &&
		run->next < run->order->targets->count)
		begin(run);
	run->pumping = false;
	if (run->active == 0 && run->tracer)
		close_run(run);
}

/* What is under way is left as it is. */
static void stop(struct trace_run *run)
{
	if (run->stopping || !run->tracer)
		return;
	run->stopping = true;
	close_run(run);
}

static void signal_came(uv_signal_t *handle, int number)
{
	(void)number;
	stop(handle->data);
}

static void go_on(struct trace_run *run)
{
	run->screen.paused = false;
	for (unsigned i = 0; i < run->errand_count; i++)
		if (run->errands[i]->lingers)
			(void)uv_timer_start(&run->errands[i]->timer, next_round, 0, 0);
}

static void begin_anew(struct trace_run *run)
{
	for (unsigned i = 0; i < run->errand_count; i++)
		*run->errands[i]->table = (struct round_table){0};
}

static void key_pressed(void *arg, int key)
{
	struct trace_run *run = arg;
	struct live_screen *screen = &run->screen;
	unsigned hosts = run->errand_count ? run->errand_count : 1;

	if (key == 'p' && !screen->paused)
		screen->paused = true;
	else if (key == 'p' || key == ' ')
		go_on(run);
	else if (key == 'r')
		begin_anew(run);
	else if (key == 'd')
		screen->mode = (screen->mode + 1) % LIVE_SCREEN_MODES;
	else if (key == 'n')
		screen->numeric = !screen->numeric;
	else if (key == 'h' || key == '?')
		screen->help = !screen->help;
	else if (key == TERMINAL_DOWN || key == 'j')
		screen->selected = (screen->selected + 1) % hosts;
	else if (key == TERMINAL_UP || key == 'k')
		screen->selected = (screen->selected + hosts - 1) % hosts;
	if (key == 'q')
		stop(run);
	else
		draw(run);
}

static int open_rounds(struct trace_run *run)
{
	static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
	int rc = 0;

	for (unsigned i = 0; i < SIGNALS; i++) {
		(void)uv_signal_init(&run->loop, &run->signals[i]);
		run->signals[i].data = run;
		(void)uv_signal_start(&run->signals[i], signal_came, numbers[i]);
	}
	run->watching = true;
	run->screen.colours = run->order->colours;
	run->screen.numeric = !run->order->names;
	if (run->order->live)
		rc = terminal_open(&run->terminal, &run->loop, key_pressed, run);
	draw(run);
	return rc;
}

/* Once, and only where it is not the usual one. */
static void report_way(const struct trace_run *run)
{
	const struct trace_run_order *order = run->order;

	if (!tracer_is_privileged(run->tracer))
		log_info(order->log, "trace", "without CAP_NET_RAW: by %s",
			tracer_way(run->tracer, order->family == 6 ? 6 : 4,
				order->protocol));
}

static int open_run(struct trace_run *run, struct fault *fault)
{
	struct tracer_limits limits = {.rate = run->order->rate,
		.peer_rate = run->order->host_rate,
		.router_rate = run->order->router_rate,
		.traces = AT_ONCE};
	int rc = trace_output_open(&run->output, run->order->form);

	run->obs = malloc(sizeof(*run->obs));
	if (rc || !run->obs)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	rc = geo_open(&run->geo, run->order->geo_city, run->order->geo_asn, fault);
	if (rc == 0)
		rc = tracer_open(&run->tracer, &run->loop, &limits, fault);
	if (rc == 0)
		rc = tracer_allows(run->tracer, run->order->protocol, fault);
	if (rc)
		return rc;
	report_way(run);
	rc = host_addresses_open(&run->hosts_asked, &run->loop);
	if (rc == 0 && run->order->names)
		rc = naming_open(&run->naming, &run->loop, NULL, NAMES_WAIT_US, AT_ONCE);
	if (rc == 0 && in_rounds(run))
		rc = open_rounds(run);
	return rc ? fault_at(fault, rc, "", "%s", status_text(rc)) : 0;
}

static void flush(struct trace_run *run)
{
	int rc = trace_output_flush(run->output);

	if (rc)
		complain(run, "standard output", rc, EX_IOERR);
}

static void pause_begins(uv_prepare_t *pause)
{
	flush(pause->data);
}

/* It keeps no loop running. */
static void watch_pauses(struct trace_run *run)
{
	(void)uv_prepare_init(&run->loop, &run->pause);
	run->pause.data = run;
	(void)uv_prepare_start(&run->pause, pause_begins);
	uv_unref((uv_handle_t *)&run->pause);
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
	if (rc == 0) {
		watch_pauses(&run);
		begin_more(&run);
	} else {
		log_error(order->log, "trace", "%s",
			fault_text(&fault, text, sizeof(text)));
	}
	if (rc && run.tracer)
		close_run(&run);
	(void)uv_run(&run.loop, UV_RUN_DEFAULT);
	if (rc == 0) {
		flush(&run);
		uv_close((uv_handle_t *)&run.pause, NULL);
		(void)uv_run(&run.loop, UV_RUN_DEFAULT);
	}
	(void)uv_loop_close(&run.loop);
	geo_close(run.geo);
	trace_output_close(run.output);
	free(run.obs);
	return rc ? status_exit_code(rc) : run.exit_code;
}
