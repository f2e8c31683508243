#include "arrangement.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "geo.h"

struct arrangement {
	struct arrangement_order order;
	struct source_set *sources; /* NULL: none run */
	bool stopping;              /* they are on their way out */
	struct measure_plan *next;  /* NULL: nothing is to start */
	struct geo *geo;            /* of those that run */
	struct place here;          /* likewise */
	struct place next_here;
	char city[OBS_TEXT], asn[OBS_TEXT];
	void (*stopped)(void *arg); /* NULL: it goes on */
	void *stopped_arg;
};

int arrangement_new(struct arrangement **out, const struct arrangement_order *order)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->order = *order;
	return 0;
}

static struct geo *open_geo(const struct arrangement *arrangement, struct fault *fault)
{
	struct geo *geo = NULL;

	if (arrangement->city[0] || arrangement->asn[0])
		(void)geo_open(&geo, arrangement->city, arrangement->asn, fault);
	return geo;
}

static void open_geo_aloud(struct arrangement *arrangement)
{
	struct fault fault = {0};
	char text[512];

	geo_close(arrangement->geo);
	arrangement->geo = open_geo(arrangement, &fault);
	if (fault.why[0])
		log_warn(arrangement->order.log, "geo",
			"%s; hops and answers have no places until it is there",
			fault_text(&fault, text, sizeof(text)));
}

static void start_next(struct arrangement *arrangement)
{
	const struct arrangement_order *order = &arrangement->order;
	struct measure_plan *plan = arrangement->next;
	struct source_env env = {.loop = order->loop,
		.log = order->log,
		.here = &arrangement->here,
		.emit = order->emit,
		.emit_arg = order->emit_arg};

	arrangement->next = NULL;
	arrangement->here = arrangement->next_here;
	open_geo_aloud(arrangement);
	env.geo = arrangement->geo;
	if (measure_plan_is_empty(plan)) {
		log_warn(order->log, "agent",
			"nothing is measured: neither the configuration nor the "
			"collector names "
			"sources so far");
		measure_plan_free(plan);
	} else if (source_set_start(&arrangement->sources, order->kinds, plan, &env)) {
		log_error(order->log, "agent", "no memory to start the sources");
	}
}

static void sources_stopped(void *arg)
{
	struct arrangement *arrangement = arg;

	arrangement->sources = NULL;
	arrangement->stopping = false;
	if (arrangement->stopped)
		arrangement->stopped(arrangement->stopped_arg);
	else
		start_next(arrangement);
}

static void stop_sources(struct arrangement *arrangement)
{
	if (arrangement->stopping)
		return;
	arrangement->stopping = true;
	source_set_stop(arrangement->sources, sources_stopped, arrangement);
}

void arrangement_change(struct arrangement *arrangement, struct measure_plan *plan,
	const struct agent_config *config)
{
	measure_plan_free(arrangement->next);
	arrangement->next = plan;
	arrangement->next_here = config->here;
	(void)snprintf(
		arrangement->city, sizeof(arrangement->city), "%s", config->geo_city);
	(void)snprintf(arrangement->asn, sizeof(arrangement->asn), "%s", config->geo_asn);
	if (arrangement->sources)
		stop_sources(arrangement);
	else
		start_next(arrangement);
}

bool arrangement_look_after_geo(struct arrangement *arrangement)
{
	const struct log *log = arrangement->order.log;
	struct fault fault = {0};
	char text[512];
	struct geo *geo;
	int rc;

	if (!arrangement->geo) {
		geo = open_geo(arrangement, &fault);
		geo_close(geo);
		return geo != NULL;
	}
	rc = geo_refresh(arrangement->geo, &fault);
	if (rc > 0)
		log_info(log, "geo", "a new database is in use");
	if (rc < 0)
		log_warn(log, "geo", "%s; the old database stays in use",
			fault_text(&fault, text, sizeof(text)));
	return false;
}

void arrangement_report(const struct arrangement *arrangement, struct obs_health *health)
{
	if (arrangement->sources && !arrangement->stopping)
		source_set_report(arrangement->sources, health);
}

void arrangement_count(
	const struct arrangement *arrangement, unsigned *running, unsigned *wanted)
{
	*running = *wanted = 0;
	if (arrangement->sources)
		source_set_count(arrangement->sources, running, wanted);
}

void arrangement_stop(
	struct arrangement *arrangement, void (*stopped)(void *arg), void *arg)
{
	arrangement->stopped = stopped;
	arrangement->stopped_arg = arg;
	if (arrangement->sources)
		stop_sources(arrangement);
	else
		stopped(arg);
}

void arrangement_free(struct arrangement *arrangement)
{
	if (!arrangement)
		return;
	measure_plan_free(arrangement->next);
	geo_close(arrangement->geo);
	free(arrangement);
}
