#include "parent_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct errand {
	struct parent_ask_order order;
	parent_ask_fn done;
	void *arg;
	struct delegation_word word;
};

static void end(struct errand *errand)
{
	errand->done(errand->arg, &errand->word);
	free(errand);
}

static int ask(struct errand *errand, enum dns_type type, dns_client_done_fn done)
{
	struct dns_question question = {.type = (uint16_t)type,
		.server = errand->order.server,
		.dnssec = true,
		.tcp = errand->order.tcp};

	memcpy(question.name, errand->order.zone, sizeof(question.name));
	return dns_client_ask(errand->order.client, &question, done, errand);
}

static void ds_told(void *arg, const struct dns_reply *reply)
{
	struct errand *errand = arg;

	/* Without an answer it stays untold. */
	if (reply->rc == 0)
		(void)delegation_read_ds(
			&errand->word.delegation, reply->message, errand->order.zone);
	end(errand);
}

static void servers_told(void *arg, const struct dns_reply *reply)
{
	struct errand *errand = arg;
	struct delegation_word *word = &errand->word;

	word->at = reply->at;
	word->rtt_us = reply->rtt_us;
	word->tcp = reply->tcp;
	word->rc = reply->rc;
	if (reply->rc == 0) {
		word->answered = true;
		word->rcode = reply->message->rcode;
		word->authoritative = reply->message->authoritative;
		word->rc = delegation_read(
			&word->delegation, reply->message, errand->order.zone);
	}
	if (word->rc == 0 && word->delegation.exists && !word->delegation.ds_told &&
		errand->order.want_ds && ask(errand, DNS_DS, ds_told) == 0)
		return;
	end(errand);
}

int parent_ask(const struct parent_ask_order *order, parent_ask_fn done, void *arg)
{
	struct errand *errand = calloc(1, sizeof(*errand));
	int rc;

	if (!errand)
		return -ENOMEM;
	errand->order = *order;
	errand->done = done;
	errand->arg = arg;
	errand->word.server = order->server;
	rc = ask(errand, DNS_NS, servers_told);
	if (rc)
		free(errand);
	return rc;
}
