#include "detect_records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "known.h"
#include "record_set.h"
#include "testimony.h"

#define ANSWERS_TO_SPEAK 2
#define SIGNATURE_ROUNDS 2
/* They are asked once in five minutes where all is slow: three rounds. */
#define SERVERS_HEARD_US (15 * MOMENT_MINUTE_US)

struct records_of_set {
	struct known seen;
	struct testimony strange;
	struct moment first; /* answer ever */
};

/* Of the zone's keys, as the parent vouches for them. */
struct signature {
	struct known seen;
	struct moment first;
	uint32_t missing, foreign; /* answers in a row without any, with only new ones */
};

struct records_of_service {
	struct records_of_set sets[RECORD_SETS];
	struct known questions; /* that name servers answer */
	struct signature signature;
};

static bool is_strange(const struct detector_case *call, struct records_of_set *records,
	enum record_set set, const struct record_set_item *record)
{
	if (record_set_has_policy(call->service, set))
		return !record_set_expects(call->service, set, record);
	if (known_find(&records->seen, record->key))
		return false;
	return !call->announced && moment_since_us(call->rx, records->first) >=
					   call->settings->learn_names_us;
}

static void accuse(const struct detector_case *call, struct moment since,
	enum record_set set, const struct record_set_item *record)
{
	bool policy = record_set_has_policy(call->service, set);
	struct finding finding = detector_finding(call,
		policy && set == RECORD_SET_NETWORKS ? CAUSE_POLICY : CAUSE_RECORDS);
	const struct obs_dns *dns = &call->obs->dns;
	char expected[256] = "only what was seen before", server[ADDRESS_TEXT];

	if (policy)
		record_set_write_policy(call->service, set, expected, sizeof(expected));
	finding.severity = SEVERITY_PAGE;
	finding.lone = call->vantage->role == OBS_ENDPOINT;
	finding.policy = policy;
	finding.security = true;
	finding.since = since;
	finding.effect = 1;
	detector_name_subject(&finding, record->key);
	if (set == RECORD_SET_NETWORKS)
		(void)detector_write(finding.brief, sizeof(finding.brief),
			"its name leads to %s", record->words);
	else
		(void)detector_write(finding.brief, sizeof(finding.brief),
			"its mail goes to %s", record->words);
	(void)detector_write(finding.text, sizeof(finding.text),
		"%s of %s is %s, says %s %s, asked by %s; expected: %s", dns->type,
		dns->name, record->words, obs_dns_role_text(dns->role),
		address_text(&dns->server, server), call->vantage->probe, expected);
	detector_say(call, &finding);
}

/* What is told otherwise now; without witnesses it is over. */
static void acquit_the_absent(const struct detector_case *call,
	struct records_of_set *records, enum record_set set,
	const struct testimony_source *source)
{
	enum incident_cause cause =
		record_set_has_policy(call->service, set) && set == RECORD_SET_NETWORKS
			? CAUSE_POLICY
			: CAUSE_RECORDS;

	for (uint32_t i = records->strange.count; i-- > 0;) {
		struct testimony_item *item = &records->strange.items[i];
		struct finding subject = {0};
		uint64_t key = item->key;

		if (record_set_is_answered(&call->obs->dns, set, key) ||
			!testimony_is_refuted(item, source))
			continue;
		testimony_remove(&records->strange, i);
		if (testimony_weigh(&records->strange, key).items)
			continue;
		detector_name_subject(&subject, key);
		detector_end(call, cause, "", subject.subject);
	}
}

/* Two probes, two of the zone's servers, or one of them twice. */
static bool may_speak(const struct testimony_weight *weight)
{
	return weight->vantages >= 2 || weight->servers >= 2 ||
	       weight->rounds >= ANSWERS_TO_SPEAK;
}

static void see_set(const struct detector_case *call, struct records_of_set *records,
	enum record_set set)
{
	const struct obs_dns *dns = &call->obs->dns;
	struct testimony_source source = detector_source(call);

	if (!records->first.us)
		records->first = call->rx;
	for (unsigned i = 0; i < dns->answer_count; i++) {
		struct record_set_item record = record_set_read(set, &dns->answers[i]);
		struct testimony_weight weight;

		if (!record.key)
			continue;
		if (!is_strange(call, records, set, &record)) {
			(void)known_see(&records->seen, record.key, call->rx,
				call->vantage->number);
			continue;
		}
		(void)testimony_give(&records->strange, record.key, &source, call->at);
		weight = testimony_weigh(&records->strange, record.key);
		if (may_speak(&weight))
			accuse(call, weight.since, set, &record);
	}
	acquit_the_absent(call, records, set, &source);
}

static void accuse_signature(
	const struct detector_case *call, const char *subject, const char *what)
{
	struct finding finding = detector_finding(call, CAUSE_RECORDS);

	finding.severity = SEVERITY_PAGE;
	finding.lone = call->vantage->role == OBS_ENDPOINT;
	finding.security = true;
	finding.effect = 1;
	(void)detector_write(finding.subject, sizeof(finding.subject), "%s", subject);
	(void)detector_write(finding.brief, sizeof(finding.brief), "its zone %s", what);
	(void)detector_write(finding.text, sizeof(finding.text),
		"%s %s: the parent has %s for it any more; answers that the real keys "
		"signed can no longer be validated",
		call->obs->dns.name, what,
		call->obs->dns.answer_count ? "no known DS" : "no DS");
	detector_say(call, &finding);
}

/* Counts one more answer in a row, says it from the second on, and once that it ended. */
static void count_signature(const struct detector_case *call, uint32_t *rounds,
	bool holds, const char *subject, const char *what)
{
	if (!holds && *rounds >= SIGNATURE_ROUNDS)
		detector_end(call, CAUSE_RECORDS, "", subject);
	*rounds = holds ? *rounds + 1 : 0;
	if (*rounds >= SIGNATURE_ROUNDS)
		accuse_signature(call, subject, what);
}

static bool has_known_key(const struct obs_dns *dns, struct signature *signature)
{
	for (unsigned i = 0; i < dns->answer_count; i++)
		if (known_find(&signature->seen, known_key(dns->answers[i].data)))
			return true;
	return false;
}

/* A key is rolled over beside the old one; all of them new at once is another owner. */
static void see_signature(const struct detector_case *call, struct signature *signature)
{
	const struct obs_dns *dns = &call->obs->dns;
	bool learnt, foreign;

	if (!signature->first.us)
		signature->first = call->rx;
	if (call->announced && !dns->answer_count)
		signature->seen.count = 0; /* it is to be so */
	learnt = !call->announced && moment_since_us(call->rx, signature->first) >=
					     call->settings->learn_names_us;
	foreign = learnt && dns->answer_count && signature->seen.count &&
		  !has_known_key(dns, signature);
	count_signature(call, &signature->missing,
		!dns->answer_count && signature->seen.count && !call->announced,
		"unsigned", "is no longer signed");
	count_signature(call, &signature->foreign, foreign, "resigned",
		"is signed by other keys, all at once");
	for (unsigned i = 0; i < dns->answer_count && !foreign; i++)
		(void)known_see(&signature->seen, known_key(dns->answers[i].data),
			call->rx, call->vantage->number);
}

/* Whether the servers' own word is known: then resolvers are measured by it, elsewhere
 * (detect_resolver). */
static bool is_second_hand(
	const struct detector_case *call, struct records_of_service *records)
{
	uint64_t question = detector_source(call).question;
	const struct known_item *item;

	if (call->obs->dns.role == OBS_AUTHORITY) {
		(void)known_see(&records->questions, question, call->at, 0);
		return false;
	}
	item = known_find(&records->questions, question);
	return item && moment_since_us(call->at, item->last) < SERVERS_HEARD_US;
}

static void see(struct detector_case *call)
{
	struct records_of_service *records = detector_of_service(call);
	const struct obs_dns *dns = &call->obs->dns;
	enum record_set set;

	if (call->vantage->roaming || strcmp(dns->rcode, "NOERROR") != 0)
		return;
	if (dns->role == OBS_PARENT) {
		if (strcmp(dns->type, "DS") == 0)
			see_signature(call, &records->signature);
		return;
	}
	if (dns->answer_count && record_set_of(dns->type, &set) &&
		!is_second_hand(call, records))
		see_set(call, &records->sets[set], set);
}

static void keep_signature(struct archive *archive, struct signature *signature)
{
	known_keep(archive, &signature->seen);
	archive_moment(archive, &signature->first);
	archive_u32(archive, &signature->missing);
	archive_u32(archive, &signature->foreign);
}

static void keep_service(struct archive *archive, void *state)
{
	struct records_of_service *records = state;

	for (unsigned i = 0; i < RECORD_SETS; i++) {
		known_keep(archive, &records->sets[i].seen);
		testimony_keep(archive, &records->sets[i].strange);
		archive_moment(archive, &records->sets[i].first);
	}
	known_keep(archive, &records->questions);
	keep_signature(archive, &records->signature);
}

const struct detector detect_records = {
	.name = "records",
	.kinds = 1u << OBS_DNS,
	.service_size = sizeof(struct records_of_service),
	.see = see,
	.keep_service = keep_service,
};
