#include "detect_glue.h"

#include <string.h>

#include "archive.h"
#include "known.h"

struct glue_of_service {
	struct known addresses; /* of (server, address) */
	struct known networks;
	struct testimony strange;
	struct moment first;
};

static bool is_address_type(const char *type)
{
	return strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0;
}

static uint64_t glue_key(const struct obs_dns *dns, const struct obs_answer *answer)
{
	return known_key(dns->name) * 31 + known_key(answer->data);
}

/* Nameless networks are new ones: better a question too many. */
static bool is_known_network(
	struct glue_of_service *glue, const struct obs_answer *answer)
{
	return answer->place.asn && known_find(&glue->networks, answer->place.asn);
}

static void accuse(const struct detector_case *call, struct glue_of_service *glue,
	const struct obs_answer *answer, struct moment since)
{
	struct finding finding = detector_finding(call, CAUSE_NAME_SERVER);
	const struct obs_dns *dns = &call->obs->dns;
	bool moved = !is_known_network(glue, answer);
	char server[ADDRESS_TEXT];

	finding.severity = moved ? SEVERITY_PAGE : SEVERITY_WARN;
	finding.lone = call->vantage->role == OBS_ENDPOINT;
	finding.security = true;
	finding.since = since;
	finding.effect = 1;
	detector_name_subject(&finding, glue_key(dns, answer));
	(void)detector_write(finding.brief, sizeof(finding.brief),
		"the parent says that %s is %s", dns->name, answer->data);
	(void)detector_write(finding.text, sizeof(finding.text),
		"the parent (%s) says that the name server %s of %s is at %s "
		"(AS%u%s%s), %s; the name is the same, whoever answers there is not",
		address_text(&dns->server, server), dns->name, call->service->zone,
		answer->data, (unsigned)answer->place.asn,
		answer->place.country[0] ? ", " : "", answer->place.country,
		moved ? "where none of the servers was before"
		      : "a new address in a network where its servers were before");
	detector_say(call, &finding);
}

static void acquit(const struct detector_case *call, struct glue_of_service *glue,
	const struct testimony_source *source)
{
	const struct obs_dns *dns = &call->obs->dns;

	for (uint32_t i = glue->strange.count; i-- > 0;) {
		uint64_t key = glue->strange.items[i].key;
		struct finding finding = {0};
		bool answered = false;

		for (unsigned k = 0; k < dns->answer_count; k++)
			answered |= glue_key(dns, &dns->answers[k]) == key;
		if (answered || !testimony_is_refuted(&glue->strange.items[i], source))
			continue;
		testimony_remove(&glue->strange, i);
		if (testimony_weigh(&glue->strange, key).items)
			continue;
		detector_name_subject(&finding, key);
		detector_end(call, CAUSE_NAME_SERVER, "", finding.subject);
	}
}

static void see(struct detector_case *call)
{
	struct glue_of_service *glue = detector_of_service(call);
	const struct obs_dns *dns = &call->obs->dns;
	struct testimony_source source = detector_source(call);
	bool learnt;

	if (dns->role != OBS_PARENT || !is_address_type(dns->type) ||
		strcmp(dns->rcode, "NOERROR") != 0 || !dns->answer_count)
		return;
	if (!glue->first.us)
		glue->first = call->rx;
	learnt = !call->announced &&
		 moment_since_us(call->rx, glue->first) >= call->settings->learn_names_us;
	for (unsigned i = 0; i < dns->answer_count; i++) {
		const struct obs_answer *answer = &dns->answers[i];
		uint64_t key = glue_key(dns, answer);

		if (!learnt || known_find(&glue->addresses, key)) {
			(void)known_see(&glue->addresses, key, call->rx, 0);
			(void)known_see(&glue->networks, answer->place.asn, call->rx, 0);
			continue;
		}
		(void)testimony_give(&glue->strange, key, &source, call->at);
		accuse(call, glue, answer, testimony_weigh(&glue->strange, key).since);
	}
	acquit(call, glue, &source);
}

static void keep_service(struct archive *archive, void *state)
{
	struct glue_of_service *glue = state;

	known_keep(archive, &glue->addresses);
	known_keep(archive, &glue->networks);
	testimony_keep(archive, &glue->strange);
	archive_moment(archive, &glue->first);
}

const struct detector detect_glue = {
	.name = "glue",
	.kinds = 1u << OBS_DNS,
	.service_size = sizeof(struct glue_of_service),
	.see = see,
	.keep_service = keep_service,
};
