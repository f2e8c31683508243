#include "authority_round.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alias.h"
#include "alias_chase.h"

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
	bool chased[AUTHORITY_ROUND_QUESTIONS]; /* that question's answer is an alias */
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

static void chase_heard(void *arg, const char *name, const struct dns_reply *reply)
{
	const struct authority_round *round = arg;

	round->order.followed(round->order.arg, name, reply);
}

static void chase_done(void *arg, bool cancelled)
{
	struct authority_round *round = arg;

	round->cancelled |= cancelled;
	one_done(round);
}

static bool is_first_chase(
	struct authority_round *round, const struct dns_question *question)
{
	for (unsigned i = 0; i < round->order.question_count; i++) {
		bool same = round->order.questions[i].type == question->type &&
			    strcmp(round->order.questions[i].name, question->name) == 0;

		if (!same)
			continue;
		same = !round->chased[i];
		round->chased[i] = true;
		return same;
	}
	return false;
}

/* Servers of one zone that name different targets show in their aliases themselves. */
static void chase_alias(struct authority_round *round, const struct dns_reply *reply)
{
	const struct dns_question *question = reply->question;
	struct alias_chase_order order = {.finder = round->order.finder,
		.type = question->type,
		.heard = chase_heard,
		.done = chase_done,
		.arg = round};
	const char *target;

	if (reply->rc || !reply->message->authoritative || !round->order.followed)
		return;
	target = alias_open_end(reply->message, question->name, question->type);
	if (!target || !is_first_chase(round, question))
		return;
	(void)snprintf(order.name, sizeof(order.name), "%s", question->name);
	(void)snprintf(order.target, sizeof(order.target), "%s", target);
	round->pending++;
	if (alias_chase(&order))
		round->pending--;
}

static void answered(void *arg, const struct dns_reply *reply)
{
	struct authority_round *round = arg;

	if (reply->rc == -ECANCELED)
		round->cancelled = true;
	else
		round->order.heard(round->order.arg, reply);
	chase_alias(round, reply);
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
