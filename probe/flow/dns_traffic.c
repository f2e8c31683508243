#include "dns_traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/dns_message.h"
#include "dns_lookups.h"

#define COPY_US                                                                        \
	1000         /* a mirror shows a packet twice within this; nobody asks so soon \
		      */
#define CHAIN_MAX 16 /* aliases in one answer */
#define CLEAR_IN_QUESTIONS                                           \
	0xfecfu /* of the flags all but recursion desired, AD and CD \
		 */

/* What looks like DNS and is none that a service answers: NetBIOS names, mDNS, LLMNR. */
static const uint16_t others[] = {137, 5353, 5355};

struct dns_traffic {
	struct dns_traffic_config config;
	struct dns_lookups *lookups;
	struct dns_message *answer; /* the one being read */
	uint64_t evicted;
};

int dns_traffic_new(struct dns_traffic **out, const struct dns_traffic_config *config)
{
	struct dns_traffic *dns;
	int rc;

	*out = NULL;
	dns = calloc(1, sizeof(*dns));
	if (!dns)
		return -ENOMEM;
	dns->config = *config;
	dns->answer = malloc(sizeof(*dns->answer));
	rc = dns->answer ? dns_lookups_new(&dns->lookups, config->lookups) : -ENOMEM;
	if (rc)
		goto fail;
	*out = dns;
	return 0;

fail:
	dns_traffic_free(dns);
	return rc;
}

void dns_traffic_free(struct dns_traffic *dns)
{
	if (!dns)
		return;
	dns_lookups_free(dns->lookups);
	free(dns->answer);
	free(dns);
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ at[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return hash;
}

/* Who asks whom what. */
struct question {
	const struct address *client, *server;
	uint16_t client_port, server_port;
	uint64_t topic;  /* the same over UDP and TCP */
	uint64_t number; /* of this one among others alike */
};

static struct question question_of(const struct dns_traffic *dns,
	const struct dns_traffic_message *message, const struct dns_message_head *head)
{
	bool back = head->is_answer;
	struct question question = {.client = back ? message->to : message->from,
		.server = back ? message->from : message->to,
		.client_port = back ? message->to_port : message->from_port,
		.server_port = back ? message->from_port : message->to_port};
	const uint16_t apart[] = {
		question.client_port, question.server_port, head->id, message->over_tcp};
	uint64_t hash = dns->config.seed;

	hash = mix(hash, question.client, sizeof(*question.client));
	hash = mix(hash, question.server, sizeof(*question.server));
	hash = mix(hash, &head->question_type, sizeof(head->question_type));
	question.topic = mix(hash, head->question, strlen(head->question));
	question.number = mix(question.topic, apart, sizeof(apart));
	return question;
}

static struct obs_traffic *traffic_of(
	const struct dns_traffic *dns, const struct dns_lookup *lookup)
{
	return lookup->service < 0
		       ? NULL
		       : windows_traffic(dns->config.windows, lookup->service);
}

static void drop(struct dns_traffic *dns, struct dns_lookup *lookup)
{
	if (lookup->service >= 0)
		windows_leave(dns->config.windows, lookup->service);
	dns_lookups_drop(dns->lookups, lookup);
}

static void count_answer(
	struct dns_traffic *dns, const struct dns_lookup *lookup, struct moment at)
{
	struct obs_traffic *traffic = traffic_of(dns, lookup);
	int64_t us = moment_since_us(at, lookup->asked);

	if (!traffic)
		return;
	traffic->responses++;
	if (us < -EXCHANGE_DISORDER_US) /* the clock was set back */
		traffic->untimed++;
	else
		(void)sketch_add(
			&traffic->sketches[OBS_RESPONSE], us < 0 ? 0.0 : (double)us);
}

/* No answer will come, or none but the one that was cut off. */
static void give_up(struct dns_traffic *dns, struct dns_lookup *lookup, bool in_time)
{
	struct obs_traffic *traffic = traffic_of(dns, lookup);

	if (lookup->cut_off.us)
		count_answer(dns, lookup, lookup->cut_off);
	else if (traffic && !in_time)
		traffic->timed_out++;
	drop(dns, lookup);
}

static void make_room(struct dns_traffic *dns)
{
	struct dns_lookup *victim = dns_lookups_victim(dns->lookups);

	if (!victim)
		return;
	dns->evicted++;
	give_up(dns, victim, true);
}

static void ask(
	struct dns_traffic *dns, const struct question *question, struct moment at)
{
	const struct exchange_host nobody = {.by = OBS_BY_ADDRESS};
	struct service_naming_ends ends = {
		question->client, question->server, question->server_port, 0, at};
	enum obs_naming by;
	struct obs_traffic *traffic;
	struct dns_lookup *lookup;

	make_room(dns);
	lookup = dns_lookups_add(dns->lookups, question->number, at);
	lookup->server = *question->server;
	lookup->service =
		(int16_t)service_naming_find(dns->config.naming, &ends, &nobody, &by);
	traffic = traffic_of(dns, lookup);
	if (!traffic)
		return;
	windows_enter(dns->config.windows, lookup->service);
	windows_count_peer(dns->config.windows, lookup->service, &lookup->server);
	traffic->named_by[by]++;
	traffic->requests++;
}

/* The asker has had an answer that did not fit, and asks for the whole. */
static struct dns_lookup *ask_for_all(
	struct dns_traffic *dns, const struct question *question, struct moment at)
{
	struct dns_lookup *lookup = dns_lookups_find(dns->lookups, question->topic);

	if (!lookup)
		return NULL;
	lookup->cut_off.us = 0;
	dns_lookups_rename(dns->lookups, lookup, question->number);
	dns_lookups_touch(dns->lookups, lookup, at);
	return lookup;
}

static void ask_again(
	struct dns_traffic *dns, struct dns_lookup *lookup, struct moment at)
{
	struct obs_traffic *traffic = traffic_of(dns, lookup);

	if (moment_since_us(at, lookup->again) < COPY_US)
		return;
	dns_lookups_touch(dns->lookups, lookup, at);
	if (traffic)
		traffic->retransmits++;
}

/* The flags and the counts of records, all as in a question and nothing else. */
static bool is_plain_question(struct cursor bytes)
{
	cursor_skip(&bytes, 2);
	if (cursor_take_u16(&bytes) & CLEAR_IN_QUESTIONS)
		return false;
	cursor_skip(&bytes, 2);
	return cursor_take_u32(&bytes) == 0;
}

static void question_came(struct dns_traffic *dns,
	const struct dns_traffic_message *message, const struct question *question,
	struct moment at)
{
	struct dns_lookup *lookup = dns_lookups_find(dns->lookups, question->number);
	struct obs_traffic *traffic;

	if (lookup)
		ask_again(dns, lookup, at);
	else if (!ask_for_all(dns, question, at))
		ask(dns, question, at);
	lookup = dns_lookups_find(dns->lookups, question->number);
	traffic = lookup ? traffic_of(dns, lookup) : NULL;
	if (traffic && !message->over_tcp)
		traffic->sent_bytes += message->len;
}

static bool is_failure(unsigned rcode)
{
	return rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN;
}

static const struct dns_record *alias_of(
	const struct dns_message *answer, const char *name)
{
	for (unsigned i = 0; i < answer->record_count; i++) {
		const struct dns_record *record = &answer->records[i];

		if (record->type == DNS_CNAME && record->section == DNS_ANSWER &&
			strcmp(record->owner, name) == 0)
			return record;
	}
	return NULL;
}

/* The addresses stand under the last of a chain of aliases; the name that was asked for
 * is the first, and holds as long as the shortest of them. */
static void learn_addresses(struct dns_traffic *dns, const struct question *question,
	const char *asked, struct moment at)
{
	const struct dns_message *answer = dns->answer;
	const struct dns_record *alias;
	const char *name = asked;
	uint32_t ttl = UINT32_MAX;

	for (unsigned i = 0; i < CHAIN_MAX && (alias = alias_of(answer, name)); i++) {
		ttl = alias->ttl < ttl ? alias->ttl : ttl;
		name = alias->host;
	}
	for (unsigned i = 0; i < answer->record_count; i++) {
		const struct dns_record *record = &answer->records[i];

		if (record->address.family && record->section == DNS_ANSWER &&
			strcmp(record->owner, name) == 0)
			dns_names_learn(dns->config.names, question->client,
				&record->address, asked,
				record->ttl < ttl ? record->ttl : ttl, at);
	}
}

static bool tells_addresses(
	const struct dns_traffic_message *message, const struct dns_message_head *head)
{
	return head->rcode == DNS_NOERROR && head->answer_count > 0 &&
	       (head->question_type == DNS_A || head->question_type == DNS_AAAA) &&
	       cursor_left(&message->bytes) == message->len;
}

static void answer_came(struct dns_traffic *dns,
	const struct dns_traffic_message *message, const struct dns_message_head *head,
	const struct question *question, struct moment at)
{
	struct dns_lookup *lookup = dns_lookups_find(dns->lookups, question->number);
	struct obs_traffic *traffic;

	if (!lookup)
		return;
	traffic = traffic_of(dns, lookup);
	if (traffic && !message->over_tcp)
		traffic->received_bytes += message->len;
	if (dns->config.names && tells_addresses(message, head) &&
		dns_message_read(dns->answer, message->bytes.at, message->len) == 0)
		learn_addresses(dns, question, head->question, at);
	if (head->truncated && !message->over_tcp) {
		lookup->cut_off = at;
		dns_lookups_rename(dns->lookups, lookup, question->topic);
		return;
	}
	if (traffic && is_failure(head->rcode))
		traffic->errors++;
	count_answer(dns, lookup, at);
	drop(dns, lookup);
}

static bool is_other_protocol(const struct dns_traffic_message *message)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (message->from_port == others[i] || message->to_port == others[i])
			return true;
	return false;
}

void dns_traffic_read(struct dns_traffic *dns, const struct dns_traffic_message *message,
	struct moment at)
{
	struct dns_message_head head;
	struct question question;

	if (is_other_protocol(message) || dns_message_read_head(&head, message->bytes.at,
						  cursor_left(&message->bytes)))
		return;
	if (!head.is_answer && !is_plain_question(message->bytes))
		return;
	question = question_of(dns, message, &head);
	if (head.is_answer)
		answer_came(dns, message, &head, &question, at);
	else
		question_came(dns, message, &question, at);
}

void dns_traffic_refuse(
	struct dns_traffic *dns, const struct dns_traffic_message *message)
{
	struct dns_message_head head;
	struct dns_lookup *lookup;
	struct obs_traffic *traffic;
	struct question question;

	if (dns_message_read_head(
		    &head, message->bytes.at, cursor_left(&message->bytes)) ||
		head.is_answer)
		return;
	question = question_of(dns, message, &head);
	lookup = dns_lookups_find(dns->lookups, question.number);
	if (!lookup)
		return;
	traffic = traffic_of(dns, lookup);
	if (traffic)
		traffic->refused++;
	drop(dns, lookup);
}

void dns_traffic_sweep(struct dns_traffic *dns, struct moment now)
{
	struct dns_lookup *lookup;

	while ((lookup = dns_lookups_oldest(dns->lookups)) &&
		moment_since_us(now, lookup->again) > DNS_TRAFFIC_ANSWER_US)
		give_up(dns, lookup, false);
}

void dns_traffic_finish(struct dns_traffic *dns)
{
	struct dns_lookup *lookup;

	while ((lookup = dns_lookups_oldest(dns->lookups)))
		give_up(dns, lookup, true);
}

uint64_t dns_traffic_evicted(const struct dns_traffic *dns)
{
	return dns->evicted;
}
