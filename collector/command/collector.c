#include "collector.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>
#include <uv.h>

#include "api.h"
#include "astray/json.h"
#include "astray/now.h"
#include "astray/service_manager.h"
#include "astray/status.h"
#include "checkpoint.h"
#include "collector_metrics.h"
#include "dashboard.h"
#include "geo.h"
#include "http_server.h"
#include "ingest.h"
#include "journal.h"
#include "listen_text.h"
#include "metrics.h"
#include "notify.h"
#include "pipeline.h"
#include "rebuild.h"
#include "store.h"

#define SECOND_MS 1000
#define GEO_SECONDS 10
#define PROGRESS_US (5 * MOMENT_SECOND_US)
#define TURN_US (MOMENT_SECOND_US / 10)
#define WEB_BODY_BYTES ((size_t)64 * 1024)
#define FOLDER_MODE 0750
#define SNAPSHOT "judgement.snapshot"

struct collector {
	uv_loop_t loop;
	struct collector_config *config; /* in force */
	struct log *log;
	struct service_manager manager;
	int lock_fd;
	struct geo *geo;
	struct store *store;
	struct notify *notify;
	struct pipeline *pipeline;
	struct journal *journal;
	struct ingest *ingest;
	struct api *api;
	struct metrics *metrics;
	struct checkpoint *checkpoint;
	struct http_server *probes, *web;
	uv_signal_t hangup, terminate, interrupt;
	uv_timer_t second;
	struct moment passed; /* the last second that the pipeline was told of */
	struct moment fed;    /* the rx of the last batch that it has seen of */
	bool whole;           /* all of the journal has been judged */
	bool snapshot_due;
	struct tick progress_at, turned_at; /* while the journal is judged again */
	unsigned seconds;
	bool handles_open, stopping, store_failing;
	int exit_code;
};

static int fail(struct collector *collector, int rc, const struct fault *fault)
{
	char text[1024];

	log_error(
		collector->log, "collector", "%s", fault_text(fault, text, sizeof(text)));
	return rc;
}

/* ---- the way of an observation */

static void observed(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct collector *collector = arg;

	store_observed(collector->store, origin, obs);
	metrics_observed(collector->metrics, origin, obs);
}

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	struct collector *collector = arg;

	store_changed(collector->store, change, incident);
	metrics_changed(collector->metrics, change, incident);
	(void)notify_change(collector->notify, change, incident);
	api_changed(collector->api, change, incident);
}

static void flush(struct collector *collector)
{
	struct fault fault = {0};
	bool failed = store_flush(collector->store, &fault) != 0;

	if (failed && !collector->store_failing)
		(void)fail(collector, 0, &fault);
	if (!failed && collector->store_failing)
		log_info(collector->log, "collector", "the store is written again");
	collector->store_failing = failed;
}

/* What has been fed to the end of a batch: the store first, for the journal will not
 * give it again. */
static void take_snapshot(struct collector *collector)
{
	collector->snapshot_due = false;
	flush(collector);
	if (!collector->store_failing)
		checkpoint_take(
			collector->checkpoint, collector->pipeline, collector->fed);
}

static void feed(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct collector *collector = arg;

	if (collector->snapshot_due && moment_before(collector->fed, origin->rx))
		take_snapshot(collector);
	collector->fed = origin->rx;
	pipeline_feed(collector->pipeline, origin, obs);
}

static void learn_role(void *arg, const char *probe, enum obs_role role)
{
	struct collector *collector = arg;

	ingest_learn(collector->ingest, probe, role);
}

static void feed_again(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct collector *collector = arg;

	if (obs->kind == OBS_HELLO)
		learn_role(collector, origin->probe, obs->hello.role);
	collector->fed = origin->rx;
	pipeline_feed(collector->pipeline, origin, obs);
}

static struct moment whole_second(struct moment at)
{
	return (struct moment){at.us - at.us % MOMENT_SECOND_US};
}

static void let_time_pass(struct collector *collector)
{
	struct moment second = whole_second(ingest_settled(collector->ingest));

	if (!moment_before(collector->passed, second))
		return;
	collector->passed = second;
	pipeline_advance(collector->pipeline, second);
}

/* While batches come one behind the other, feed finds the place between two of them. */
static void snapshot_if_due(struct collector *collector)
{
	int64_t every = collector->config->journal_snapshot_us / MOMENT_SECOND_US;

	collector->snapshot_due |= collector->seconds % every == 0;
	if (collector->snapshot_due && collector->fed.us &&
		moment_before(collector->fed, ingest_settled(collector->ingest)))
		take_snapshot(collector);
}

static void second_passed(uv_timer_t *timer)
{
	struct collector *collector = timer->data;
	struct fault fault = {0};

	let_time_pass(collector);
	flush(collector);
	api_tick(collector->api);
	service_manager_tell(&collector->manager, "WATCHDOG=1");
	++collector->seconds;
	snapshot_if_due(collector);
	if (collector->seconds % GEO_SECONDS == 0 &&
		geo_refresh(collector->geo, &fault) < 0)
		(void)fail(collector, 0, &fault);
}

/* ---- for the rooms behind the web listener */

static int operate(void *arg, const char *line, size_t len,
	void (*done)(void *done_arg, int rc), void *done_arg)
{
	struct collector *collector = arg;

	return ingest_say(collector->ingest, line, len, done, done_arg, NULL);
}

static void write_own_metrics(void *arg, struct metric_text *text)
{
	struct collector *collector = arg;
	struct collector_sample sample = {
		.behind_us = moment_since_us(journal_now(collector->journal),
			ingest_settled(collector->ingest))};

	if (collector->probes)
		http_server_read_counters(collector->probes, &sample.probes);
	if (collector->web)
		http_server_read_counters(collector->web, &sample.web);
	ingest_read_counters(collector->ingest, &sample.ingest);
	journal_read_counters(collector->journal, &sample.journal);
	pipeline_read_counters(collector->pipeline, &sample.pipeline);
	notify_read_counters(collector->notify, &sample.notify);
	collector_metrics_write(text, &sample);
}

static void web_asked(void *arg, struct http_exchange *exchange)
{
	struct collector *collector = arg;

	if (collector->stopping)
		http_server_refuse(exchange, 503, "the collector is ending");
	else if (api_handle(collector->api, exchange))
		return;
	else if (strcmp(http_server_request(exchange)->path, "/metrics") == 0)
		metrics_answer(collector->metrics, exchange);
	else if (!dashboard_answer(exchange))
		http_server_refuse(exchange, 404, "there is nothing here");
}

/* ---- the end, step by step */

static void close_rest(void *arg)
{
	struct collector *collector = arg;

	collector->ingest = NULL;
	if (collector->store)
		flush(collector);
	if (collector->whole && collector->fed.us)
		take_snapshot(collector);
	checkpoint_close(collector->checkpoint);
	collector->checkpoint = NULL;
	notify_close(collector->notify);
	collector->notify = NULL;
	if (!collector->handles_open)
		return;
	uv_close((uv_handle_t *)&collector->hangup, NULL);
	uv_close((uv_handle_t *)&collector->terminate, NULL);
	uv_close((uv_handle_t *)&collector->interrupt, NULL);
	uv_close((uv_handle_t *)&collector->second, NULL);
}

static void close_ingest(void *arg)
{
	struct collector *collector = arg;

	collector->journal = NULL;
	if (collector->ingest)
		ingest_close(collector->ingest, close_rest, collector);
	else
		close_rest(collector);
}

static void close_journal(void *arg)
{
	struct collector *collector = arg;

	collector->probes = NULL;
	if (collector->journal)
		journal_close(collector->journal, close_ingest, collector);
	else
		close_ingest(collector);
}

static void close_probes(void *arg)
{
	struct collector *collector = arg;

	collector->web = NULL;
	if (collector->probes)
		http_server_close(collector->probes, close_journal, collector);
	else
		close_journal(collector);
}

static void stop(struct collector *collector)
{
	if (collector->stopping)
		return;
	collector->stopping = true;
	service_manager_tell(&collector->manager, "STOPPING=1");
	if (collector->handles_open)
		(void)uv_timer_stop(&collector->second);
	if (collector->web)
		http_server_close(collector->web, close_probes, collector);
	else
		close_probes(collector);
}

static void end_asked(uv_signal_t *signal, int number)
{
	struct collector *collector = signal->data;

	log_info(collector->log, "collector",
		"%s: ends once all that was taken is durable and judged",
		number == SIGTERM ? "SIGTERM" : "SIGINT");
	stop(collector);
}

/* ---- another configuration */

static char *text_of_services(const struct services *services)
{
	struct json *root = json_new_object();
	char *text = NULL;

	if (root) {
		services_write(services, root);
		text = json_print_new(root);
	}
	json_free(root);
	return text;
}

/* What was built from these stays what it was until the next start. */
#define PART(member)                                                   \
	{                                                              \
		offsetof(struct collector_config, member),             \
			sizeof(((struct collector_config *)0)->member) \
	}
static const struct {
	size_t at, size;
} fixed_parts[] = {PART(data), PART(listen), PART(tls), PART(certificate), PART(key),
	PART(client_ca), PART(web), PART(web_listen), PART(web_url),
	PART(web_token_given), PART(web_token), PART(connections),
	PART(connections_per_address), PART(geo_city), PART(geo_asn), PART(judgement),
	PART(notify), PART(journal_keep_us), PART(journal_keep_bytes),
	PART(journal_rebuild_us), PART(journal_snapshot_us), PART(store_keep_us)};

static bool needs_restart(
	const struct collector_config *now, const struct collector_config *then)
{
	char *mine = text_of_services(&now->services),
	     *theirs = text_of_services(&then->services);
	bool same = mine && theirs && strcmp(mine, theirs) == 0;

	for (size_t i = 0; i < sizeof(fixed_parts) / sizeof(fixed_parts[0]); i++)
		same = same && memcmp((const char *)now + fixed_parts[i].at,
				       (const char *)then + fixed_parts[i].at,
				       fixed_parts[i].size) == 0;
	free(mine);
	free(theirs);
	return !same;
}

/* Probes are told of the services that are judged: with others the assignment waits, too.
 */
static void swap_rules(
	struct collector *collector, struct collector_config *other, bool with_assignment)
{
	struct collector_config *config = collector->config;
	struct ingest_token *tokens = config->tokens;
	char(*refused)[OBS_WORD] = config->refused;
	struct assigned assigned = config->assigned;
	struct ingest_rules rules;

	config->tokens = other->tokens;
	config->token_count = other->token_count;
	config->refused = other->refused;
	config->refused_count = other->refused_count;
	if (with_assignment) {
		config->assigned = other->assigned;
		other->assigned = assigned;
	}
	config->quota_bytes_per_minute = other->quota_bytes_per_minute;
	rules = collector_config_rules(config);
	ingest_set_rules(collector->ingest, &rules);
	other->tokens = tokens;
	other->refused = refused;
}

static void reload(struct collector *collector)
{
	struct collector_config *other = NULL;
	struct fault fault = {0};
	bool restart;

	if (collector_config_read(&other, collector->config->path, &fault) ||
		http_server_reload(collector->probes, &fault)) {
		(void)fail(collector, 0, &fault);
		log_error(collector->log, "collector",
			"the configuration of before stays in force");
		collector_config_free(other);
		return;
	}
	restart = needs_restart(collector->config, other);
	if (restart)
		log_warn(collector->log, "collector",
			"certificates, probes, their quota and log are in force; for "
			"services, assignment and all else restart the collector");
	else
		log_info(collector->log, "collector", "the configuration was read again");
	swap_rules(collector, other, !restart);
	collector->log->level = other->log_level;
	collector->log->format = other->log_format;
	collector_config_free(other);
}

static void reload_asked(uv_signal_t *signal, int number)
{
	struct collector *collector = signal->data;

	(void)number;
	if (!collector->probes || collector->stopping)
		return;
	service_manager_tell_reloading(&collector->manager, now_tick());
	reload(collector);
	service_manager_tell(&collector->manager, "READY=1");
}

/* ---- the beginning */

static int take_folder(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	char file[COLLECTOR_CONFIG_TEXT];

	if (mkdir(config->data, FOLDER_MODE) && errno != EEXIST)
		return fault_at(
			fault, -errno, "data", "%s: %s", config->data, strerror(errno));
	collector->lock_fd = open(collector_config_file(config, "lock", file),
		O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (collector->lock_fd < 0)
		return fault_at(fault, -errno, "data", "%s: %s", file, strerror(errno));
	if (flock(collector->lock_fd, LOCK_EX | LOCK_NB))
		return fault_at(fault, -EAGAIN, "data",
			"%s: another collector uses this folder", config->data);
	return 0;
}

static int open_handles(struct collector *collector)
{
	(void)uv_signal_init(&collector->loop, &collector->hangup);
	(void)uv_signal_init(&collector->loop, &collector->terminate);
	(void)uv_signal_init(&collector->loop, &collector->interrupt);
	(void)uv_timer_init(&collector->loop, &collector->second);
	collector->hangup.data = collector->terminate.data = collector->interrupt.data =
		collector->second.data = collector;
	collector->handles_open = true;
	if (uv_signal_start(&collector->hangup, reload_asked, SIGHUP) ||
		uv_signal_start(&collector->terminate, end_asked, SIGTERM) ||
		uv_signal_start(&collector->interrupt, end_asked, SIGINT))
		return -ENOMEM;
	return 0;
}

static bool what_is_learnt(
	void *arg, const char *service, struct learning out[static LEARNING_ABILITIES])
{
	struct collector *collector = arg;

	return collector->pipeline &&
	       pipeline_learning(collector->pipeline, service, out);
}

static int open_store(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	char file[COLLECTOR_CONFIG_TEXT];
	const struct store_settings settings = {
		.file = collector_config_file(config, "store.db", file),
		.keep_us = config->store_keep_us};
	const struct metrics_settings metrics = {.services = &config->services,
		.now = now_moment,
		.learning = what_is_learnt,
		.learning_arg = collector,
		.own = write_own_metrics,
		.own_arg = collector};
	int rc = store_open(&collector->store, &settings, fault);

	if (rc == 0) {
		struct metrics_settings mine = metrics;

		mine.store = collector->store;
		rc = metrics_new(&collector->metrics, &mine);
	}
	return rc;
}

static int open_api(struct collector *collector)
{
	const struct collector_config *config = collector->config;

	return api_new(&collector->api,
		&(struct api_settings){.store = collector->store,
			.services = &config->services,
			.now = now_moment,
			.token = config->web_token_given ? &config->web_token : NULL,
			.url = config->web_url,
			.geo = geo_credit(collector->geo),
			.learning = what_is_learnt,
			.learning_arg = collector,
			.operate = operate,
			.operate_arg = collector});
}

static int open_notify(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	char file[COLLECTOR_CONFIG_TEXT];

	return notify_open(&collector->notify, &collector->loop,
		&(struct notify_settings){
			.file = collector_config_file(config, "notify.db", file),
			.dashboard = config->web_url,
			.config = &config->notify,
			.log = collector->log},
		fault);
}

static int open_pipeline(struct collector *collector)
{
	const struct collector_config *config = collector->config;
	const struct pipeline_hooks hooks = {
		.observed = observed, .changed = changed, .arg = collector};

	return pipeline_new(&collector->pipeline, &config->services, &config->judgement,
		collector->geo, &hooks);
}

static int open_checkpoint(struct collector *collector)
{
	char file[COLLECTOR_CONFIG_TEXT];

	return checkpoint_new(&collector->checkpoint, &collector->loop,
		collector_config_file(collector->config, SNAPSHOT, file), collector->log);
}

static int open_journal(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	char file[COLLECTOR_CONFIG_TEXT];
	const struct journal_settings settings = {
		.file = collector_config_file(config, "journal.db", file),
		.keep_us = config->journal_keep_us,
		.keep_bytes = config->journal_keep_bytes};
	struct ingest_rules rules = collector_config_rules(config);
	int rc = journal_open(
		&collector->journal, &collector->loop, &settings, collector->log, fault);

	return rc ? rc
		  : ingest_open(&collector->ingest, &collector->loop, collector->journal,
			    &rules, collector->log, feed, collector);
}

static int open_rooms(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	int rc = geo_open(&collector->geo, config->geo_city, config->geo_asn, fault);

	if (rc == 0)
		rc = open_store(collector, fault);
	if (rc == 0)
		rc = open_notify(collector, fault);
	if (rc == 0)
		rc = open_api(collector);
	if (rc == 0)
		rc = open_pipeline(collector);
	if (rc == 0)
		rc = open_checkpoint(collector);
	if (rc == 0)
		rc = open_journal(collector, fault);
	if (rc && !fault->why[0])
		(void)fault_at(fault, rc, "", "%s", status_text(rc));
	return rc;
}

static void tell_progress(struct collector *collector, unsigned percent)
{
	char state[128];

	log_info(collector->log, "collector", "the journal is judged again: %u %%",
		percent);
	(void)snprintf(state, sizeof(state),
		"STATUS=judging the journal again: %u %%\nEXTEND_TIMEOUT_USEC=%" PRId64
		"\nWATCHDOG=1",
		percent, 12 * PROGRESS_US);
	service_manager_tell(&collector->manager, state);
	flush(collector);
}

static bool rebuild_turned(void *arg, unsigned percent)
{
	struct collector *collector = arg;
	struct tick now = now_tick();

	if (tick_since_us(now, collector->turned_at) < TURN_US)
		return true;
	collector->turned_at = now;
	if (tick_since_us(now, collector->progress_at) >= PROGRESS_US) {
		collector->progress_at = now;
		tell_progress(collector, percent);
	}
	(void)uv_run(&collector->loop, UV_RUN_NOWAIT); /* a signal may end it here */
	return !collector->stopping;
}

/* The state of the last snapshot; the journal goes on behind collector->fed. */
static int take_up_snapshot(struct collector *collector, struct fault *fault)
{
	char file[COLLECTOR_CONFIG_TEXT];
	struct checkpoint_bounds bounds = {.store = store_watermark(collector->store)};
	int rc = rebuild_newest(
		collector_config_file(collector->config, "journal.db", file),
		&bounds.journal, fault);

	if (rc)
		return rc;
	rc = checkpoint_read(
		collector->checkpoint, collector->pipeline, &bounds, &collector->fed);
	if (rc == -ENOENT)
		return 0;
	if (rc) {
		pipeline_free(collector->pipeline);
		collector->pipeline = NULL;
		return open_pipeline(collector);
	}
	pipeline_probes(collector->pipeline, learn_role, collector);
	pipeline_recall(collector->pipeline);
	return 0;
}

static int rebuild(struct collector *collector, struct fault *fault)
{
	char file[COLLECTOR_CONFIG_TEXT];
	struct rebuild_result result;
	struct tick start = now_tick();
	char span[MOMENT_TEXT];
	int rc = take_up_snapshot(collector, fault);

	if (rc)
		return rc;
	collector->progress_at = start;
	rc = rebuild_run(
		&(struct rebuild_order){.file = collector_config_file(
						collector->config, "journal.db", file),
			.span_us = collector->config->journal_rebuild_us,
			.after = collector->fed,
			.log = collector->log,
			.feed = feed_again,
			.turn = rebuild_turned,
			.arg = collector},
		&result, fault);
	if (rc || result.broken_off)
		return rc;
	collector->whole = collector->snapshot_due = true;
	notify_caught_up(collector->notify);
	api_caught_up(collector->api);
	flush(collector);
	log_info(collector->log, "collector",
		"judged %" PRIu64 " observations of %" PRIu64 " batches again in %s",
		result.observations, result.batches,
		moment_span_text(tick_since_us(now_tick(), start), span));
	if (result.unreadable)
		log_warn(collector->log, "collector",
			"%" PRIu64
			" lines of the journal are not of this version, passed over",
			result.unreadable);
	return 0;
}

static int listen_for_probes(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	const struct http_settings settings = {.address = config->listen.address,
		.port = config->listen.port,
		.certificate_file = config->tls ? config->certificate : NULL,
		.key_file = config->tls ? config->key : NULL,
		.client_ca_file = config->client_ca[0] ? config->client_ca : NULL,
		.body_limit_bytes = (size_t)WIRE_BATCH_MAX,
		.connections_max = config->connections,
		.connections_per_address = config->connections_per_address};

	return http_server_open(&collector->probes, &collector->loop, &settings,
		collector->log, ingest_handle, collector->ingest, fault);
}

static int listen_for_people(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	const struct http_settings settings = {.address = config->web_listen.address,
		.port = config->web_listen.port,
		.body_limit_bytes = WEB_BODY_BYTES};

	if (!config->web)
		return 0;
	if (!listen_text_is_local(&config->web_listen.address) &&
		!config->web_token_given)
		log_warn(collector->log, "collector",
			"web.listen can be reached from elsewhere and web.token_file is "
			"not set: whoever "
			"gets there may acknowledge incidents and announce work");
	return http_server_open(&collector->web, &collector->loop, &settings,
		collector->log, web_asked, collector, fault);
}

static void say_ready(struct collector *collector)
{
	char probes[ADDRESS_TEXT], web[ADDRESS_TEXT];

	log_info(collector->log, "collector", "takes observations at %s port %u%s",
		address_text(&collector->config->listen.address, probes),
		(unsigned)http_server_port(collector->probes),
		collector->config->tls ? "" : " (without TLS)");
	if (collector->web)
		log_info(collector->log, "collector", "shows them at http://%s%s%s:%u/",
			collector->config->web_listen.address.family == 6 ? "[" : "",
			address_text(&collector->config->web_listen.address, web),
			collector->config->web_listen.address.family == 6 ? "]" : "",
			(unsigned)http_server_port(collector->web));
	service_manager_tell(&collector->manager, "READY=1\nSTATUS=serving");
}

static int start(struct collector *collector)
{
	struct fault fault = {0};
	int rc = take_folder(collector, &fault);

	if (rc == 0)
		rc = open_handles(collector);
	if (rc == 0)
		rc = open_rooms(collector, &fault);
	if (rc == 0)
		rc = rebuild(collector, &fault);
	if (rc == 0 && !collector->stopping)
		rc = listen_for_probes(collector, &fault);
	if (rc == 0 && !collector->stopping)
		rc = listen_for_people(collector, &fault);
	if (rc) {
		if (!fault.why[0])
			(void)fault_at(&fault, rc, "", "%s", status_text(rc));
		return fail(collector, rc, &fault);
	}
	if (collector->stopping)
		return 0;
	(void)uv_timer_start(&collector->second, second_passed, SECOND_MS, SECOND_MS);
	say_ready(collector);
	return 0;
}

static void free_rooms(struct collector *collector)
{
	struct fault fault = {0};

	pipeline_free(collector->pipeline);
	api_free(collector->api);
	metrics_free(collector->metrics);
	store_close(collector->store);
	geo_close(collector->geo);
	if (collector->lock_fd >= 0)
		(void)close(collector->lock_fd);
	if (uv_loop_close(&collector->loop)) {
		(void)fault_at(&fault, -EBUSY, "", "the loop did not end well");
		(void)fail(collector, 0, &fault);
	}
	service_manager_leave(&collector->manager);
	collector_config_free(collector->config);
}

int collector_run(struct collector_config *config, struct log *log)
{
	struct collector collector = {.config = config,
		.log = log,
		.lock_fd = -1,
		.exit_code = EX_OK,
		.manager = service_manager_find()};
	int rc;

	log->level = config->log_level;
	log->format = config->log_format;
	(void)signal(SIGPIPE, SIG_IGN);
	rc = uv_loop_init(&collector.loop);
	if (rc) {
		log_error(log, "collector", "%s", status_text(rc));
		collector_config_free(config);
		return EX_OSERR;
	}
	rc = start(&collector);
	if (rc) {
		collector.exit_code = status_exit_code(rc);
		stop(&collector);
	}
	(void)uv_run(&collector.loop, UV_RUN_DEFAULT);
	free_rooms(&collector);
	return collector.exit_code;
}
