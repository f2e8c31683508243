#include "names_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alias.h"
#include "dns_name.h"
#include "geo.h"

static const char *failure_text(int rc)
{
	return rc <= -1000 ? "MALFORMED" : "TIMEOUT";
}

static struct obs_dns *begin(struct obs *obs, struct moment at, const char *service,
	const char *name, unsigned type, enum obs_dns_role role,
	const struct address *server)
{
	struct obs_dns *dns = &obs->dns;

	obs_init(obs, OBS_DNS, at);
	(void)snprintf(dns->service, sizeof(dns->service), "%s", service);
	(void)snprintf(dns->name, sizeof(dns->name), "%s", name);
	(void)dns_message_type_text(type, dns->type);
	dns->role = role;
	dns->server = *server;
	return dns;
}

static void add_answer(struct obs_dns *dns, const char *data, uint32_t ttl,
	const struct address *address, const struct geo *geo)
{
	struct obs_answer *answer;

	if (dns->answer_count == OBS_ANSWERS)
		return;
	answer = &dns->answers[dns->answer_count++];
	*answer = (struct obs_answer){.ttl = ttl};
	(void)snprintf(answer->data, sizeof(answer->data), "%s", data);
	if (address && address->family)
		(void)geo_place(geo, address, &answer->place);
}

static void fill_head(struct obs_dns *dns, const struct dns_reply *reply)
{
	dns->rtt_us = reply->rtt_us;
	if (reply->rc) {
		(void)snprintf(
			dns->rcode, sizeof(dns->rcode), "%s", failure_text(reply->rc));
		return;
	}
	(void)dns_message_rcode_text(reply->message->rcode, dns->rcode);
	dns->authoritative = reply->message->authoritative;
	dns->validated = reply->message->authentic;
}

static void record(struct obs *obs, const struct dns_reply *reply, const char *service,
	const char *asked, enum obs_dns_role role, const struct geo *geo)
{
	const struct dns_question *question = reply->question;
	struct obs_dns *dns = begin(obs, reply->at, service, asked, question->type, role,
		&question->server.address);
	const char *name;

	fill_head(dns, reply);
	if (reply->rc)
		return;
	name = question->type == DNS_CNAME ? question->name
					   : alias_end(reply->message, question->name);
	for (unsigned i = 0; i < reply->message->record_count; i++) {
		const struct dns_record *record = &reply->message->records[i];

		if (record->section == DNS_ANSWER && record->type == question->type &&
			strcmp(record->owner, name) == 0)
			add_answer(dns, record->data, record->ttl, &record->address, geo);
	}
}

void names_record_reply(struct obs *obs, const struct dns_reply *reply,
	const char *service, enum obs_dns_role role, const struct geo *geo)
{
	record(obs, reply, service, reply->question->name, role, geo);
}

void names_record_followed(struct obs *obs, const struct dns_reply *reply,
	const char *service, const char *alias, const struct geo *geo)
{
	record(obs, reply, service, alias, OBS_AUTHORITY, geo);
}

bool names_record_alias(struct obs *obs, const struct dns_reply *reply,
	const char *service, enum obs_dns_role role)
{
	const struct dns_question *question = reply->question;
	const struct dns_record *alias =
		reply->rc ? NULL : alias_find(reply->message, question->name);
	struct obs_dns *dns;

	if (!alias)
		return false;
	dns = begin(obs, reply->at, service, question->name, DNS_CNAME, role,
		&question->server.address);
	fill_head(dns, reply);
	add_answer(dns, alias->data, alias->ttl, NULL, NULL);
	return true;
}

static void fill_word(struct obs_dns *dns, const struct delegation_word *word)
{
	dns->rtt_us = word->rtt_us;
	dns->authoritative = word->answered && word->authoritative;
	if (word->answered && word->rc && word->rcode == DNS_NOERROR)
		(void)snprintf(dns->rcode, sizeof(dns->rcode), "LAME");
	else if (word->answered)
		(void)dns_message_rcode_text(word->rcode, dns->rcode);
	else
		(void)snprintf(
			dns->rcode, sizeof(dns->rcode), "%s", failure_text(word->rc));
}

static void record_servers(struct obs *obs, const struct delegation_word *word,
	const char *zone, const char *service)
{
	const struct delegation *delegation = &word->delegation;
	struct obs_dns *dns = begin(
		obs, word->at, service, zone, DNS_NS, OBS_PARENT, &word->server.address);

	fill_word(dns, word);
	for (unsigned i = 0; word->rc == 0 && i < delegation->server_count; i++)
		add_answer(dns, delegation->servers[i], delegation->ttl, NULL, NULL);
}

static void record_ds(struct obs *obs, const struct delegation_word *word,
	const char *zone, const char *service)
{
	const struct delegation *delegation = &word->delegation;
	struct obs_dns *dns = begin(
		obs, word->at, service, zone, DNS_DS, OBS_PARENT, &word->server.address);

	fill_word(dns, word);
	for (unsigned i = 0; i < delegation->ds_count; i++)
		add_answer(dns, delegation->ds[i], delegation->ds_ttl, NULL, NULL);
}

static bool is_same_glue(const struct delegation_glue *a, const struct delegation_glue *b)
{
	return a->address.family == b->address.family && strcmp(a->host, b->host) == 0;
}

/* Glue is sorted: a host's addresses of one family stand together. */
static const struct delegation_glue *glue_group(
	const struct delegation *delegation, unsigned number, unsigned *count)
{
	for (unsigned i = 0; i < delegation->glue_count; i += *count) {
		*count = 1;
		while (i + *count < delegation->glue_count &&
			is_same_glue(&delegation->glue[i], &delegation->glue[i + *count]))
			++*count;
		if (number-- == 0)
			return &delegation->glue[i];
	}
	return NULL;
}

static bool record_glue(struct obs *obs, const struct delegation_word *word,
	const char *service, unsigned number, const struct geo *geo)
{
	unsigned count;
	const struct delegation_glue *glue =
		glue_group(&word->delegation, number, &count);
	struct obs_dns *dns;

	if (!glue)
		return false;
	dns = begin(obs, word->at, service, glue->host,
		glue->address.family == 6 ? DNS_AAAA : DNS_A, OBS_PARENT,
		&word->server.address);
	fill_word(dns, word);
	for (unsigned i = 0; i < count; i++) {
		char address[ADDRESS_TEXT];

		add_answer(dns, address_text(&glue[i].address, address), glue[i].ttl,
			&glue[i].address, geo);
	}
	return true;
}

bool names_record_word(struct obs *obs, const struct delegation_word *word,
	const char *zone, const char *service, unsigned index, const struct geo *geo)
{
	bool ds_told = word->rc == 0 && word->delegation.ds_told;

	if (index == 0)
		record_servers(obs, word, zone, service);
	else if (word->rc)
		return false;
	else if (ds_told && index == 1)
		record_ds(obs, word, zone, service);
	else
		return record_glue(obs, word, service, index - (ds_told ? 2 : 1), geo);
	return true;
}
