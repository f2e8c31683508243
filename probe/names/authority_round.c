#include "authority_round.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 2

struct server {
	struct authority_round *round;
	char host[OBS_NAME];
};

struct authority_round {
	struct authority_round_order order;
	unsigned pending;
	bool cancelled;
	unsigned host_count, address_count;
	struct server hosts[AUTHORITY_ROUND_HOSTS];
	struct address addresses[AUTHORITY_ROUND_ADDRESSES];
};

static void add_host(struct authority_round *round, const char *host);

static void one_done(struct authority_round *round)
{
	if (--round->pending > 0)
		return;
	round->order.done(round->order.arg);
	free(round);
}

static bool is_childs_word(
	const struct authority_round *round, const struct dns_reply *reply)
{
	return reply->rc == 0 && reply->message->authoritative &&
	       reply->question->type == DNS_NS &&
	       strcmp(reply->question->name, round->order.zone) == 0;
}

static void answered(void *arg, const struct dns_reply *reply)
{
	struct authority_round *round = arg;

	if (reply->rc == -ECANCELED)
		round->cancelled = true;
	else
		round->order.heard(round->order.arg, reply);
	if (is_childs_word(round, reply)) {
		/* Finding a host may ask further questions, but reads no further answer.
		 */
		const struct dns_message *message = reply->message;

		for (unsigned i = 0; i < message->record_count; i++)
			if (message->records[i].section == DNS_ANSWER &&
				message->records[i].type == DNS_NS)
				add_host(round, message->records[i].host);
	}
	one_done(round);
}

static bool is_asked(const struct authority_round *round, const struct address *address)
{
	for (unsigned i = 0; i < round->address_count; i++)
		if (address_equal(&round->addresses[i], address))
			return true;
	return false;
}

static void ask_address(struct authority_round *round, const struct address *address)
{
	if (round->cancelled || is_asked(round, address) ||
		round->address_count == AUTHORITY_ROUND_ADDRESSES)
		return;
	round->addresses[round->address_count++] = *address;
	for (unsigned i = 0; i < round->order.question_count; i++) {
		struct dns_question question = {.type = round->order.questions[i].type,
			.server = {.address = *address,
				.port = finder_port(round->order.finder)},
			.tries = TRIES};

		memcpy(question.name, round->order.questions[i].name,
			sizeof(question.name));
		/* Whatever finds no room is counted by the client, and asked next time.
		 */
		if (dns_client_ask(round->order.client, &question, answered, round) == 0)
			round->pending++;
	}
}

static void host_found(void *arg, int rc, const struct address *addresses, unsigned count)
{
	struct server *server = arg;
	struct authority_round *round = server->round;

	for (unsigned i = 0; i < count; i++)
		ask_address(round, &addresses[i]);
	if (count == 0 && rc != -ECANCELED && !round->cancelled && round->order.lost)
		round->order.lost(round->order.arg, server->host);
	one_done(round);
}

static void add_host(struct authority_round *round, const char *host)
{
	struct server *server;

	for (unsigned i = 0; i < round->host_count; i++)
		if (strcmp(round->hosts[i].host, host) == 0)
			return;
	if (round->host_count == AUTHORITY_ROUND_HOSTS)
		return;
	server = &round->hosts[round->host_count++];
	server->round = round;
	(void)snprintf(server->host, sizeof(server->host), "%s", host);
	round->pending++;
	finder_host(round->order.finder, server->host, host_found, server);
}

void authority_round_ask(
	struct authority_round_order *order, const char *name, enum dns_type type)
{
	struct authority_question *question = &order->questions[order->question_count];

	for (unsigned i = 0; i < order->question_count; i++)
		if (order->questions[i].type == type &&
			strcmp(order->questions[i].name, name) == 0)
			return;
	if (order->question_count == AUTHORITY_ROUND_QUESTIONS)
		return;
	(void)snprintf(question->name, sizeof(question->name), "%s", name);
	question->type = (uint16_t)type;
	order->question_count++;
}

int authority_round_start(const struct authority_round_order *order)
{
	const struct delegation *delegation = order->delegation;
	struct authority_round *round = calloc(1, sizeof(*round));

	if (!round)
		return -ENOMEM;
	round->order = *order;
	round->pending = 1;
	for (unsigned i = 0; i < delegation->glue_count; i++)
		ask_address(round, &delegation->glue[i].address);
	for (unsigned i = 0; i < delegation->server_count; i++)
		add_host(round, delegation->servers[i]);
	one_done(round);
	return 0;
}
