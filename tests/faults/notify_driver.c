/*
 * The dispatcher of notifications alone, driven by lines, for tests that kill it.
 *
 *     notify_driver CONFIG QUEUE BASE      CONFIG: {"notify":[…]}
 *
 * Each line of standard input is one change: "NUMBER STATE ID", NUMBER counting the
 * changes in all; its time is so many milliseconds behind BASE (microseconds since 1970).
 * "decided NUMBER" is printed once notify_change has returned. "caught-up" tells that
 * history has ended. At the end of the input it stays until it is killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "notify.h"

struct driver {
	struct notify *notify;
	int64_t base_us;
	uv_pipe_t input;
	char line[256];
	size_t len;
	struct incident incident;
	char bytes[4096];
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "notify_driver: %s\n", what);
	exit(1);
}

static void take_line(struct driver *driver, const char *line)
{
	struct incident *incident = &driver->incident;
	char state[32];
	int number;

	if (strcmp(line, "caught-up") == 0) {
		notify_caught_up(driver->notify);
		return;
	}
	if (sscanf(line, "%d %31s %39s", &number, state, incident->id) != 3)
		fail(line);
	for (incident->state = INCIDENT_OPENED;
		strcmp(state, incident_state_text(incident->state)) != 0;
		incident->state++)
		if (incident->state == INCIDENT_RESOLVED)
			fail(line);
	incident->rx.us = driver->base_us + number * INT64_C(1000);
	incident->change_number = incident->state + 1;
	if (notify_change(
		    driver->notify, (enum incident_change)incident->state, incident))
		fail("the change is not on disk");
	(void)printf("decided %d\n", number);
	(void)fflush(stdout);
}

static void room_for_bytes(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct driver *driver = handle->data;

	(void)wanted;
	*buf = uv_buf_init(driver->bytes, sizeof(driver->bytes));
}

static void bytes_came(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct driver *driver = stream->data;

	if (len < 0)
		(void)uv_read_stop(stream);
	for (ssize_t i = 0; i < len; i++) {
		if (buf->base[i] != '\n') {
			if (driver->len + 1 == sizeof(driver->line))
				fail("a line is too long");
			driver->line[driver->len++] = buf->base[i];
			continue;
		}
		driver->line[driver->len] = '\0';
		driver->len = 0;
		take_line(driver, driver->line);
	}
}

static void set_up_incident(struct incident *incident, int64_t base_us)
{
	incident->since.us = incident->opened.us = base_us;
	incident->severity = SEVERITY_PAGE;
	incident->causes = 1u << CAUSE_LATENCY;
	incident->service_count = 1;
	(void)strcpy(incident->services[0], "exchange");
	(void)strcpy(incident->title, "exchange is slow");
	(void)strcpy(incident->text, "240 ms slower");
}

int main(int argc, char **argv)
{
	static struct driver driver;
	static struct notify_config config;
	static uv_loop_t loop;
	const struct log log = log_to_stderr();
	struct notify_settings settings = {
		.dashboard = "", .config = &config, .log = &log};
	struct fault fault = {0};
	struct json_doc *doc;
	char text[1024];

	if (argc != 4)
		fail("wants CONFIG QUEUE BASE");
	settings.file = argv[2];
	if (json_parse_file(&doc, argv[1], 65536, JSON_COMMENTS, &fault) ||
		notify_config_read(
			&config, doc, json_member(json_root(doc), "notify"), &fault) ||
		uv_loop_init(&loop) ||
		notify_open(&driver.notify, &loop, &settings, &fault))
		fail(fault_text(&fault, text, sizeof(text)));
	json_doc_free(doc);
	driver.base_us = strtoll(argv[3], NULL, 10);
	set_up_incident(&driver.incident, driver.base_us);
	driver.input.data = &driver;
	if (uv_pipe_init(&loop, &driver.input, 0) ||
		uv_pipe_open(&driver.input, STDIN_FILENO) ||
		uv_read_start((uv_stream_t *)&driver.input, room_for_bytes, bytes_came))
		fail("standard input cannot be read");
	return uv_run(&loop, UV_RUN_DEFAULT);
}
