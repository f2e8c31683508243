#include "agent.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <uv.h>

#include "arrangement.h"
#include "assignment.h"
#include "assignment_file.h"
#include "astray/now.h"
#include "astray/service_manager.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "call_fence.h"
#include "home_hops.h"
#include "lean.h"
#include "measure_plan.h"
#include "network_watch.h"
#include "privileges.h"
#include "self_measure.h"

#define MINUTE_MS (uint64_t)(MOMENT_MINUTE_US / 1000)

struct agent {
	uv_loop_t loop;
	struct log *log;
	const struct source_kind *const *kinds;
	struct agent_config *config;
	struct service_manager manager;
	struct spool *spool;   /* NULL: printing */
	struct uplink *uplink; /* likewise */
	struct fetch *fetch;
	struct assignment *assignment; /* NULL: the configuration says everything */
	char *assigned;                /* its text; NULL: none yet */
	struct network_watch *network; /* NULL: cannot be watched */
	struct arrangement *arrangement;
	uv_signal_t hup, term, interrupt;
	uv_timer_t minute, watchdog;
	struct obs *obs; /* too large for a stack */
	char *line;      /* printing */
	int64_t dropped; /* as it was last said */
	bool stopping;
};

static void gone(void *arg)
{
	(void)arg;
}

/* ---- what it says of itself */

static void print_obs(struct agent *agent, const struct obs *obs)
{
	int len = wire_encode(agent->line, WIRE_LINE_MAX + 1, obs);

	if (len > 0)
		(void)fwrite(agent->line, 1, (size_t)len, stdout);
	/* Nobody reads any more. By signal, because a source is in the middle of
	 * something. */
	if (fflush(stdout))
		(void)raise(SIGTERM);
}

static void send_obs(struct agent *agent, const struct obs *obs)
{
	if (agent->uplink)
		uplink_add(agent->uplink, obs);
	else
		print_obs(agent, obs);
}

static void emit(void *arg, const struct obs *obs)
{
	struct agent *agent = arg;

	if (agent->config->role == OBS_ENDPOINT && home_hops_are_in(obs)) {
		memcpy(agent->obs, obs, obs_held_bytes(obs));
		home_hops_hide(agent->obs);
		obs = agent->obs;
	}
	if (agent->config->role == OBS_ENDPOINT && lean_is_wanted(obs)) {
		memcpy(agent->obs, obs, obs_held_bytes(obs));
		lean_strip(agent->obs);
		obs = agent->obs;
	}
	send_obs(agent, obs);
}

static void say_hello(struct agent *agent)
{
	const struct agent_config *config = agent->config;
	struct obs_hello *hello = &agent->obs->hello;

	obs_init(agent->obs, OBS_HELLO, now_moment());
	(void)snprintf(hello->version, sizeof(hello->version), "%s", ASTRAY_VERSION);
	hello->role = config->role;
	hello->label_count = config->label_count;
	memcpy(hello->labels, config->labels, sizeof(hello->labels));
	send_obs(agent, agent->obs);
}

static void count_spool(struct agent *agent, struct obs_health *health)
{
	struct spool_counts spool = spool_count(agent->spool);

	health->spooled_batches = spool.batches;
	health->spooled_bytes = spool.bytes;
	health->dropped_observations =
		spool.dropped_observations + uplink_count(agent->uplink).unwritable;
	if (health->dropped_observations > agent->dropped)
		log_warn(agent->log, "spool",
			"%" PRId64
			" observations dropped since the start; the collector is "
			"told which times they were of",
			health->dropped_observations);
	agent->dropped = health->dropped_observations;
}

static void say_health(struct agent *agent)
{
	struct obs_health *health = &agent->obs->health;

	obs_init(agent->obs, OBS_HEALTH, now_moment());
	health->cpu_us = self_measure_cpu_us();
	health->rss_bytes = self_measure_rss_bytes();
	if (agent->spool)
		count_spool(agent, health);
	arrangement_report(agent->arrangement, health);
	send_obs(agent, agent->obs);
}

static void say_status(struct agent *agent)
{
	unsigned running, wanted;
	char status[128];

	arrangement_count(agent->arrangement, &running, &wanted);
	(void)snprintf(
		status, sizeof(status), "STATUS=%u of %u sources run", running, wanted);
	service_manager_tell(&agent->manager, status);
}

/* ---- what is measured */

/* Measures from now on what configuration and assignment say. A wrong assignment changes
 * nothing. */
static void rearrange(struct agent *agent)
{
	struct measure_plan *plan;
	struct fault fault = {0};
	char text[512];
	int rc = measure_plan_new(&plan, agent->kinds, agent->config->text,
		agent->config->needs_assignment ? agent->assigned : NULL, &fault);

	if (rc) {
		log_error(agent->log, "agent", "%s; what was measured so far goes on",
			fault_text(&fault, text, sizeof(text)));
		return;
	}
	arrangement_change(agent->arrangement, plan, agent->config);
	say_status(agent);
}

static bool is_fit(struct agent *agent, const char *text)
{
	struct measure_plan *plan;
	struct fault fault = {0};
	char said[512];
	int rc = measure_plan_new(&plan, agent->kinds, agent->config->text, text, &fault);

	if (rc)
		log_error(agent->log, "agent",
			"%s; what was assigned before stays in force",
			fault_text(&fault, said, sizeof(said)));
	else
		measure_plan_free(plan);
	return rc == 0;
}

static void assigned(void *arg, const char *text, size_t len)
{
	struct agent *agent = arg;
	int rc;

	if (strlen(text) != len ||
		(agent->assigned && strcmp(agent->assigned, text) == 0) ||
		!is_fit(agent, text))
		return;
	free(agent->assigned);
	agent->assigned = strdup(text);
	rc = agent->spool
		     ? assignment_file_store(agent->config->spool_directory, text, len)
		     : 0;
	if (rc)
		log_warn(agent->log, "agent",
			"the assignment could not be kept in %s: %s",
			agent->config->spool_directory, status_text(rc));
	log_info(agent->log, "agent", "the collector assigned what to measure");
	rearrange(agent);
}

/* ---- what happens */

static void network_joined(void *arg)
{
	struct agent *agent = arg;

	log_info(agent->log, "agent", "this machine joined a network");
	say_hello(agent);
	if (agent->uplink) {
		uplink_flush(agent->uplink);
		uplink_hurry(agent->uplink);
	}
	if (agent->assignment)
		assignment_ask(agent->assignment);
}

static void minute_passed(uv_timer_t *timer)
{
	struct agent *agent = timer->data;

	if (arrangement_look_after_geo(agent->arrangement))
		rearrange(agent);
	say_health(agent);
	say_status(agent);
}

static void watchdog_due(uv_timer_t *timer)
{
	const struct agent *agent = timer->data;

	service_manager_tell(&agent->manager, "WATCHDOG=1");
}

static void apply_log(struct agent *agent)
{
	agent->log->level = agent->config->log_level;
	agent->log->format = agent->config->log_format;
}

/* Opens, closes or redirects it as the configuration now wants. */
static int arrange_assignment(struct agent *agent)
{
	const struct agent_config *config = agent->config;

	if (!config->needs_assignment) {
		if (agent->assignment)
			assignment_close(agent->assignment, gone, NULL);
		agent->assignment = NULL;
		return 0;
	}
	if (agent->assignment) {
		assignment_configure(
			agent->assignment, &config->uplink.access, config->role);
		return 0;
	}
	if (!agent->assigned)
		agent->assigned = assignment_file_load(config->spool_directory);
	return assignment_open(&agent->assignment, &agent->loop, agent->log, agent->fetch,
		&config->uplink.access, config->role, assigned, agent);
}

static void say_what_waits_for_a_restart(
	const struct agent *agent, const struct agent_config *new)
{
	const struct agent_config *old = agent->config;

	if (strcmp(old->spool_directory, new->spool_directory) != 0 ||
		old->spool_limit_bytes != new->spool_limit_bytes ||
		strcmp(old->user, new->user) != 0)
		log_warn(agent->log, "agent",
			"changes of \"spool\" and \"user\" are taken up at the next "
			"start");
}

static void apply(struct agent *agent, struct agent_config *config)
{
	int rc;

	say_what_waits_for_a_restart(agent, config);
	agent_config_free(agent->config);
	agent->config = config;
	apply_log(agent);
	if (agent->uplink)
		uplink_configure(agent->uplink, &config->uplink);
	rc = arrange_assignment(agent);
	if (rc)
		log_error(agent->log, "agent", "asking for the assignment: %s",
			status_text(rc));
	rearrange(agent);
	say_hello(agent);
	log_info(agent->log, "agent", "%s was read again", config->path);
}

static void reload(struct agent *agent)
{
	struct agent_config *config;
	struct fault fault = {0};
	char text[512];

	service_manager_tell_reloading(&agent->manager, now_tick());
	if (agent_config_read(&config, agent->config->path, agent->kinds, &fault))
		log_error(agent->log, "agent", "%s; the old configuration stays in force",
			fault_text(&fault, text, sizeof(text)));
	else
		apply(agent, config);
	service_manager_tell(&agent->manager, "READY=1");
}

static void close_fetch(void *arg)
{
	struct agent *agent = arg;

	fetch_close(agent->fetch);
	agent->fetch = NULL;
}

/* The sources have said their last. */
static void end_uplink(void *arg)
{
	struct agent *agent = arg;

	if (agent->uplink)
		uplink_close(agent->uplink, close_fetch, agent);
	else
		close_fetch(agent);
}

static void close_handle(void *handle)
{
	uv_close(handle, NULL);
}

static void stop(struct agent *agent)
{
	if (agent->stopping)
		return;
	agent->stopping = true;
	service_manager_tell(&agent->manager, "STOPPING=1");
	close_handle(&agent->hup);
	close_handle(&agent->term);
	close_handle(&agent->interrupt);
	close_handle(&agent->minute);
	close_handle(&agent->watchdog);
	if (agent->network)
		network_watch_close(agent->network, gone, NULL);
	if (agent->assignment)
		assignment_close(agent->assignment, gone, NULL);
	arrangement_stop(agent->arrangement, end_uplink, agent);
}

static void signalled(uv_signal_t *handle, int number)
{
	struct agent *agent = handle->data;

	if (number == SIGHUP) {
		reload(agent);
		return;
	}
	log_info(agent->log, "agent", "told to end (signal %d)", number);
	stop(agent);
}

/* ---- life */

static void listen_for(struct agent *agent, uv_signal_t *handle, int number)
{
	/* Neither fails with a signal that can be caught. */
	(void)uv_signal_init(&agent->loop, handle);
	handle->data = agent;
	(void)uv_signal_start(handle, signalled, number);
}

static void start_handles(struct agent *agent)
{
	uint64_t watchdog_ms = (uint64_t)agent->manager.watchdog_us / 2000;

	listen_for(agent, &agent->hup, SIGHUP);
	listen_for(agent, &agent->term, SIGTERM);
	listen_for(agent, &agent->interrupt, SIGINT);
	(void)uv_timer_init(&agent->loop, &agent->minute);
	(void)uv_timer_init(&agent->loop, &agent->watchdog);
	agent->minute.data = agent->watchdog.data = agent;
	(void)uv_timer_start(&agent->minute, minute_passed, MINUTE_MS, MINUTE_MS);
	if (watchdog_ms)
		(void)uv_timer_start(
			&agent->watchdog, watchdog_due, watchdog_ms, watchdog_ms);
}

static void watch_network(struct agent *agent)
{
	struct fault fault = {0};
	char text[512];

	if (network_watch_open(
		    &agent->network, &agent->loop, network_joined, agent, &fault))
		log_warn(agent->log, "agent",
			"joining another network will not be noticed: %s",
			fault_text(&fault, text, sizeof(text)));
}

static int open_uplink(struct agent *agent, struct fault *fault)
{
	const struct agent_config *config = agent->config;
	int rc = spool_open(
		&agent->spool, config->spool_directory, config->spool_limit_bytes, fault);

	if (rc == 0)
		rc = uplink_open(&agent->uplink, &agent->loop, agent->log, agent->spool,
			agent->fetch, &config->uplink);
	return rc;
}

/* Only what cannot be done without fails; the rest is said, and tried again. */
static int open_parts(struct agent *agent, bool print, struct fault *fault)
{
	struct arrangement_order order = {.loop = &agent->loop,
		.log = agent->log,
		.kinds = agent->kinds,
		.emit = emit,
		.emit_arg = agent};
	int rc = arrangement_new(&agent->arrangement, &order);

	if (rc == 0)
		rc = fetch_open(&agent->fetch, &agent->loop);
	if (rc == 0 && !print)
		rc = open_uplink(agent, fault);
	if (rc == 0)
		rc = arrange_assignment(agent);
	return rc;
}

static int give_up_privileges(struct agent *agent, struct fault *fault)
{
	int rc = privileges_drop(agent->config->user, fault);

	if (rc)
		return rc;
	if (geteuid() == 0)
		log_warn(agent->log, "agent",
			"runs as root, though with one capability at most: set \"user\" "
			"in %s",
			agent->config->path);
	rc = call_fence_raise();
	if (rc)
		log_info(agent->log, "agent", "no fence of system calls: %s",
			status_text(rc));
	return 0;
}

static int begin(struct agent *agent, bool print, struct fault *fault)
{
	int rc;

	agent->obs = malloc(sizeof(*agent->obs));
	agent->line = print ? malloc(WIRE_LINE_MAX + 1) : NULL;
	if (!agent->obs || (print && !agent->line))
		return -ENOMEM;
	rc = give_up_privileges(agent, fault);
	if (rc == 0)
		rc = open_parts(agent, print, fault);
	if (rc)
		return rc;
	start_handles(agent);
	watch_network(agent);
	say_hello(agent);
	rearrange(agent);
	service_manager_tell(&agent->manager, "READY=1");
	log_info(agent->log, "agent", "%s %s runs as %s", agent->config->uplink.probe,
		ASTRAY_VERSION, obs_role_text(agent->config->role));
	return 0;
}

static void leave_spool(struct agent *agent)
{
	int rc = spool_settle(agent->spool, now_moment());
	struct spool_counts counts = spool_count(agent->spool);

	if (counts.held_batches)
		log_error(agent->log, "spool",
			"%" PRId64 " batches are lost: the disk never took them (%s)",
			counts.held_batches, status_text(rc));
	log_info(agent->log, "agent", "ended; %" PRId64 " batches wait in the spool",
		counts.batches - counts.held_batches);
}

static void free_agent(struct agent *agent)
{
	if (agent->spool)
		leave_spool(agent);
	spool_close(agent->spool);
	arrangement_free(agent->arrangement);
	agent_config_free(agent->config);
	service_manager_leave(&agent->manager);
	free(agent->assigned);
	free(agent->obs);
	free(agent->line);
	free(agent);
}

static int fail(struct agent *agent, int rc, const struct fault *fault)
{
	char text[512];

	log_error(agent->log, "agent", "cannot start: %s",
		fault->why[0] ? fault_text(fault, text, sizeof(text)) : status_text(rc));
	return status_exit_code(rc);
}

int agent_run(const struct agent_order *order)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct fault fault = {0};
	int rc, exit_code = EX_OK;

	if (!agent) {
		agent_config_free(order->config);
		return EX_OSERR;
	}
	agent->log = order->log;
	agent->kinds = order->kinds;
	agent->config = order->config;
	agent->manager = service_manager_find();
	apply_log(agent);
	(void)signal(SIGPIPE, SIG_IGN);
	rc = uv_loop_init(&agent->loop);
	if (rc == 0)
		rc = begin(agent, order->print, &fault);
	if (rc) {
		exit_code = fail(agent, rc, &fault);
		free_agent(agent);
		return exit_code;
	}
	(void)uv_run(&agent->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&agent->loop);
	free_agent(agent);
	return EX_OK;
}
