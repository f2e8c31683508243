#include "detect_records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "known.h"

#define ANSWERS_TO_SPEAK 2
#define UNSIGNED_ROUNDS 2

enum set { NETWORKS, MAIL, SETS };

struct records_of_set {
	struct known seen;
	struct known strangers; /* witnesses: who has been told so last */
	struct moment first;    /* answer ever */
};

struct records_of_service {
	struct records_of_set sets[SETS];
	bool was_signed;
	unsigned unsigned_rounds;
};

/* What one answer says to its set. */
struct record {
	uint64_t key; /* 0: nothing that counts */
	char words[OBS_NAME + 32];
};

static struct record network_of(const struct obs_answer *answer)
{
	struct record out = {.key = answer->place.asn};

	(void)detector_write(out.words, sizeof(out.words), "%s (AS%u%s%s)", answer->data,
		(unsigned)answer->place.asn, answer->place.country[0] ? ", " : "",
		answer->place.country);
	return out;
}

/* "10 mx.exchange.example": the preference says nothing of the owner. */
static struct record exchanger_of(const struct obs_answer *answer)
{
	const char *space = strchr(answer->data, ' '),
		   *name = space ? space + 1 : answer->data;
	struct record out = {.key = known_key(name)};

	(void)detector_write(out.words, sizeof(out.words), "%s", name);
	return out;
}

static struct record record_of(enum set set, const struct obs_answer *answer)
{
	return set == NETWORKS ? network_of(answer) : exchanger_of(answer);
}

static bool has_policy(const struct service *service, enum set set)
{
	return set == NETWORKS ? service->expect.asns_given : service->expect.mail_given;
}

static bool is_expected(
	const struct service *service, enum set set, const struct record *record)
{
	const struct service_expect *expect = &service->expect;

	if (set == NETWORKS) {
		for (unsigned i = 0; i < expect->asn_count; i++)
			if (expect->asns[i] == record->key)
				return true;
		return false;
	}
	for (unsigned i = 0; i < expect->mail_count; i++)
		if (strcmp(expect->mail[i], record->words) == 0)
			return true;
	return false;
}

static bool is_strange(const struct detector_case *call, struct records_of_set *records,
	enum set set, const struct record *record)
{
	if (has_policy(call->service, set))
		return !is_expected(call->service, set, record);
	if (known_find(&records->seen, record->key))
		return false;
	return !call->announced && moment_since_us(call->rx, records->first) >=
					   call->settings->learn_names_us;
}

static void write_expected(
	const struct service *service, enum set set, char *buf, size_t cap)
{
	unsigned count =
		set == NETWORKS ? service->expect.asn_count : service->expect.mail_count;
	size_t used = 0;

	(void)detector_write(buf, cap, "%s", count ? "" : "none");
	for (unsigned i = 0; i < count && i < 4; i++)
		used += set == NETWORKS ? detector_write(buf + used, cap - used, "%sAS%u",
						  i ? ", " : "",
						  (unsigned)service->expect.asns[i])
					: detector_write(buf + used, cap - used, "%s%s",
						  i ? ", " : "", service->expect.mail[i]);
	if (count > 4)
		(void)detector_write(buf + used, cap - used, " and %u more", count - 4);
}

static void accuse(const struct detector_case *call, const struct known_item *stranger,
	enum set set, const struct record *record)
{
	bool policy = has_policy(call->service, set);
	struct finding finding = detector_finding(
		call, policy && set == NETWORKS ? CAUSE_POLICY : CAUSE_RECORDS);
	const struct obs_dns *dns = &call->obs->dns;
	char expected[256] = "only what was seen before", server[ADDRESS_TEXT];

	if (policy)
		write_expected(call->service, set, expected, sizeof(expected));
	finding.severity = SEVERITY_PAGE;
	finding.policy = policy;
	finding.security = true;
	finding.since = stranger->first;
	finding.effect = 1;
	detector_name_subject(&finding, stranger->key);
	if (set == NETWORKS)
		(void)detector_write(finding.brief, sizeof(finding.brief),
			"its name leads to %s", record->words);
	else
		(void)detector_write(finding.brief, sizeof(finding.brief),
			"its mail goes to %s", record->words);
	(void)detector_write(finding.text, sizeof(finding.text),
		"%s of %s is %s, says %s %s, asked from %s; expected: %s", dns->type,
		dns->name, record->words, obs_dns_role_text(dns->role),
		address_text(&dns->server, server), call->site, expected);
	detector_say(call, &finding);
}

static bool is_answered(const struct obs_dns *dns, enum set set, uint64_t key)
{
	for (unsigned i = 0; i < dns->answer_count; i++)
		if (record_of(set, &dns->answers[i]).key == key)
			return true;
	return false;
}

/* Whoever has been told better no longer bears witness; without witnesses it is over. */
static void acquit_the_absent(
	const struct detector_case *call, struct records_of_set *records, enum set set)
{
	enum incident_cause cause = has_policy(call->service, set) && set == NETWORKS
					    ? CAUSE_POLICY
					    : CAUSE_RECORDS;

	for (uint32_t i = records->strangers.count; i-- > 0;) {
		struct known_item *stranger = &records->strangers.items[i];
		struct finding subject = {0};

		if (is_answered(&call->obs->dns, set, stranger->key))
			continue;
		stranger->witnesses &= ~(UINT64_C(1) << call->vantage->number % 64);
		if (stranger->witnesses)
			continue;
		detector_name_subject(&subject, stranger->key);
		detector_end(call, cause, "", subject.subject);
		known_remove(&records->strangers, stranger->key);
	}
}

static bool may_speak(const struct detector_case *call, const struct known_item *stranger)
{
	return __builtin_popcountll(stranger->witnesses) >= 2 ||
	       (call->vantage->role != OBS_ENDPOINT &&
		       stranger->times >= ANSWERS_TO_SPEAK);
}

static void see_set(
	const struct detector_case *call, struct records_of_set *records, enum set set)
{
	const struct obs_dns *dns = &call->obs->dns;

	if (!records->first.us)
		records->first = call->rx;
	for (unsigned i = 0; i < dns->answer_count; i++) {
		struct record record = record_of(set, &dns->answers[i]);
		struct known_item *stranger;

		if (!record.key)
			continue;
		if (!is_strange(call, records, set, &record)) {
			(void)known_see(&records->seen, record.key, call->rx,
				call->vantage->number);
			continue;
		}
		stranger = known_find(&records->strangers, record.key);
		/* Two addresses in one answer are one sighting. */
		if (!stranger || stranger->last.us != call->at.us ||
			!(stranger->witnesses & UINT64_C(1)
							<< call->vantage->number % 64))
			stranger = known_see(&records->strangers, record.key, call->at,
				call->vantage->number);
		if (may_speak(call, stranger))
			accuse(call, stranger, set, &record);
	}
	acquit_the_absent(call, records, set);
}

static void see_signature(
	const struct detector_case *call, struct records_of_service *records)
{
	struct finding finding;

	if (call->obs->dns.answer_count) {
		if (records->unsigned_rounds >= UNSIGNED_ROUNDS)
			detector_end(call, CAUSE_RECORDS, "", "unsigned");
		records->was_signed = true;
		records->unsigned_rounds = 0;
		return;
	}
	if (!records->was_signed || call->announced ||
		++records->unsigned_rounds < UNSIGNED_ROUNDS)
		return;
	finding = detector_finding(call, CAUSE_RECORDS);
	finding.severity = SEVERITY_PAGE;
	finding.security = true;
	finding.effect = 1;
	(void)detector_write(finding.subject, sizeof(finding.subject), "unsigned");
	(void)detector_write(
		finding.brief, sizeof(finding.brief), "its zone is no longer signed");
	(void)detector_write(finding.text, sizeof(finding.text),
		"the parent has no DS for %s any more: its answers can no longer be "
		"validated",
		call->obs->dns.name);
	detector_say(call, &finding);
}

static bool is_address(const char *type)
{
	return strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0;
}

static void see(struct detector_case *call)
{
	struct records_of_service *records = detector_of_service(call);
	const struct obs_dns *dns = &call->obs->dns;

	if (call->vantage->roaming || strcmp(dns->rcode, "NOERROR") != 0)
		return;
	if (dns->role == OBS_PARENT) {
		if (strcmp(dns->type, "DS") == 0)
			see_signature(call, records);
		return;
	}
	if (!dns->answer_count)
		return;
	if (is_address(dns->type))
		see_set(call, &records->sets[NETWORKS], NETWORKS);
	else if (strcmp(dns->type, "MX") == 0)
		see_set(call, &records->sets[MAIL], MAIL);
}

static void keep_service(struct archive *archive, void *state)
{
	struct records_of_service *records = state;

	for (unsigned i = 0; i < SETS; i++) {
		known_keep(archive, &records->sets[i].seen);
		known_keep(archive, &records->sets[i].strangers);
		archive_moment(archive, &records->sets[i].first);
	}
	archive_bool(archive, &records->was_signed);
	archive_u32(archive, &records->unsigned_rounds);
}

const struct detector detect_records = {
	.name = "records",
	.kinds = 1u << OBS_DNS,
	.service_size = sizeof(struct records_of_service),
	.see = see,
	.keep_service = keep_service,
};
