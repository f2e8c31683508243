#include "registry_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/fetch.h"
#include "astray/now.h"
#include "astray/status.h"
#include "rdap.h"

#define BOOTSTRAP_URL "https://data.iana.org/rdap/dns.json"
#define BOOTSTRAP_KEPT_US MOMENT_DAY_US
#define TIMEOUT_US (20 * MOMENT_SECOND_US)
#define WAIT_MIN_US MOMENT_MINUTE_US
#define WAIT_MAX_US MOMENT_DAY_US
#define BASES 16
#define STATUS_OK 200
#define STATUS_NONE 404
#define STATUS_SLOW_DOWN 429
#define STATUS_BUSY 503

/* A registry that wants to be left alone. */
struct busy_base {
	char base[OBS_TEXT];
	struct tick until;
};

struct registry_client {
	struct fetch *fetch;
	char base[OBS_TEXT]; /* configured */
	char *bootstrap;
	size_t bootstrap_len;
	struct tick bootstrap_until;
	struct busy_base busy[BASES];
	unsigned oldest; /* of these, to be replaced next */
};

struct errand {
	struct registry_client *client;
	char domain[OBS_NAME];
	char base[OBS_TEXT];
	registry_client_fn done;
	void *arg;
};

static void end(struct errand *errand, int rc, const struct obs *obs, int64_t wait_us,
	const struct fault *fault)
{
	errand->done(errand->arg, rc, obs, wait_us, fault);
	free(errand);
}

static void fail(struct errand *errand, int rc, const char *why)
{
	struct fault fault = {0};

	(void)fault_at(&fault, rc, "", "%s", why);
	end(errand, rc, NULL, 0, &fault);
}

static int64_t wait_for(const struct fetch_answer *answer)
{
	int64_t wait_us = answer->retry_after_s * MOMENT_SECOND_US;

	if (answer->retry_after_s > WAIT_MAX_US / MOMENT_SECOND_US)
		return WAIT_MAX_US;
	return wait_us < WAIT_MIN_US ? WAIT_MIN_US : wait_us;
}

static struct busy_base *find_busy(struct registry_client *client, const char *base)
{
	for (unsigned i = 0; i < BASES; i++)
		if (strcmp(client->busy[i].base, base) == 0)
			return &client->busy[i];
	return NULL;
}

static void leave_alone(struct registry_client *client, const char *base, int64_t wait_us)
{
	struct busy_base *busy = find_busy(client, base);

	if (!busy) {
		busy = &client->busy[client->oldest];
		client->oldest = (client->oldest + 1) % BASES;
	}
	(void)snprintf(busy->base, sizeof(busy->base), "%s", base);
	busy->until = (struct tick){now_tick().us + wait_us};
}

/* 0 when the answer's body may be read; else the errand has ended. */
static int check_answer(
	struct errand *errand, const struct fetch_answer *answer, const char *whose)
{
	struct fault fault = {0};
	int64_t wait_us = 0;
	int rc = answer->rc;

	if (rc)
		(void)fault_at(&fault, rc, "", "%s: %s", whose,
			answer->error_text[0] ? answer->error_text : status_text(rc));
	else if (answer->status == STATUS_SLOW_DOWN || answer->status == STATUS_BUSY)
		rc = fault_at(&fault, STATUS_LATER, "",
			"%s wants to be left alone (HTTP %ld)", whose, answer->status);
	else if (answer->status != STATUS_OK)
		rc = fault_at(&fault,
			answer->status == STATUS_NONE ? STATUS_UNKNOWN : STATUS_REFUSED,
			"", "%s answers HTTP %ld", whose, answer->status);
	else if (answer->truncated)
		rc = fault_at(&fault, STATUS_LIMIT, "", "%s answers too much", whose);
	if (rc == 0)
		return 0;
	if (rc == STATUS_LATER) {
		wait_us = wait_for(answer);
		leave_alone(errand->client, errand->base, wait_us);
	}
	end(errand, rc, NULL, wait_us, &fault);
	return rc;
}

static void domain_told(void *arg, const struct fetch_answer *answer)
{
	struct errand *errand = arg;
	struct fault fault = {0};
	struct obs *obs;
	int rc;

	if (check_answer(errand, answer, errand->base))
		return;
	obs = malloc(sizeof(*obs));
	if (!obs) {
		fail(errand, -ENOMEM, status_text(-ENOMEM));
		return;
	}
	obs_init(obs, OBS_REGISTRY, now_moment());
	rc = rdap_read(
		&obs->registry, errand->domain, answer->body, answer->body_len, &fault);
	if (rc)
		(void)snprintf(fault.input, sizeof(fault.input), "%.255s", errand->base);
	end(errand, rc, rc ? NULL : obs, 0, &fault);
	free(obs);
}

static int start(struct errand *errand, const char *url, size_t limit, fetch_done_fn done)
{
	const struct fetch_header headers[] = {
		{"Accept", "application/rdap+json, application/json"}, {NULL, NULL}};
	const struct fetch_order order = {.url = url,
		.headers = headers,
		.timeout_us = TIMEOUT_US,
		.answer_limit = limit,
		.follow_redirects = true};

	return fetch_start(errand->client->fetch, NULL, &order, done, errand);
}

static void ask_base(struct errand *errand)
{
	const struct busy_base *busy = find_busy(errand->client, errand->base);
	int64_t wait_us = busy ? -tick_since_us(now_tick(), busy->until) : 0;
	struct fault fault = {0};
	char url[OBS_TEXT];
	int rc;

	if (wait_us > 0) {
		(void)fault_at(&fault, STATUS_LATER, "", "%s wants to be left alone",
			errand->base);
		end(errand, STATUS_LATER, NULL, wait_us, &fault);
		return;
	}
	rc = rdap_url(url, errand->base, errand->domain);
	if (rc == 0)
		rc = start(errand, url, RDAP_ANSWER_MAX, domain_told);
	if (rc)
		fail(errand, rc, status_text(rc));
}

static void ask_by_bootstrap(struct errand *errand)
{
	struct fault fault = {0};
	int rc = rdap_find_base(errand->base, errand->domain, errand->client->bootstrap,
		errand->client->bootstrap_len, &fault);

	if (rc)
		end(errand, rc, NULL, 0, &fault);
	else
		ask_base(errand);
}

static void bootstrap_told(void *arg, const struct fetch_answer *answer)
{
	struct errand *errand = arg;
	struct registry_client *client = errand->client;
	char *copy;

	if (check_answer(errand, answer, BOOTSTRAP_URL))
		return;
	copy = malloc(answer->body_len + 1);
	if (!copy) {
		fail(errand, -ENOMEM, status_text(-ENOMEM));
		return;
	}
	memcpy(copy, answer->body, answer->body_len + 1);
	free(client->bootstrap);
	client->bootstrap = copy;
	client->bootstrap_len = answer->body_len;
	client->bootstrap_until = (struct tick){now_tick().us + BOOTSTRAP_KEPT_US};
	ask_by_bootstrap(errand);
}

int registry_client_open(
	struct registry_client **out, struct uv_loop_s *loop, const char *base)
{
	struct registry_client *client = calloc(1, sizeof(*client));
	int rc;

	*out = NULL;
	if (!client)
		return -ENOMEM;
	(void)snprintf(client->base, sizeof(client->base), "%s", base ? base : "");
	rc = fetch_open(&client->fetch, loop);
	if (rc) {
		free(client);
		return rc;
	}
	*out = client;
	return 0;
}

int registry_client_ask(struct registry_client *client, const char *domain,
	registry_client_fn done, void *arg)
{
	struct errand *errand = calloc(1, sizeof(*errand));
	int rc = 0;

	if (!errand)
		return -ENOMEM;
	errand->client = client;
	errand->done = done;
	errand->arg = arg;
	(void)snprintf(errand->domain, sizeof(errand->domain), "%s", domain);
	(void)snprintf(errand->base, sizeof(errand->base), "%s", client->base);
	if (client->base[0])
		ask_base(errand);
	else if (client->bootstrap &&
		 tick_since_us(now_tick(), client->bootstrap_until) < 0)
		ask_by_bootstrap(errand);
	else
		rc = start(errand, BOOTSTRAP_URL, RDAP_BOOTSTRAP_MAX, bootstrap_told);
	if (rc)
		free(errand);
	return rc;
}

void registry_client_close(struct registry_client *client)
{
	if (!client)
		return;
	fetch_close(client->fetch);
	free(client->bootstrap);
	free(client);
}
