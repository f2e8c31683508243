#include "names_verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "astray/lookalike.h"

/* The same sentence stands once. */
__attribute__((format(printf, 3, 4))) static void say(
	struct names_verdict *verdict, enum names_grade grade, const char *format, ...)
{
	char text[NAMES_VERDICT_TEXT];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (unsigned i = 0; i < verdict->count; i++)
		if (strcmp(verdict->lines[i].text, text) == 0)
			return;
	if (verdict->count == NAMES_VERDICT_LINES)
		return;
	verdict->lines[verdict->count].grade = grade;
	memcpy(verdict->lines[verdict->count++].text, text, sizeof(text));
}

static bool is_delegation(const struct obs_dns *dns)
{
	return dns->role == OBS_PARENT && strcmp(dns->type, "NS") == 0;
}

static bool is_answered(const struct obs_dns *dns)
{
	return strcmp(dns->rcode, "NOERROR") == 0 || strcmp(dns->rcode, "NXDOMAIN") == 0;
}

static bool has_answer(const struct obs_dns *dns, const char *data)
{
	for (unsigned i = 0; i < dns->answer_count; i++)
		if (strcmp(dns->answers[i].data, data) == 0)
			return true;
	return false;
}

static void judge_unexpected(struct names_verdict *verdict, const char *server,
	const char expect[][OBS_NAME], unsigned expect_count)
{
	struct lookalike looks = lookalike_judge(server, expect, expect_count);
	char text[LOOKALIKE_TEXT];

	if (looks.kind != LOOKALIKE_SAME)
		say(verdict, NAMES_WRONG,
			"name server %.255s is delegated to and is not expected: %.600s",
			server, lookalike_explain(&looks, server, text));
}

/* Without a policy one of them can still imitate another. */
static void judge_among(struct names_verdict *verdict, const struct obs_dns *dns)
{
	for (unsigned i = 0; i < dns->answer_count; i++)
		for (unsigned j = 0; j < dns->answer_count; j++) {
			char other[1][OBS_NAME], text[LOOKALIKE_TEXT];
			struct lookalike looks;

			(void)snprintf(other[0], OBS_NAME, "%s", dns->answers[j].data);
			looks = lookalike_judge(
				dns->answers[i].data, (const char(*)[OBS_NAME])other, 1);
			if (i != j && looks.kind == LOOKALIKE_IMITATES)
				say(verdict, NAMES_NOTE, "one of the two is odd: %.900s",
					lookalike_explain(
						&looks, dns->answers[i].data, text));
		}
}

static void judge_servers(struct names_verdict *verdict, const struct obs_dns *dns,
	const char expect[][OBS_NAME], unsigned expect_count)
{
	if (expect_count == 0)
		judge_among(verdict, dns);
	for (unsigned i = 0; expect_count && i < dns->answer_count; i++)
		judge_unexpected(verdict, dns->answers[i].data, expect, expect_count);
	for (unsigned i = 0; i < expect_count; i++)
		if (!has_answer(dns, expect[i]))
			say(verdict, NAMES_NOTE,
				"name server %s is expected and not delegated to",
				expect[i]);
}

static bool same_answers(const struct obs_dns *a, const struct obs_dns *b)
{
	if (a->answer_count != b->answer_count || strcmp(a->rcode, b->rcode) != 0)
		return false;
	for (unsigned i = 0; i < a->answer_count; i++)
		if (!has_answer(b, a->answers[i].data))
			return false;
	return true;
}

/* Returns the first answer, or NULL. */
static const struct obs_dns *judge_delegation(
	struct names_verdict *verdict, const struct names_report *report)
{
	const struct obs_dns *first = NULL;

	for (size_t i = 0; i < report->count; i++) {
		const struct obs_dns *dns = report->answers[i];
		char here[ADDRESS_TEXT], there[ADDRESS_TEXT];

		if (!is_delegation(dns) || !is_answered(dns))
			continue;
		if (first && !same_answers(first, dns))
			say(verdict, NAMES_WRONG,
				"servers of the zone above do not agree: %s and %s "
				"delegate to "
				"different name servers",
				address_text(&first->server, here),
				address_text(&dns->server, there));
		if (!first)
			first = dns;
	}
	return first;
}

static void judge_resolver(struct names_verdict *verdict, const struct obs_dns *dns)
{
	char server[ADDRESS_TEXT];

	if (dns->role != OBS_RESOLVER || is_answered(dns))
		return;
	say(verdict, NAMES_WRONG, "the resolver %s does not answer (%s)",
		address_text(&dns->server, server), dns->rcode);
}

static bool same_question(const struct obs_dns *a, const struct obs_dns *b)
{
	return strcmp(a->type, b->type) == 0 && strcmp(a->name, b->name) == 0;
}

/* Without the numbers: secondaries may be minutes behind. */
static bool same_soa(const struct obs_dns *a, const struct obs_dns *b)
{
	size_t a_len, b_len;

	if (a->answer_count != 1 || b->answer_count != 1)
		return false;
	a_len = strcspn(a->answers[0].data, " ");
	a_len += 1 + strcspn(a->answers[0].data + a_len + 1, " ");
	b_len = strcspn(b->answers[0].data, " ");
	b_len += 1 + strcspn(b->answers[0].data + b_len + 1, " ");
	return a_len == b_len &&
	       memcmp(a->answers[0].data, b->answers[0].data, a_len) == 0;
}

static void judge_authority(struct names_verdict *verdict, const struct obs_dns *dns)
{
	char server[ADDRESS_TEXT];

	(void)address_text(&dns->server, server);
	if (strcmp(dns->rcode, "TIMEOUT") == 0)
		say(verdict, NAMES_UNKNOWN, "name server %s does not answer", server);
	else if (!is_answered(dns))
		say(verdict, NAMES_WRONG, "name server %s answers %s", server,
			dns->rcode);
	else if (!dns->authoritative)
		say(verdict, NAMES_WRONG, "name server %s does not speak for the zone",
			server);
}

static bool speaks(const struct obs_dns *dns)
{
	return dns->role == OBS_AUTHORITY && is_answered(dns) && dns->authoritative;
}

/* The first that was asked the same. */
static const struct obs_dns *first_asked(
	const struct names_report *report, const struct obs_dns *dns)
{
	for (size_t i = 0; i < report->count; i++)
		if (speaks(report->answers[i]) && same_question(report->answers[i], dns))
			return report->answers[i];
	return NULL;
}

static void judge_agreement(struct names_verdict *verdict, const struct obs_dns *first,
	const struct obs_dns *dns)
{
	char here[ADDRESS_TEXT], there[ADDRESS_TEXT];
	bool soa = strcmp(dns->type, "SOA") == 0;

	if (same_answers(first, dns))
		return;
	say(verdict, soa && same_soa(first, dns) ? NAMES_NOTE : NAMES_WRONG,
		"name servers do not agree: %s and %s differ in %s of %s%s",
		address_text(&first->server, here), address_text(&dns->server, there),
		dns->type, dns->name,
		soa && same_soa(first, dns) ? " (only in numbers)" : "");
}

static bool shares_answer(const struct obs_dns *a, const struct obs_dns *b)
{
	for (unsigned i = 0; i < a->answer_count; i++)
		if (has_answer(b, a->answers[i].data))
			return true;
	return a->answer_count == 0 && b->answer_count == 0;
}

/* Addresses may be chosen for who asks. */
static void judge_told(struct names_verdict *verdict, const struct names_report *report,
	const struct obs_dns *dns)
{
	char server[ADDRESS_TEXT];
	bool asked = false;

	for (size_t i = 0; i < report->count; i++) {
		const struct obs_dns *other = report->answers[i];

		if (!speaks(other) || !same_question(other, dns))
			continue;
		asked = true;
		if (shares_answer(dns, other))
			return;
	}
	if (asked && is_answered(dns))
		say(verdict, strcmp(dns->type, "MX") == 0 ? NAMES_WRONG : NAMES_NOTE,
			"the resolver %s says of %s %s what no name server says",
			address_text(&dns->server, server), dns->name, dns->type);
}

static void judge_child(struct names_verdict *verdict, const struct names_report *report,
	const struct obs_dns *delegation)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct obs_dns *dns = report->answers[i];

		if (speaks(dns) && strcmp(dns->type, "NS") == 0 &&
			strcmp(dns->name, report->zone) == 0 &&
			!same_answers(dns, delegation))
			say(verdict, NAMES_NOTE,
				"the zone names other servers than the zone above "
				"delegates to");
	}
}

static bool registry_has(const struct obs_registry *registry, const char *server)
{
	for (unsigned i = 0; i < registry->server_count; i++)
		if (strcmp(registry->name_servers[i], server) == 0)
			return true;
	return false;
}

/* The zone above and the registry are two hands of one body: one of them is late, or was
 * forced. */
static void judge_signature(
	struct names_verdict *verdict, const struct names_report *report)
{
	const struct obs_registry *registry = &report->registry;

	for (size_t i = 0; registry->signed_known && i < report->count; i++) {
		const struct obs_dns *dns = report->answers[i];

		if (dns->role == OBS_PARENT && strcmp(dns->type, "DS") == 0 &&
			is_answered(dns) &&
			(dns->answer_count > 0) != registry->delegation_signed)
			say(verdict, NAMES_WRONG,
				"the registry says that the delegation is %s, the zone "
				"above has %s",
				registry->delegation_signed ? "signed" : "not signed",
				dns->answer_count ? "DS" : "no DS");
	}
}

static void judge_registry(struct names_verdict *verdict,
	const struct names_report *report, const struct obs_dns *delegation)
{
	const struct obs_registry *registry = &report->registry;

	if (!report->registry_told || registry->server_count == 0 ||
		strcmp(registry->domain, report->zone) != 0)
		return;
	for (unsigned i = 0; i < delegation->answer_count; i++)
		if (!registry_has(registry, delegation->answers[i].data))
			say(verdict, NAMES_NOTE,
				"the registry does not list name server %s",
				delegation->answers[i].data);
	for (unsigned i = 0; i < registry->server_count; i++)
		if (!has_answer(delegation, registry->name_servers[i]))
			say(verdict, NAMES_NOTE,
				"the registry lists name server %s, and the zone above "
				"does not delegate to it",
				registry->name_servers[i]);
	judge_signature(verdict, report);
}

static void judge_answers(
	struct names_verdict *verdict, const struct names_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct obs_dns *dns = report->answers[i];

		if (dns->role == OBS_AUTHORITY)
			judge_authority(verdict, dns);
		if (speaks(dns))
			judge_agreement(verdict, first_asked(report, dns), dns);
		if (dns->role == OBS_RESOLVER) {
			judge_resolver(verdict, dns);
			judge_told(verdict, report, dns);
		}
	}
}

void names_verdict_reach(struct names_verdict *verdict, const struct names_report *report,
	const char expect[][OBS_NAME], unsigned expect_count)
{
	const struct obs_dns *delegation;

	verdict->count = 0;
	delegation = judge_delegation(verdict, report);
	if (!delegation) {
		say(verdict, NAMES_UNKNOWN,
			"no server of the zone above tells of the delegation");
	} else if (delegation->answer_count == 0) {
		say(verdict, NAMES_WRONG, "the zone is not delegated (%s)",
			delegation->rcode);
	} else {
		judge_servers(verdict, delegation, expect, expect_count);
		judge_child(verdict, report, delegation);
		judge_registry(verdict, report, delegation);
	}
	judge_answers(verdict, report);
}

bool names_verdict_is_wrong(const struct names_verdict *verdict)
{
	for (unsigned i = 0; i < verdict->count; i++)
		if (verdict->lines[i].grade == NAMES_WRONG)
			return true;
	return false;
}
