#include "check_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

#include "astray/fetch.h"
#include "astray/now.h"
#include "astray/status.h"
#include "check_record.h"

/* Checks that are in the middle of something; one that is older only waits, and costs us
 * nothing. */
#define BUSY_MAX 2
#define BUSY_US MOMENT_SECOND_US
#define RUNNING_MAX 64
#define STEP_MS 1000
/* Probes that were started together do not go on asking together. */
#define JITTER_SHARE 10
#define JITTER_MAX_MS 5000

struct settings {
	int64_t interval_us, timeout_us;
	char ca[4096];
};

static const struct conf_option options[] = {
	{"interval", CONF_SPAN, offsetof(struct settings, interval_us), 0, 1e6, 86400e6,
		"\"1 min\"", "from one check of a service to the next"},
	{"timeout", CONF_SPAN, offsetof(struct settings, timeout_us), 0, 100e3, 300e6,
		"\"10 s\"", "for one whole request"},
	{"ca", CONF_TEXT, offsetof(struct settings, ca),
		sizeof(((struct settings *)0)->ca), 0, 0, "\"\"",
		"file of the certificates to trust (PEM); \"\": the system's"},
	{0},
};

struct check_watch;

/* One service with a URL, as the argument of its callbacks. */
struct watched {
	struct check_watch *watch;
	const struct service *service;
	bool due, running;
	unsigned turn; /* of the addresses of its name */
	struct moment began;
	struct tick began_tick;
};

struct check_watch {
	struct source_env env;
	struct settings settings;
	struct fetch *fetch;
	struct obs *obs; /* too large for a stack */
	uv_timer_t rounds;
	uv_timer_t steps; /* while some are due and too many busy */
	uint64_t checks, late;
	unsigned closing; /* handles that are still to go */
	void (*stopped)(void *arg);
	void *stopped_arg;
	size_t count, cursor;
	struct watched services[];
};

static void begin_due(struct check_watch *watch);

static void drop_watch(struct check_watch *watch)
{
	free(watch->obs);
	free(watch);
}

static void complain(
	const struct check_watch *watch, const struct service *service, const char *why)
{
	char interval[MOMENT_TEXT];

	log_warn(watch->env.log, "check", "%s: %s, next try in %s", service->name, why,
		moment_span_text(watch->settings.interval_us, interval));
}

static void check_ended(void *arg, const struct fetch_answer *answer)
{
	struct watched *watched = arg;
	struct check_watch *watch = watched->watch;
	const struct service *service = watched->service;

	watched->running = false;
	if (answer->rc == -ECANCELED)
		return;
	watch->checks++;
	watch->late += answer->late;
	if (check_record_fill(
		    watch->obs, watched->began, service->name, service->url, answer))
		watch->env.emit(watch->env.emit_arg, watch->obs);
	else
		complain(watch, service, answer->error_text);
	begin_due(watch);
}

static void begin_check(struct watched *watched)
{
	struct check_watch *watch = watched->watch;
	const struct settings *settings = &watch->settings;
	const struct fetch_order order = {.url = watched->service->url,
		.timeout_us = settings->timeout_us,
		.measure = true,
		.turn = watched->turn++,
		.ca_file = *settings->ca ? settings->ca : NULL};
	int rc;

	watched->due = false;
	watched->began = now_moment();
	watched->began_tick = now_tick();
	rc = fetch_start(watch->fetch, NULL, &order, check_ended, watched);
	watched->running = rc == 0;
	if (rc)
		complain(watch, watched->service, status_text(rc));
}

static bool may_begin(const struct check_watch *watch)
{
	struct tick now = now_tick();
	unsigned running = 0, busy = 0;

	for (size_t i = 0; i < watch->count; i++) {
		const struct watched *watched = &watch->services[i];

		running += watched->running;
		busy += watched->running &&
			tick_since_us(now, watched->began_tick) < BUSY_US;
	}
	return running < RUNNING_MAX && busy < BUSY_MAX;
}

static struct watched *next_due(struct check_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct watched *watched =
			&watch->services[(watch->cursor + i) % watch->count];

		if (watched->due) {
			watch->cursor = (watch->cursor + i + 1) % watch->count;
			return watched;
		}
	}
	return NULL;
}

static void begin_due(struct check_watch *watch)
{
	while (may_begin(watch)) {
		struct watched *watched = next_due(watch);

		if (!watched) {
			(void)uv_timer_stop(&watch->steps);
			return;
		}
		begin_check(watched);
	}
}

static void step_came(uv_timer_t *timer)
{
	begin_due(timer->data);
}

static uint64_t random_below(uint64_t limit)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), 0) < 0)
		number = (uint32_t)getpid();
	return number % (limit + 1);
}

static uint64_t jitter_ms(const struct check_watch *watch)
{
	uint64_t most_ms = (uint64_t)watch->settings.interval_us / 1000 / JITTER_SHARE;

	return random_below(most_ms < JITTER_MAX_MS ? most_ms : JITTER_MAX_MS);
}

static void mark_due(struct check_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct watched *watched = &watch->services[i];

		if (watched->due || watched->running)
			log_warn(watch->env.log, "check",
				"%s: its last check is under way still, this one is left "
				"out",
				watched->service->name);
		else
			watched->due = true;
	}
}

static void round_begins(uv_timer_t *timer)
{
	struct check_watch *watch = timer->data;
	uint64_t interval_ms = (uint64_t)watch->settings.interval_us / 1000;

	mark_due(watch);
	(void)uv_timer_start(&watch->steps, step_came, STEP_MS, STEP_MS);
	(void)uv_timer_start(&watch->rounds, round_begins,
		interval_ms - interval_ms / JITTER_SHARE / 2 + jitter_ms(watch), 0);
	begin_due(watch);
}

static struct check_watch *make_watch(
	const struct source_env *env, const struct settings *settings)
{
	size_t count = env->services->count;
	struct check_watch *watch =
		calloc(1, sizeof(*watch) + count * sizeof(watch->services[0]));

	if (!watch)
		return NULL;
	watch->env = *env;
	watch->settings = *settings;
	watch->obs = malloc(sizeof(*watch->obs));
	for (size_t i = 0; i < count; i++)
		if (*env->services->list[i].url)
			watch->services[watch->count++] = (struct watched){
				.watch = watch, .service = &env->services->list[i]};
	if (watch->obs)
		return watch;
	free(watch);
	return NULL;
}

static int check_settings(const struct settings *settings, struct fault *fault)
{
	if (settings->timeout_us > settings->interval_us)
		return fault_at(fault, STATUS_RANGE, "timeout",
			"a check must end before the next: timeout is longer than "
			"interval");
	if (*settings->ca && access(settings->ca, R_OK))
		return fault_at(
			fault, -errno, "ca", "%s: %s", settings->ca, strerror(errno));
	return 0;
}

static void init_timer(struct check_watch *watch, uv_timer_t *timer)
{
	/* Does not fail. */
	(void)uv_timer_init(watch->env.loop, timer);
	timer->data = watch;
}

static int start(void **out, const struct source_env *env, const void *settings_read,
	struct fault *fault)
{
	const struct settings *settings = settings_read;
	struct check_watch *watch;
	int rc;

	*out = NULL;
	rc = check_settings(settings, fault);
	if (rc)
		return rc;
	watch = make_watch(env, settings);
	if (!watch)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	rc = fetch_open(&watch->fetch, env->loop);
	if (rc) {
		drop_watch(watch);
		return fault_at(fault, rc, "", "%s", status_text(rc));
	}
	init_timer(watch, &watch->rounds);
	init_timer(watch, &watch->steps);
	(void)uv_timer_start(&watch->rounds, round_begins, jitter_ms(watch), 0);
	*out = watch;
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	struct check_watch *watch = handle->data;

	if (--watch->closing > 0)
		return;
	watch->stopped(watch->stopped_arg);
	drop_watch(watch);
}

static void stop(void *source, void (*stopped)(void *arg), void *arg)
{
	struct check_watch *watch = source;

	log_info(watch->env.log, "check",
		"stopped after %llu checks; the times of %llu were left out, this "
		"machine was "
		"too busy",
		(unsigned long long)watch->checks, (unsigned long long)watch->late);
	watch->stopped = stopped;
	watch->stopped_arg = arg;
	watch->closing = 2;
	fetch_close(watch->fetch);
	uv_close((uv_handle_t *)&watch->rounds, timer_closed);
	uv_close((uv_handle_t *)&watch->steps, timer_closed);
}

const struct source_kind check_source = {
	.name = "check",
	.help = "requests to the services' URLs, phase by phase, and their certificates",
	.options = options,
	.settings_size = sizeof(struct settings),
	.start = start,
	.stop = stop,
};
