#include "detect_resolver.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "known.h"
#include "record_set.h"

#define SAID 32
#define WORDS 80
#define SITES_NAMED 4
/* The servers are asked once in five minutes where all is slow: three rounds. */
#define SERVERS_HEARD_US (15 * MOMENT_MINUTE_US)
/* A resolver that nobody asks any more is not said to be lying for ever. */
#define UNASKED_US MOMENT_HOUR_US
/* Servers are not all asked in the same second, and repaired neither. */
#define UNSAID_US (2 * MOMENT_MINUTE_US)
#define ROUNDS_TO_SPEAK 2

/* What the zone's servers say. */
struct said {
	uint64_t key;
	struct moment last;
	bool late; /* said first when the rest was known, and unannounced */
	char words[WORDS];
};

struct resolved_set {
	struct moment first_said, last_said, first_told;
	uint32_t said_count;
	struct said said[SAID];
	struct known usual;       /* told by resolvers while that was learnt */
	struct testimony strange; /* told by resolvers, and not usual */
	struct known asked;       /* (probe, resolver, question) */
};

struct resolved_of_service {
	struct known names; /* (name, type) that the servers answer themselves */
	struct resolved_set sets[RECORD_SETS];
};

enum judgement { RIGHT, LIE, FOLLOWS, CLINGS };

static struct said *find_said(struct resolved_set *set, uint64_t key)
{
	for (uint32_t i = 0; i < set->said_count; i++)
		if (set->said[i].key == key)
			return &set->said[i];
	return NULL;
}

static struct said *room_for(struct resolved_set *set)
{
	struct said *oldest = &set->said[0];

	if (set->said_count < SAID)
		return &set->said[set->said_count++];
	for (uint32_t i = 1; i < SAID; i++)
		if (moment_before(set->said[i].last, oldest->last))
			oldest = &set->said[i];
	return oldest;
}

static bool is_learnt(const struct detector_case *call, struct moment first)
{
	return moment_since_us(call->rx, first) >= call->settings->learn_names_us;
}

static void hear_server(
	const struct detector_case *call, struct resolved_set *set, enum record_set which)
{
	const struct obs_dns *dns = &call->obs->dns;

	if (!set->first_said.us)
		set->first_said = call->rx;
	set->last_said = call->at;
	for (unsigned i = 0; i < dns->answer_count; i++) {
		struct record_set_item item = record_set_read(which, &dns->answers[i]);
		bool expected = record_set_expects(call->service, which, &item);
		struct said *said = find_said(set, item.key);

		if (!item.key)
			continue;
		if (!said) {
			said = room_for(set);
			*said = (struct said){.key = item.key,
				.late = is_learnt(call, set->first_said)};
		}
		if (expected || call->announced)
			said->late = false;
		else if (record_set_has_policy(call->service, which))
			said->late = true;
		said->last = call->at;
		(void)detector_write(said->words, WORDS, "%s", item.words);
	}
}

static enum judgement weigh(const struct detector_case *call, struct resolved_set *set,
	enum record_set which, const struct record_set_item *item)
{
	const struct said *said = find_said(set, item->key);

	if (record_set_expects(call->service, which, item) || (said && !said->late))
		return RIGHT;
	if (said)
		return moment_since_us(set->last_said, said->last) > UNSAID_US ? CLINGS
									       : FOLLOWS;
	if (record_set_has_policy(call->service, which))
		return LIE;
	if (known_find(&set->usual, item->key))
		return RIGHT;
	if (is_learnt(call, set->first_told) && !call->announced)
		return LIE;
	(void)known_see(&set->usual, item->key, call->rx, call->vantage->number);
	return RIGHT;
}

/* Whether resolvers have always been told what our sentinels never were. */
static bool answers_by_asker(struct resolved_set *set)
{
	for (uint32_t i = 0; i < set->usual.count; i++)
		if (!find_said(set, set->usual.items[i].key))
			return true;
	return false;
}

static enum incident_severity severity_of(const struct detector_case *call,
	struct resolved_set *set, enum record_set which, enum judgement judgement,
	const struct testimony_weight *weight)
{
	bool sure = weight->vantages >= 2 || weight->rounds >= ROUNDS_TO_SPEAK;

	if (judgement == FOLLOWS || (!sure && call->vantage->away))
		return SEVERITY_INFO;
	if (judgement == CLINGS || !sure)
		return SEVERITY_WARN;
	return which == RECORD_SET_NETWORKS && answers_by_asker(set) &&
			       !record_set_has_policy(call->service, which)
		       ? SEVERITY_WARN
		       : SEVERITY_PAGE;
}

/* A lie is told at a site; what the servers said went wherever the service is used. */
static const char *site_of(
	const struct detector_case *call, enum judgement judgement, unsigned site)
{
	return judgement == LIE ? vantages_site_name(call->vantages, site) : "";
}

static void name_subject(struct finding *finding, enum record_set which, uint64_t key)
{
	(void)snprintf(finding->subject, sizeof(finding->subject), "resolver-%u-%016llx",
		(unsigned)which, (unsigned long long)key);
}

/* "198.51.100.9 (AS64999), 203.0.113.10 (AS64501)": what it said in its last round. */
static void write_said(struct resolved_set *set, char *buf, size_t cap)
{
	size_t used = detector_write(buf, cap, "something else");
	unsigned shown = 0;

	for (uint32_t i = 0; i < set->said_count && shown < SITES_NAMED; i++) {
		const struct said *said = &set->said[i];

		if (said->late || moment_since_us(set->last_said, said->last) > UNSAID_US)
			continue;
		used = detector_write(buf + (shown ? used : 0), cap - (shown ? used : 0),
			       "%s%s", shown ? ", " : "", said->words) +
		       (shown ? used : 0);
		shown++;
	}
}

/* "tokyo, osaka and 2 more" */
static void write_sites(const struct detector_case *call, const struct testimony *strange,
	uint64_t key, char *buf, size_t cap)
{
	unsigned count = 0;
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		if (!testimony_is_at(strange, key, site))
			continue;
		if (count++ < SITES_NAMED)
			used += detector_write(buf + used, cap - used, "%s%s",
				count > 1 ? ", " : "",
				vantages_site_name(call->vantages, site));
	}
	if (count > SITES_NAMED)
		(void)detector_write(
			buf + used, cap - used, " and %u more", count - SITES_NAMED);
}

static const char *verdict_text(enum judgement judgement)
{
	switch (judgement) {
	case FOLLOWS:
		return "which its name servers say only since the change";
	case CLINGS:
		return "which its name servers no longer say";
	case RIGHT:
	case LIE:
		break;
	}
	return "which none of its name servers says";
}

static void accuse(const struct detector_case *call, struct resolved_set *set,
	enum record_set which, const struct record_set_item *item,
	enum judgement judgement, const struct testimony_weight *weight)
{
	struct finding finding = detector_finding(call, CAUSE_RECORDS);
	const struct obs_dns *dns = &call->obs->dns;
	char server[ADDRESS_TEXT], until[MOMENT_TEXT], said[160], sites[128];

	write_said(set, said, sizeof(said));
	write_sites(call, &set->strange, item->key, sites, sizeof(sites));
	finding.severity = severity_of(call, set, which, judgement, weight);
	finding.lone = call->vantage->role == OBS_ENDPOINT && weight->vantages < 2;
	finding.security = judgement == LIE && finding.severity == SEVERITY_PAGE;
	finding.policy = judgement == LIE && record_set_has_policy(call->service, which);
	finding.since = weight->since;
	finding.effect = judgement != LIE || !set->asked.count
				 ? 0
				 : fmin((double)weight->items / set->asked.count, 1);
	name_subject(&finding, which, item->key);
	(void)detector_write(finding.site, sizeof(finding.site), "%s",
		site_of(call, judgement, call->vantage->site));
	(void)detector_write(finding.brief, sizeof(finding.brief), "%s %s %s",
		judgement == LIE ? "a resolver" : "resolvers",
		judgement == LIE ? "lies:" : "still say", item->words);
	(void)detector_write(finding.text, sizeof(finding.text),
		"%u of %u%s answers of resolvers (%s) to %s of %s are %s, %s (%s); the "
		"last, of %s to %s, may be kept until %s",
		weight->items, set->asked.count, set->asked.forgotten ? " or more" : "",
		sites, dns->type, dns->name, item->words, verdict_text(judgement), said,
		address_text(&dns->server, server), call->vantage->probe,
		moment_text(weight->until, false, until));
	detector_say(call, &finding);
}

/* Ends what nobody at that site (or nowhere) is told any more. */
static void end_if_over(const struct detector_case *call, struct resolved_set *set,
	enum record_set which, uint64_t key, unsigned site)
{
	struct finding subject = {0};

	name_subject(&subject, which, key);
	if (!testimony_is_at(&set->strange, key, site))
		detector_end(call, CAUSE_RECORDS,
			vantages_site_name(call->vantages, site), subject.subject);
	if (!testimony_weigh(&set->strange, key).items)
		detector_end(call, CAUSE_RECORDS, "", subject.subject);
}

static bool is_unasked(
	const struct detector_case *call, const struct testimony_item *item)
{
	return moment_since_us(call->rx, item->last) > UNASKED_US &&
	       moment_before(item->until, call->rx);
}

static void acquit(const struct detector_case *call, struct resolved_set *set,
	enum record_set which, const struct testimony_source *source)
{
	for (uint32_t i = set->strange.count; i-- > 0;) {
		struct testimony_item *item = &set->strange.items[i];
		struct testimony_item gone = *item;

		if (!is_unasked(call, item) &&
			(record_set_is_answered(&call->obs->dns, which, item->key) ||
				!testimony_is_refuted(item, source)))
			continue;
		testimony_remove(&set->strange, i);
		end_if_over(call, set, which, gone.key, gone.source.site);
	}
}

/* The servers have been asked after it was first told, and did not say so. */
static bool may_speak(const struct resolved_set *set, enum judgement judgement,
	const struct testimony_weight *weight)
{
	if (judgement != LIE)
		return true;
	return weight->most >= ROUNDS_TO_SPEAK || weight->vantages >= 2
		       ? moment_before(weight->since, set->last_said)
		       : false;
}

static void hear_resolver(
	const struct detector_case *call, struct resolved_set *set, enum record_set which)
{
	const struct obs_dns *dns = &call->obs->dns;
	struct testimony_source source = detector_source(call);

	if (!set->first_told.us)
		set->first_told = call->rx;
	(void)known_see(&set->asked,
		source.server * 31 + source.question + source.vantage, call->rx,
		call->vantage->number);
	known_forget(&set->asked, moment_plus_us(call->rx, -UNASKED_US));
	for (unsigned i = 0; i < dns->answer_count; i++) {
		struct record_set_item item = record_set_read(which, &dns->answers[i]);
		enum judgement judgement =
			item.key ? weigh(call, set, which, &item) : RIGHT;
		struct testimony_item *told;
		struct testimony_weight weight;

		if (judgement == RIGHT)
			continue;
		told = testimony_give(&set->strange, item.key, &source, call->at);
		told->until = moment_plus_us(call->at,
			dns->answers[i].ttl > 0 ? dns->answers[i].ttl * MOMENT_SECOND_US
						: 0);
		weight = testimony_weigh(&set->strange, item.key);
		if (may_speak(set, judgement, &weight))
			accuse(call, set, which, &item, judgement, &weight);
	}
	acquit(call, set, which, &source);
}

static void see(struct detector_case *call)
{
	struct resolved_of_service *resolved = detector_of_service(call);
	const struct obs_dns *dns = &call->obs->dns;
	uint64_t question = known_key(dns->name) * 31 + known_key(dns->type);
	struct resolved_set *set;
	enum record_set which;

	if (call->vantage->roaming || strcmp(dns->rcode, "NOERROR") != 0 ||
		!record_set_of(dns->type, &which))
		return;
	set = &resolved->sets[which];
	if (dns->role == OBS_AUTHORITY && dns->authoritative && dns->answer_count) {
		(void)known_see(&resolved->names, question, call->rx, 0);
		hear_server(call, set, which);
	}
	if (dns->role == OBS_RESOLVER && known_find(&resolved->names, question) &&
		moment_since_us(call->at, set->last_said) < SERVERS_HEARD_US)
		hear_resolver(call, set, which);
}

static void keep_set(struct archive *archive, struct resolved_set *set)
{
	archive_moment(archive, &set->first_said);
	archive_moment(archive, &set->last_said);
	archive_moment(archive, &set->first_told);
	archive_count(archive, &set->said_count, SAID);
	for (uint32_t i = 0; i < set->said_count; i++) {
		struct said *said = &set->said[i];

		archive_u64(archive, &said->key);
		archive_moment(archive, &said->last);
		archive_bool(archive, &said->late);
		archive_text(archive, said->words, sizeof(said->words));
	}
	known_keep(archive, &set->usual);
	testimony_keep(archive, &set->strange);
	known_keep(archive, &set->asked);
}

static void keep_service(struct archive *archive, void *state)
{
	struct resolved_of_service *resolved = state;

	known_keep(archive, &resolved->names);
	for (unsigned i = 0; i < RECORD_SETS; i++)
		keep_set(archive, &resolved->sets[i]);
}

const struct detector detect_resolver = {
	.name = "resolver",
	.kinds = 1u << OBS_DNS,
	.service_size = sizeof(struct resolved_of_service),
	.see = see,
	.keep_service = keep_service,
};
