#include "collector.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "astray/now.h"
#include "astray/status.h"
#include "checkpoint.h"
#include "collector_inside.h"
#include "http_server.h"
#include "ingest.h"
#include "journal.h"
#include "listen_text.h"
#include "notify.h"

#define SECOND_MS 1000
#define WEB_BODY_BYTES ((size_t)64 * 1024)
#define FOLDER_MODE 0750

int collector_fail(struct collector *collector, int rc, const struct fault *fault)
{
	char text[1024];

	log_error(
		collector->log, "collector", "%s", fault_text(fault, text, sizeof(text)));
	return rc;
}

/* ---- the end, step by step */

static void close_rest(void *arg)
{
	struct collector *collector = arg;

	collector->ingest = NULL;
	if (collector->store)
		collector_way_flush(collector);
	if (collector->whole && collector->fed.us)
		collector_way_take_snapshot(collector);
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

/* ---- the beginning */

static void reload_asked(uv_signal_t *signal, int number)
{
	struct collector *collector = signal->data;

	(void)number;
	if (!collector->probes || collector->stopping)
		return;
	service_manager_tell_reloading(&collector->manager, now_tick());
	collector_reload(collector);
	service_manager_tell(&collector->manager, "READY=1");
}

static void second_passed(uv_timer_t *timer)
{
	collector_way_pass_second(timer->data);
}

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
		collector->log, collector_rooms_asked, collector, fault);
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
		rc = collector_rooms_open(collector, &fault);
	if (rc == 0)
		rc = collector_resume(collector, &fault);
	if (rc == 0 && !collector->stopping)
		rc = listen_for_probes(collector, &fault);
	if (rc == 0 && !collector->stopping)
		rc = listen_for_people(collector, &fault);
	if (rc) {
		if (!fault.why[0])
			(void)fault_at(&fault, rc, "", "%s", status_text(rc));
		return collector_fail(collector, rc, &fault);
	}
	if (collector->stopping)
		return 0;
	(void)uv_timer_start(&collector->second, second_passed, SECOND_MS, SECOND_MS);
	say_ready(collector);
	return 0;
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
	collector_rooms_free(&collector);
	return collector.exit_code;
}
