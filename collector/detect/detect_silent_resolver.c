#include "detect_silent_resolver.h"

#include <string.h>

#include "archive.h"
#include "known.h"

#define ROUNDS_TO_SPEAK 2
/* As long as it is silent, this is renewed with every round; caches live on a while. */
#define EXCUSED_US (10 * MOMENT_MINUTE_US)
/* Who has asked nothing for so long says nothing of the resolvers now. */
#define UNASKED_US (15 * MOMENT_MINUTE_US)
#define SUBJECT "resolver"

/* Of one service at one site. */
struct silence {
	struct moment asked; /* last */
	struct moment since; /* the first question that stayed without answer */
	uint64_t question;   /* that one, of that prober: its next silence ends a round */
	struct moment question_at;
	uint32_t rounds;
	uint64_t witnesses; /* bits by the probe's number */
	bool weighty;       /* one of them is no employee's machine */
	bool refused;       /* all of it was SERVFAIL: the resolver lives */
	bool accused;
};

static bool is_answer(const struct obs_dns *dns)
{
	return strcmp(dns->rcode, "NOERROR") == 0 || strcmp(dns->rcode, "NXDOMAIN") == 0;
}

static void hear_nothing(const struct detector_case *call, struct silence *silence)
{
	const struct obs_dns *dns = &call->obs->dns;
	struct testimony_source source = detector_source(call);
	uint64_t question = source.question + source.server * 31 + source.vantage;

	if (!silence->since.us) {
		silence->since = call->at;
		silence->question = question;
		silence->refused = true;
	}
	if (silence->question == question && silence->question_at.us != call->at.us) {
		silence->question_at = call->at;
		silence->rounds++;
	}
	silence->witnesses |= UINT64_C(1) << call->vantage->number % 64;
	silence->weighty |= call->vantage->role != OBS_ENDPOINT;
	silence->refused &= strcmp(dns->rcode, "SERVFAIL") == 0;
}

static void hear_answer(struct silence *silence, struct moment at)
{
	bool accused = silence->accused;

	*silence = (struct silence){.asked = at, .accused = accused};
}

/* What all services together tell of the resolvers at the site. */
struct hush {
	unsigned services, silent;
	bool weighty, refused;
	uint64_t witnesses;
	struct moment since;
};

static struct silence *silence_of(
	const struct detector_case *call, unsigned service, unsigned site)
{
	char *cell = cells_find(call->cells, service, site);

	return cell ? (void *)(cell + call->cell_offset) : NULL;
}

static struct hush listen(const struct detector_case *call)
{
	struct hush out = {.refused = true};

	for (unsigned i = 0; i < cells_services(call->cells); i++) {
		const struct silence *silence = silence_of(call, i, call->vantage->site);

		if (!silence || !silence->asked.us ||
			moment_since_us(call->at, silence->asked) > UNASKED_US)
			continue;
		out.services++;
		if (silence->rounds < ROUNDS_TO_SPEAK)
			continue;
		out.silent++;
		out.weighty |= silence->weighty;
		out.refused &= silence->refused;
		out.witnesses |= silence->witnesses;
		if (!out.since.us || moment_before(silence->since, out.since))
			out.since = silence->since;
	}
	return out;
}

static void excuse(const struct detector_case *call)
{
	struct moment until = moment_plus_us(call->rx, EXCUSED_US);

	for (unsigned i = 0; i < cells_services(call->cells); i++) {
		struct detector_traffic *traffic =
			cells_find(call->cells, i, call->vantage->site);

		if (traffic && moment_before(traffic->excused_until, until))
			traffic->excused_until = until;
	}
}

/* Whichever service is answered first ends it. */
static void mark(const struct detector_case *call, bool accused)
{
	for (unsigned i = 0; i < cells_services(call->cells); i++) {
		struct silence *silence = silence_of(call, i, call->vantage->site);

		if (silence)
			silence->accused = accused;
	}
}

static void accuse(const struct detector_case *call, const struct hush *hush)
{
	struct finding finding = detector_finding(call, CAUSE_SITE);
	unsigned witnesses = (unsigned)__builtin_popcountll(hush->witnesses);
	char server[ADDRESS_TEXT];

	finding.service[0] = '\0';
	finding.severity = witnesses >= 2  ? SEVERITY_PAGE
			   : hush->weighty ? SEVERITY_WARN
					   : SEVERITY_INFO;
	finding.since = hush->since;
	finding.effect = 1;
	(void)detector_write(finding.site, sizeof(finding.site), "%s", call->site);
	(void)detector_write(finding.subject, sizeof(finding.subject), SUBJECT);
	(void)detector_write(finding.brief, sizeof(finding.brief),
		"no resolver answers at %s", call->site);
	(void)detector_write(finding.text, sizeof(finding.text),
		"no resolver at %s has answered any of %u services' questions from %u "
		"probe%s for two rounds (%s: %s); requests that are missing there are "
		"not the services'",
		call->site, hush->services, witnesses, witnesses == 1 ? "" : "s",
		address_text(&call->obs->dns.server, server), call->obs->dns.rcode);
	detector_say(call, &finding);
}

static void end(const struct detector_case *call)
{
	struct finding finding = detector_finding(call, CAUSE_SITE);

	mark(call, false);
	finding.service[0] = '\0';
	finding.state = FINDING_ENDED;
	(void)detector_write(finding.site, sizeof(finding.site), "%s", call->site);
	(void)detector_write(finding.subject, sizeof(finding.subject), SUBJECT);
	detector_say(call, &finding);
}

/* A resolver that says SERVFAIL of the only service there is may be right. */
static bool is_hush(const struct hush *hush)
{
	return hush->silent && hush->silent == hush->services &&
	       (!hush->refused || hush->services >= 2);
}

static void see(struct detector_case *call)
{
	struct silence *silence = detector_of_site(call, call->vantage->site);
	const struct obs_dns *dns = &call->obs->dns;
	struct hush hush;

	if (!silence || dns->role != OBS_RESOLVER || call->vantage->roaming ||
		call->vantage->away)
		return;
	silence->asked = call->at;
	if (is_answer(dns)) {
		hear_answer(silence, call->at);
		if (silence->accused)
			end(call);
		return;
	}
	hear_nothing(call, silence);
	hush = listen(call);
	if (!is_hush(&hush))
		return;
	mark(call, true);
	if (hush.weighty || __builtin_popcountll(hush.witnesses) >= 2)
		excuse(call);
	accuse(call, &hush);
}

static void keep_cell(struct archive *archive, void *state)
{
	struct silence *silence = state;

	archive_moment(archive, &silence->asked);
	archive_moment(archive, &silence->since);
	archive_u64(archive, &silence->question);
	archive_moment(archive, &silence->question_at);
	archive_u32(archive, &silence->rounds);
	archive_u64(archive, &silence->witnesses);
	archive_bool(archive, &silence->weighty);
	archive_bool(archive, &silence->refused);
	archive_bool(archive, &silence->accused);
}

const struct detector detect_silent_resolver = {
	.name = "silent_resolver",
	.kinds = 1u << OBS_DNS,
	.cell_size = sizeof(struct silence),
	.see = see,
	.keep_cell = keep_cell,
};
