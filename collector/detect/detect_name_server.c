#include "detect_name_server.h"

#include <string.h>

#include "astray/lookalike.h"
#include "archive.h"
#include "known.h"

#define STRANGERS 8
#define USUAL 8 /* of a longer set the first are named */
/* Servers of a parent do not all change in the same second. */
#define ROUNDS_TO_END 2
#define WORDS_TO_BE_GONE 2

struct stranger {
	char name[OBS_NAME];
	struct moment since;
	unsigned absent; /* answers in a row without it */
};

struct names_of_service {
	struct known servers;
	unsigned usual_count; /* the last set without a stranger */
	char usual[USUAL][OBS_NAME];
	struct moment first; /* answer ever */
	uint32_t gone;       /* the parent's words in a row that there is no such zone */
	unsigned stranger_count;
	struct stranger strangers[STRANGERS];
};

static bool is_expected(const struct service *service, const char *name)
{
	for (unsigned i = 0; i < service->expect.name_server_count; i++)
		if (strcmp(service->expect.name_servers[i], name) == 0)
			return true;
	return false;
}

static bool is_strange(const struct detector_case *call, struct names_of_service *names,
	const char *name)
{
	if (call->service->expect.name_servers_given)
		return !is_expected(call->service, name);
	if (known_find(&names->servers, known_key(name)))
		return false;
	/* The whole set of the first answers is taken as it is, and so is announced work.
	 */
	return !call->announced &&
	       moment_since_us(call->rx, names->first) >= call->settings->learn_names_us;
}

static struct stranger *stranger_of(struct names_of_service *names, const char *name)
{
	for (unsigned i = 0; i < names->stranger_count; i++)
		if (strcmp(names->strangers[i].name, name) == 0)
			return &names->strangers[i];
	return NULL;
}

static struct stranger *remember(
	struct names_of_service *names, const char *name, struct moment at)
{
	struct stranger *stranger = stranger_of(names, name);

	if (!stranger) {
		/* More strangers than room: the last place stands for the rest. */
		if (names->stranger_count < STRANGERS)
			names->stranger_count++;
		stranger = &names->strangers[names->stranger_count - 1];
		*stranger = (struct stranger){.since = at};
		(void)detector_write(stranger->name, sizeof(stranger->name), "%s", name);
	}
	stranger->absent = 0;
	return stranger;
}

static void keep_as_usual(struct names_of_service *names, const struct obs_dns *dns)
{
	names->usual_count = dns->answer_count < USUAL ? dns->answer_count : USUAL;
	for (unsigned i = 0; i < names->usual_count; i++)
		(void)detector_write(
			names->usual[i], OBS_NAME, "%s", dns->answers[i].data);
}

/* Those that are right: by policy, else by habit. */
struct approved {
	const char (*names)[OBS_NAME];
	unsigned count;
};

static struct approved approved_of(
	const struct service *service, const struct names_of_service *names)
{
	const struct service_expect *expect = &service->expect;

	if (expect->name_servers_given)
		return (struct approved){expect->name_servers, expect->name_server_count};
	return (struct approved){names->usual, names->usual_count};
}

/* "a, b and 2 more" */
static void list_approved(const struct approved *approved, char *buf, size_t cap)
{
	unsigned count = approved->count, shown = count < 4 ? count : 4;
	size_t used = 0;

	(void)detector_write(buf, cap, "%s", count ? "" : "others");
	for (unsigned i = 0; i < shown && used < cap; i++)
		used += detector_write(buf + used, cap - used, "%s%s", i ? ", " : "",
			approved->names[i]);
	if (shown < count && used < cap)
		(void)detector_write(
			buf + used, cap - used, " and %u more", count - shown);
}

static void accuse(const struct detector_case *call, const struct names_of_service *names,
	const struct stranger *stranger)
{
	struct approved approved = approved_of(call->service, names);
	struct lookalike looks =
		lookalike_judge(stranger->name, approved.names, approved.count);
	struct finding finding = detector_finding(call, CAUSE_NAME_SERVER);
	const struct obs_dns *dns = &call->obs->dns;
	char expected[256], server[ADDRESS_TEXT], why[LOOKALIKE_TEXT];

	list_approved(&approved, expected, sizeof(expected));
	finding.severity = SEVERITY_PAGE;
	finding.lone = call->vantage->role == OBS_ENDPOINT;
	finding.security = true;
	finding.policy = call->service->expect.name_servers_given;
	finding.since = stranger->since;
	finding.effect = 1;
	detector_name_subject(&finding, known_key(stranger->name));
	(void)detector_write(finding.brief, sizeof(finding.brief), "%s name server %s",
		looks.kind == LOOKALIKE_IMITATES ? "lookalike" : "new", stranger->name);
	(void)detector_write(finding.text, sizeof(finding.text),
		"%s (%s) delegates %s to %s; %s: %s; %s",
		dns->role == OBS_PARENT ? "the parent" : "an authority",
		address_text(&dns->server, server), dns->name, stranger->name,
		finding.policy ? "expected" : "before", expected,
		lookalike_explain(&looks, stranger->name, why));
	detector_say(call, &finding);
}

static bool is_answered(const struct obs_dns *dns, const char *name)
{
	for (unsigned i = 0; i < dns->answer_count; i++)
		if (strcmp(dns->answers[i].data, name) == 0)
			return true;
	return false;
}

static void acquit_the_absent(
	const struct detector_case *call, struct names_of_service *names)
{
	for (unsigned i = names->stranger_count; i-- > 0;) {
		struct stranger *stranger = &names->strangers[i];
		struct finding finding = {0};

		if (is_answered(&call->obs->dns, stranger->name) ||
			++stranger->absent < ROUNDS_TO_END)
			continue;
		detector_name_subject(&finding, known_key(stranger->name));
		detector_end(call, CAUSE_NAME_SERVER, "", finding.subject);
		*stranger = names->strangers[--names->stranger_count];
	}
}

/* Suspended, deleted or expired at the registry: nobody finds the zone any more. */
static void see_gone(const struct detector_case *call, struct names_of_service *names)
{
	struct finding finding = detector_finding(call, CAUSE_NAME_SERVER);
	const struct obs_dns *dns = &call->obs->dns;
	char server[ADDRESS_TEXT];
	bool gone = strcmp(dns->rcode, "NXDOMAIN") == 0;

	if (!gone && strcmp(dns->rcode, "NOERROR") != 0)
		return;
	if (!gone && names->gone >= WORDS_TO_BE_GONE)
		detector_end(call, CAUSE_NAME_SERVER, "", "gone");
	names->gone = gone && names->first.us && !call->announced ? names->gone + 1 : 0;
	if (names->gone < WORDS_TO_BE_GONE)
		return;
	finding.severity = SEVERITY_PAGE;
	finding.lone = call->vantage->role == OBS_ENDPOINT;
	finding.security = true;
	finding.effect = 1;
	(void)detector_write(finding.subject, sizeof(finding.subject), "gone");
	(void)detector_write(
		finding.brief, sizeof(finding.brief), "%s is not delegated", dns->name);
	(void)detector_write(finding.text, sizeof(finding.text),
		"the parent (%s) says that there is no zone %s (NXDOMAIN): suspended, "
		"deleted or expired at the registry",
		address_text(&dns->server, server), dns->name);
	detector_say(call, &finding);
}

static bool is_of_zone(const struct detector_case *call)
{
	const struct obs_dns *dns = &call->obs->dns;

	return dns->role != OBS_RESOLVER && strcmp(dns->type, "NS") == 0 &&
	       strcmp(dns->name, call->service->zone) == 0;
}

static void see(struct detector_case *call)
{
	struct names_of_service *names = detector_of_service(call);
	const struct obs_dns *dns = &call->obs->dns;
	bool usual = true;

	if (!is_of_zone(call))
		return;
	if (dns->role == OBS_PARENT)
		see_gone(call, names);

	if (strcmp(dns->rcode, "NOERROR") != 0 || dns->answer_count == 0)
		return;
	if (!names->first.us)
		names->first = call->rx;
	for (unsigned i = 0; i < dns->answer_count; i++) {
		const char *name = dns->answers[i].data;

		if (is_strange(call, names, name)) {
			accuse(call, names, remember(names, name, call->at));
			usual = false;
		} else {
			(void)known_see(&names->servers, known_key(name), call->rx, 0);
		}
	}
	if (usual)
		keep_as_usual(names, dns);
	if (dns->role == OBS_PARENT)
		acquit_the_absent(call, names);
}

static void keep_service(struct archive *archive, void *state)
{
	struct names_of_service *names = state;

	known_keep(archive, &names->servers);
	archive_count(archive, &names->usual_count, USUAL);
	for (unsigned i = 0; i < names->usual_count; i++)
		archive_text(archive, names->usual[i], OBS_NAME);
	archive_moment(archive, &names->first);
	archive_u32(archive, &names->gone);
	archive_count(archive, &names->stranger_count, STRANGERS);
	for (unsigned i = 0; i < names->stranger_count; i++) {
		archive_text(archive, names->strangers[i].name, OBS_NAME);
		archive_moment(archive, &names->strangers[i].since);
		archive_u32(archive, &names->strangers[i].absent);
	}
}

const struct detector detect_name_server = {
	.name = "name_server",
	.kinds = 1u << OBS_DNS,
	.service_size = sizeof(struct names_of_service),
	.see = see,
	.keep_service = keep_service,
};
