#include "resolver_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

#define TRIES 2

struct errand {
	struct resolver_ask_order order;
	unsigned next;
};

static void end(struct errand *errand)
{
	if (errand->order.done)
		errand->order.done(errand->order.arg);
	free(errand);
}

static void answered(void *arg, const struct dns_reply *reply);

static int ask(struct errand *errand)
{
	const struct resolver_ask_order *order = &errand->order;
	struct dns_question question = {.type = order->type,
		.server = order->resolvers[errand->next++],
		.recursive = true,
		.tries = TRIES};

	memcpy(question.name, order->name, sizeof(question.name));
	return dns_client_ask(order->client, &question, answered, errand);
}

static void answered(void *arg, const struct dns_reply *reply)
{
	struct errand *errand = arg;

	if (reply->rc != -ECANCELED)
		errand->order.heard(errand->order.arg, reply);
	if (reply->rc == 0 || reply->rc == -ECANCELED ||
		errand->next == errand->order.resolver_count || ask(errand))
		end(errand);
}

int resolver_ask(const struct resolver_ask_order *order)
{
	struct errand *errand;
	int rc;

	if (order->resolver_count == 0)
		return STATUS_MISSING;
	errand = calloc(1, sizeof(*errand));
	if (!errand)
		return -ENOMEM;
	errand->order = *order;
	rc = ask(errand);
	if (rc)
		free(errand);
	return rc;
}
