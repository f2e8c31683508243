#include "names_verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static bool is_expected(
	const char expect[][OBS_NAME], unsigned expect_count, const char *server)
{
	for (unsigned i = 0; i < expect_count; i++)
		if (strcmp(expect[i], server) == 0)
			return true;
	return false;
}

static void judge_servers(struct names_verdict *verdict, const struct obs_dns *dns,
	const char expect[][OBS_NAME], unsigned expect_count)
{
	for (unsigned i = 0; expect_count && i < dns->answer_count; i++)
		if (!is_expected(expect, expect_count, dns->answers[i].data))
			say(verdict, NAMES_WRONG,
				"name server %s is delegated to and is not expected",
				dns->answers[i].data);
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

void names_verdict_reach(struct names_verdict *verdict, const struct names_report *report,
	const char expect[][OBS_NAME], unsigned expect_count)
{
	const struct obs_dns *delegation;

	verdict->count = 0;
	delegation = judge_delegation(verdict, report);
	if (!delegation)
		say(verdict, NAMES_UNKNOWN,
			"no server of the zone above tells of the delegation");
	else if (delegation->answer_count == 0)
		say(verdict, NAMES_WRONG, "the zone is not delegated (%s)",
			delegation->rcode);
	else
		judge_servers(verdict, delegation, expect, expect_count);
	for (size_t i = 0; i < report->count; i++)
		judge_resolver(verdict, report->answers[i]);
}

bool names_verdict_is_wrong(const struct names_verdict *verdict)
{
	for (unsigned i = 0; i < verdict->count; i++)
		if (verdict->lines[i].grade == NAMES_WRONG)
			return true;
	return false;
}
