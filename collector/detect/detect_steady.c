#include "detect_steady.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "known.h"

#define NAMES 16
#define ANSWERS 12 /* of one name; whoever has more turns over */
#define WORDS 96
#define WORDS_SHOWN 3
#define ROUNDS_TO_SPEAK 2
/* The servers are asked once in five minutes where all is slow: three rounds. */
#define SERVERS_HEARD_US (15 * MOMENT_MINUTE_US)
#define UNASKED_US MOMENT_HOUR_US

struct answer {
	uint64_t key;
	struct moment last;
	uint32_t asn;
};

struct answers {
	uint32_t count;
	struct answer list[ANSWERS];
};

/* One question. */
struct steady_name {
	uint64_t question;
	struct moment first, last; /* answer of the servers */
	struct moment changed;     /* the last time that they said something new */
	struct answers said;       /* by the servers */
	struct answers usual; /* told by resolvers for long, though no server says so */
	struct answers own;   /* the same, of private addresses */
	char words[WORDS];    /* the servers' last answer */
};

struct steady_of_service {
	uint32_t name_count;
	struct steady_name names[NAMES];
	struct known agreed[2]; /* resolvers that told what the servers say: to people's
				   machines, to gateways and sentinels */
	struct known aliased;   /* who was told lately that a name is an alias */
	struct known vouched;   /* addresses that show a certificate which verifies */
	struct testimony strange;
};

/* What is wrong with an answer. */
struct complaint {
	uint64_t key; /* 0: nothing */
	const struct steady_name *name;
	bool own; /* it is a private address */
	bool vouched;
	char words[OBS_NAME + WORDS + 32];
};

static uint64_t question_of(const char *name, const char *type)
{
	return known_key(name) * 31 + known_key(type);
}

static bool is_addresses(const struct obs_dns *dns)
{
	return strcmp(dns->type, "A") == 0 || strcmp(dns->type, "AAAA") == 0;
}

static bool is_alias(const struct obs_dns *dns)
{
	return strcmp(dns->type, "CNAME") == 0;
}

static struct steady_name *find_name(struct steady_of_service *steady, uint64_t question)
{
	for (uint32_t i = 0; i < steady->name_count; i++)
		if (steady->names[i].question == question)
			return &steady->names[i];
	return NULL;
}

/* Its own row, a new one, or that of a name that is no longer asked for; NULL. */
static struct steady_name *take_name(
	struct steady_of_service *steady, uint64_t question, struct moment at)
{
	struct steady_name *name = find_name(steady, question);

	for (uint32_t i = 0; !name && steady->name_count == NAMES && i < NAMES; i++)
		if (moment_since_us(at, steady->names[i].last) > UNASKED_US)
			name = &steady->names[i];
	if (!name && steady->name_count < NAMES)
		name = &steady->names[steady->name_count++];
	if (name && name->question != question)
		*name = (struct steady_name){.question = question};
	return name;
}

static struct answer *find_answer(struct answers *answers, uint64_t key)
{
	for (uint32_t i = 0; i < answers->count; i++)
		if (answers->list[i].key == key)
			return &answers->list[i];
	return NULL;
}

/* True when it is new among them. The one unheard for longest gives way. */
static bool add_answer(
	struct answers *answers, uint64_t key, struct moment at, uint32_t asn)
{
	struct answer *place = find_answer(answers, key);
	bool new = !place;

	if (!place && answers->count < ANSWERS)
		place = &answers->list[answers->count++];
	if (!place) {
		place = &answers->list[0];
		for (uint32_t i = 1; i < ANSWERS; i++)
			if (moment_before(answers->list[i].last, place->last))
				place = &answers->list[i];
	}
	*place = (struct answer){key, at, asn};
	return new;
}

static void forget_answers(struct answers *answers, struct moment before)
{
	for (uint32_t i = answers->count; i-- > 0;)
		if (moment_before(answers->list[i].last, before))
			answers->list[i] = answers->list[--answers->count];
}

static void hear_server(
	const struct detector_case *call, struct steady_of_service *steady)
{
	const struct obs_dns *dns = &call->obs->dns;
	struct steady_name *name =
		take_name(steady, question_of(dns->name, dns->type), call->at);
	size_t used = 0;

	if (!name)
		return;
	if (!name->first.us)
		name->first = name->changed = call->rx;
	/* What they had not said for so long no cache holds any more; while nobody asked
	 * them nothing is forgotten. */
	forget_answers(
		&name->said, moment_plus_us(name->last, -call->settings->learn_names_us));
	name->last = call->at;
	for (unsigned i = 0; i < dns->answer_count; i++) {
		const struct obs_answer *answer = &dns->answers[i];

		if (add_answer(&name->said, known_key(answer->data), call->at,
			    answer->place.asn) &&
			!call->announced)
			name->changed = call->rx;
		if (i < WORDS_SHOWN)
			used += detector_write(name->words + used, WORDS - used, "%s%s",
				i ? ", " : "", answer->data);
	}
}

static bool is_long_ago(const struct detector_case *call, struct moment moment)
{
	return moment_since_us(call->rx, moment) >= call->settings->learn_names_us;
}

/* Where resolvers are told ever new things the servers answer by who asks, and turn over.
 */
static bool is_steady(const struct detector_case *call, const struct steady_name *name)
{
	return name && is_long_ago(call, name->changed) && name->usual.count < ANSWERS &&
	       moment_since_us(call->at, name->last) < SERVERS_HEARD_US;
}

/* In a network where none of the name's own addresses is: somebody else's to judge. */
static bool is_elsewhere(const struct steady_name *name, uint32_t asn)
{
	bool placed = false;

	for (uint32_t i = 0; asn && i < name->said.count; i++) {
		if (name->said.list[i].asn == asn)
			return false;
		placed |= name->said.list[i].asn != 0;
	}
	return placed;
}

static bool is_private(const char *text)
{
	struct address address;

	return address_parse(&address, text) == 0 && address_is_private(&address);
}

static struct known *agreed_by(
	struct steady_of_service *steady, const struct testimony_source *source)
{
	return &steady->agreed[source->weighty];
}

/* A site's resolver, and whether it is aliases that it agrees on. */
static uint64_t resolver_of(const struct testimony_source *source, bool alias)
{
	return (source->server * 31 + source->site) * 2 + alias;
}

static uint64_t alias_of(const struct testimony_source *source, const char *name)
{
	return (source->server * 31 + source->vantage) * 31 + known_key(name);
}

static bool is_vouched(const struct detector_case *call, struct steady_of_service *steady,
	const char *data)
{
	const struct known_item *item = known_find(&steady->vouched, known_key(data));

	return item && moment_since_us(call->rx, item->last) < UNASKED_US;
}

/* Neither the name's own, nor of another network, nor usual; while that is learnt nothing
 * is a surprise, but usual from then on. */
static bool is_surprise(const struct detector_case *call, struct steady_name *name,
	const struct obs_answer *answer)
{
	uint64_t key = known_key(answer->data);
	bool own = is_private(answer->data);
	struct answers *usual = own ? &name->own : &name->usual;

	if (find_answer(&name->said, key) ||
		(!own && is_elsewhere(name, answer->place.asn)) ||
		find_answer(usual, key))
		return false;
	if (is_long_ago(call, name->first) && !call->announced)
		return is_steady(call, name);
	(void)add_answer(usual, key, call->rx, answer->place.asn);
	return false;
}

/* The worst of it: a public address before a private one. */
static struct complaint complain(const struct detector_case *call,
	struct steady_of_service *steady, struct steady_name *name)
{
	const struct obs_dns *dns = &call->obs->dns;
	struct complaint out = {.name = name};

	for (unsigned i = 0; name && i < dns->answer_count; i++) {
		const char *data = dns->answers[i].data;

		if (!is_surprise(call, name, &dns->answers[i]) || (out.key && !out.own))
			continue;
		out.own = is_private(data);
		out.key = name->question * 2 + out.own;
		out.vouched = is_vouched(call, steady, data);
		(void)detector_write(out.words, sizeof(out.words), "%s", data);
	}
	return out;
}

/* Addresses straight away of a name that has always stood for another one. A resolver
 * that always resolves aliases away has never agreed. */
static struct complaint complain_of_dropped_alias(const struct detector_case *call,
	struct steady_of_service *steady, struct steady_name *addresses)
{
	const struct obs_dns *dns = &call->obs->dns;
	struct testimony_source source = detector_source(call);
	struct steady_name *alias = find_name(steady, question_of(dns->name, "CNAME"));
	const struct known_item *told =
		known_find(&steady->aliased, alias_of(&source, dns->name));
	struct complaint out = {.name = alias};

	if (!is_steady(call, alias) || (told && told->last.us == call->at.us) ||
		call->announced ||
		!known_find(agreed_by(steady, &source), resolver_of(&source, true)))
		return out;
	for (unsigned i = 0; i < dns->answer_count; i++) {
		const char *data = dns->answers[i].data;

		if (is_private(data) || is_vouched(call, steady, data) ||
			(addresses && (find_answer(&addresses->said, known_key(data)) ||
					      is_elsewhere(addresses,
						      dns->answers[i].place.asn))))
			return out;
	}
	out.key = alias->question * 2;
	(void)detector_write(out.words, sizeof(out.words), "%s, and no alias of %s",
		dns->answers[0].data, alias->words);
	return out;
}

/* Whether all of it is what the servers say. */
static bool agrees(const struct obs_dns *dns, struct steady_name *name)
{
	for (unsigned i = 0; i < dns->answer_count; i++)
		if (!find_answer(&name->said, known_key(dns->answers[i].data)))
			return false;
	return true;
}

static enum incident_severity severity_of(const struct detector_case *call,
	struct steady_of_service *steady, const struct complaint *complaint,
	const struct testimony_weight *weight)
{
	bool sure = weight->vantages >= 2 || weight->rounds >= ROUNDS_TO_SPEAK;
	bool alias =
		complaint->name->question == question_of(call->obs->dns.name, "CNAME");
	struct testimony_source source = detector_source(call);

	if (complaint->own)
		return weight->rounds >= ROUNDS_TO_SPEAK ? SEVERITY_WARN : SEVERITY_INFO;
	if (!sure)
		return call->vantage->away ? SEVERITY_INFO : SEVERITY_WARN;
	return !complaint->vouched && !complaint->name->usual.count &&
			       known_find(agreed_by(steady, &source),
				       resolver_of(&source, alias))
		       ? SEVERITY_PAGE
		       : SEVERITY_WARN;
}

static void name_subject(struct finding *finding, uint64_t key)
{
	(void)snprintf(finding->subject, sizeof(finding->subject),
		"resolver-steady-%016" PRIx64, key);
}

static const char *excuse_of(const struct complaint *complaint)
{
	if (complaint->own)
		return ", a private address";
	return complaint->vouched ? ", where a certificate that verifies is shown" : "";
}

static void accuse(const struct detector_case *call, struct steady_of_service *steady,
	const struct complaint *complaint, const struct testimony_weight *weight)
{
	struct finding finding = detector_finding(call, CAUSE_RECORDS);
	const struct obs_dns *dns = &call->obs->dns;
	char server[ADDRESS_TEXT], changed[MOMENT_TEXT];

	finding.severity = severity_of(call, steady, complaint, weight);
	finding.security = finding.severity == SEVERITY_PAGE;
	finding.lone = call->vantage->role == OBS_ENDPOINT && weight->vantages < 2;
	finding.since = weight->since;
	finding.effect = finding.security ? fmin(weight->vantages / 4., 1) : 0;
	name_subject(&finding, complaint->key);
	(void)detector_write(finding.site, sizeof(finding.site), "%s", call->site);
	(void)detector_write(finding.brief, sizeof(finding.brief), "a resolver lies: %s",
		complaint->words);
	(void)detector_write(finding.text, sizeof(finding.text),
		"%s of %s is %s%s, says resolver %s to %s (%s); its name servers say %s, "
		"and nothing new since %s",
		dns->type, dns->name, complaint->words, excuse_of(complaint),
		address_text(&dns->server, server), call->vantage->probe, call->site,
		complaint->name->words,
		moment_text(complaint->name->changed, false, changed));
	detector_say(call, &finding);
}

/* Nobody at that site bears witness of it any more. */
static void remove_witness(const struct detector_case *call,
	struct steady_of_service *steady, uint32_t number)
{
	struct testimony_item gone = steady->strange.items[number];
	struct finding subject = {0};

	testimony_remove(&steady->strange, number);
	name_subject(&subject, gone.key);
	if (!testimony_is_at(&steady->strange, gone.key, gone.source.site))
		detector_end(call, CAUSE_RECORDS,
			vantages_site_name(call->vantages, gone.source.site),
			subject.subject);
}

/* What goes on for so long is usual from then on. */
static void grow_used_to(const struct detector_case *call, struct steady_name *name)
{
	const struct obs_dns *dns = &call->obs->dns;

	for (unsigned i = 0; name && i < dns->answer_count; i++)
		if (is_surprise(call, name, &dns->answers[i]))
			(void)add_answer(is_private(dns->answers[i].data) ? &name->own
									  : &name->usual,
				known_key(dns->answers[i].data), call->rx,
				dns->answers[i].place.asn);
}

static void acquit(const struct detector_case *call, struct steady_of_service *steady,
	struct steady_name *name, uint64_t told)
{
	struct testimony_source source = detector_source(call);

	for (uint32_t i = steady->strange.count; i-- > 0;) {
		struct testimony_item *item = &steady->strange.items[i];
		bool habit = item->key == told && is_long_ago(call, item->since);

		if (habit)
			grow_used_to(call, name);
		if (habit || moment_since_us(call->rx, item->last) > UNASKED_US ||
			(item->key != told && testimony_is_refuted(item, &source)))
			remove_witness(call, steady, i);
	}
}

/* The servers have been asked after it was first told, and did not say so. */
static bool may_speak(
	const struct steady_name *name, const struct testimony_weight *weight)
{
	return (weight->most >= ROUNDS_TO_SPEAK || weight->vantages >= 2) &&
	       moment_before(weight->since, name->last);
}

static void weigh(const struct detector_case *call, struct steady_of_service *steady,
	const struct complaint *complaint)
{
	struct testimony_source source = detector_source(call);
	struct testimony_weight weight;

	(void)testimony_give(&steady->strange, complaint->key, &source, call->at);
	weight = testimony_weigh(&steady->strange, complaint->key);
	if (may_speak(complaint->name, &weight))
		accuse(call, steady, complaint, &weight);
}

static void hear_resolver(
	const struct detector_case *call, struct steady_of_service *steady)
{
	const struct obs_dns *dns = &call->obs->dns;
	struct testimony_source source = detector_source(call);
	struct steady_name *name = find_name(steady, question_of(dns->name, dns->type));
	struct complaint complaint = complain(call, steady, name);

	if (name && agrees(dns, name))
		(void)known_see(agreed_by(steady, &source),
			resolver_of(&source, is_alias(dns)), call->rx,
			call->vantage->number);
	if (is_alias(dns))
		(void)known_see(&steady->aliased, alias_of(&source, dns->name), call->at,
			call->vantage->number);
	else if (!complaint.key)
		complaint = complain_of_dropped_alias(call, steady, name);
	if (complaint.key)
		weigh(call, steady, &complaint);
	acquit(call, steady, name, complaint.key);
}

static void hear_check(const struct detector_case *call, struct steady_of_service *steady)
{
	const struct obs_check *check = &call->obs->check;
	char peer[ADDRESS_TEXT];

	if (check->peer.family && check->tls.present && check->tls.verified)
		(void)known_see(&steady->vouched,
			known_key(address_text(&check->peer, peer)), call->rx,
			call->vantage->number);
}

static void see(struct detector_case *call)
{
	struct steady_of_service *steady = detector_of_service(call);
	const struct obs_dns *dns = &call->obs->dns;

	if (call->vantage->roaming)
		return;
	if (call->obs->kind == OBS_CHECK)
		hear_check(call, steady);
	else if (strcmp(dns->rcode, "NOERROR") != 0 || !dns->answer_count ||
		 (!is_addresses(dns) && !is_alias(dns)))
		return;
	else if (dns->role == OBS_AUTHORITY && dns->authoritative)
		hear_server(call, steady);
	else if (dns->role == OBS_RESOLVER)
		hear_resolver(call, steady);
}

static void keep_answers(struct archive *archive, struct answers *answers)
{
	archive_count(archive, &answers->count, ANSWERS);
	for (uint32_t i = 0; i < answers->count; i++) {
		archive_u64(archive, &answers->list[i].key);
		archive_moment(archive, &answers->list[i].last);
		archive_u32(archive, &answers->list[i].asn);
	}
}

static void keep_name(struct archive *archive, struct steady_name *name)
{
	archive_u64(archive, &name->question);
	archive_moment(archive, &name->first);
	archive_moment(archive, &name->last);
	archive_moment(archive, &name->changed);
	keep_answers(archive, &name->said);
	keep_answers(archive, &name->usual);
	keep_answers(archive, &name->own);
	archive_text(archive, name->words, sizeof(name->words));
}

static void keep_service(struct archive *archive, void *state)
{
	struct steady_of_service *steady = state;

	archive_count(archive, &steady->name_count, NAMES);
	for (uint32_t i = 0; i < steady->name_count; i++)
		keep_name(archive, &steady->names[i]);
	known_keep(archive, &steady->agreed[false]);
	known_keep(archive, &steady->agreed[true]);
	known_keep(archive, &steady->aliased);
	known_keep(archive, &steady->vouched);
	testimony_keep(archive, &steady->strange);
}

const struct detector detect_steady = {
	.name = "steady",
	.kinds = 1u << OBS_DNS | 1u << OBS_CHECK,
	.service_size = sizeof(struct steady_of_service),
	.see = see,
	.keep_service = keep_service,
};
