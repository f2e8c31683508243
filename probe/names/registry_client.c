#include "registry_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/fetch.h"
#include "astray/now.h"
#include "astray/status.h"
#include "rdap.h"
#include "registry_book.h"

#define BOOTSTRAP_URL "https://data.iana.org/rdap/dns.json"
#define TIMEOUT_US (20 * MOMENT_SECOND_US)
/* Longer is a day; and it must not overflow. */
#define RETRY_AFTER_MAX_S (MOMENT_DAY_US / MOMENT_SECOND_US)
#define STATUS_OK 200
#define STATUS_NONE 404
#define STATUS_SLOW_DOWN 429
#define STATUS_BUSY 503

struct registry_client {
	struct fetch *fetch;
	char base[OBS_TEXT]; /* configured */
	char bootstrap[OBS_TEXT];
	struct registry_book book;
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
	int64_t wait_s = answer->retry_after_s < RETRY_AFTER_MAX_S ? answer->retry_after_s
								   : RETRY_AFTER_MAX_S;

	return wait_s > 0 ? wait_s * MOMENT_SECOND_US : 0;
}

/* 0 when the answer's body may be read. */
static int check_answer(
	struct fault *fault, const struct fetch_answer *answer, const char *whose)
{
	if (answer->rc)
		return fault_at(fault, answer->rc, "", "%s: %s", whose,
			answer->error_text[0] ? answer->error_text
					      : status_text(answer->rc));
	if (answer->status == STATUS_SLOW_DOWN || answer->status == STATUS_BUSY)
		return fault_at(fault, STATUS_LATER, "",
			"%s wants to be left alone (HTTP %ld)", whose, answer->status);
	if (answer->status != STATUS_OK)
		return fault_at(fault,
			answer->status == STATUS_NONE ? STATUS_UNKNOWN : STATUS_REFUSED,
			"", "%s answers HTTP %ld", whose, answer->status);
	if (answer->truncated)
		return fault_at(fault, STATUS_LIMIT, "", "%s answers too much", whose);
	return 0;
}

static void domain_told(void *arg, const struct fetch_answer *answer)
{
	struct errand *errand = arg;
	struct fault fault = {0};
	struct obs *obs;
	int rc = check_answer(&fault, answer, errand->base);

	if (rc) {
		end(errand, rc, NULL,
			rc == STATUS_LATER
				? registry_book_leave_alone(&errand->client->book,
					  errand->base, wait_for(answer), now_tick())
				: 0,
			&fault);
		return;
	}
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
	int64_t wait_us =
		registry_book_wait_us(&errand->client->book, errand->base, now_tick());
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
	int rc = rdap_find_base(errand->base, errand->domain, errand->client->book.list,
		errand->client->book.list_len, &fault);

	if (rc)
		end(errand, rc, NULL, 0, &fault);
	else
		ask_base(errand);
}

/* Without a new list the old one holds; registries rarely move. */
static void bootstrap_told(void *arg, const struct fetch_answer *answer)
{
	struct errand *errand = arg;
	struct registry_book *book = &errand->client->book;
	struct fault fault = {0};
	char base[OBS_TEXT];
	int rc = check_answer(&fault, answer, errand->client->bootstrap);

	if (rc == -ECANCELED) {
		end(errand, rc, NULL, 0, &fault);
		return;
	}
	/* What names no registry of a domain that is there is no list. */
	if (rc == 0)
		rc = rdap_find_base(
			base, errand->domain, answer->body, answer->body_len, &fault);
	if (rc == 0 || rc == STATUS_UNKNOWN)
		rc = registry_book_keep_list(
			book, answer->body, answer->body_len, now_tick());
	if (rc)
		registry_book_put_off_list(book, wait_for(answer), now_tick());
	if (rc && !book->list)
		end(errand, rc, NULL, 0, &fault);
	else
		ask_by_bootstrap(errand);
}

/* Nobody is asked for the list while it is put off. */
static int ask_for_list(struct errand *errand)
{
	struct registry_book *book = &errand->client->book;

	if (registry_book_list_is_due(book, now_tick()))
		return start(errand, errand->client->bootstrap, RDAP_BOOTSTRAP_MAX,
			bootstrap_told);
	if (book->list)
		ask_by_bootstrap(errand);
	else
		fail(errand, STATUS_LATER, "the list of registries cannot be had now");
	return 0;
}

int registry_client_open(struct registry_client **out, struct uv_loop_s *loop,
	const char *base, const char *bootstrap)
{
	struct registry_client *client = calloc(1, sizeof(*client));
	int rc;

	*out = NULL;
	if (!client)
		return -ENOMEM;
	(void)snprintf(client->base, sizeof(client->base), "%s", base ? base : "");
	(void)snprintf(client->bootstrap, sizeof(client->bootstrap), "%s",
		bootstrap && *bootstrap ? bootstrap : BOOTSTRAP_URL);
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
	else
		rc = ask_for_list(errand);
	if (rc)
		free(errand);
	return rc;
}

void registry_client_close(struct registry_client *client)
{
	if (!client)
		return;
	fetch_close(client->fetch);
	registry_book_free(&client->book);
	free(client);
}
