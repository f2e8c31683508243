#include "names_view.h"

#include <inttypes.h>
#include <string.h>

#include "printable.h"

static bool has_role(const struct names_report *report, enum obs_dns_role role)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->answers[i]->role == role)
			return true;
	return false;
}

static void print_place(FILE *out, const struct place *place)
{
	char city[PLACE_NAME], org[PLACE_NAME];

	if (!place_is_known(place))
		return;
	printable_copy(city, sizeof(city), place->city);
	printable_copy(org, sizeof(org), place->org);
	(void)fprintf(out, "  %s%s%s", place->country,
		place->country[0] && city[0] ? " " : "", city);
	if (place->asn)
		(void)fprintf(
			out, " AS%" PRIu32 "%s%s", place->asn, org[0] ? " " : "", org);
}

static void print_answer(FILE *out, const struct obs_answer *answer)
{
	char data[2 * OBS_NAME];

	printable_copy(data, sizeof(data), answer->data);
	(void)fprintf(out, "%s", data);
	if (answer->ttl != OBS_ABSENT)
		(void)fprintf(out, "  (%" PRId64 " s)", answer->ttl);
	print_place(out, &answer->place);
	(void)fputc('\n', out);
}

static void print_head(FILE *out, const struct obs_dns *dns)
{
	char server[ADDRESS_TEXT];

	(void)fprintf(out, "  %-16s %-5s %-24s ", address_text(&dns->server, server),
		dns->type, dns->name);
}

static void print_dns(FILE *out, const struct obs_dns *dns)
{
	print_head(out, dns);
	if (dns->answer_count == 0)
		(void)fprintf(out, "%s\n",
			strcmp(dns->rcode, "NOERROR") == 0 ? "none" : dns->rcode);
	for (unsigned i = 0; i < dns->answer_count; i++) {
		if (i > 0)
			(void)fprintf(out, "%50s", "");
		print_answer(out, &dns->answers[i]);
	}
}

static void print_role(FILE *out, const struct names_report *report,
	enum obs_dns_role role, const char *title)
{
	if (!has_role(report, role))
		return;
	(void)fprintf(out, "%s\n", title);
	for (size_t i = 0; i < report->count; i++)
		if (report->answers[i]->role == role)
			print_dns(out, report->answers[i]);
	(void)fputc('\n', out);
}

static void print_date(FILE *out, const char *what, struct moment at)
{
	char text[MOMENT_TEXT];

	if (at.us)
		(void)fprintf(out, "  %-16s %s\n", what, moment_text(at, false, text));
}

static void print_registry(FILE *out, const struct names_report *report)
{
	const struct obs_registry *registry = &report->registry;
	char text[2 * OBS_TEXT];

	if (!report->registry_told && !report->registry_why[0])
		return;
	(void)fputs("The registry says\n", out);
	if (!report->registry_told) {
		printable_copy(text, sizeof(text), report->registry_why);
		(void)fprintf(out, "  nothing: %s\n\n", text);
		return;
	}
	printable_copy(text, sizeof(text), registry->registrar);
	(void)fprintf(out, "  %-16s %s\n", "domain", registry->domain);
	(void)fprintf(out, "  %-16s %s\n", "registrar", text);
	print_date(out, "last changed", registry->last_changed);
	print_date(out, "expires", registry->expires);
	for (unsigned i = 0; i < registry->server_count; i++)
		(void)fprintf(out, "  %-16s %s\n", i ? "" : "name servers",
			registry->name_servers[i]);
	for (unsigned i = 0; i < registry->status_count; i++) {
		printable_copy(text, sizeof(text), registry->status[i]);
		(void)fprintf(out, "  %-16s %s\n", i ? "" : "status", text);
	}
	if (registry->signed_known)
		(void)fprintf(out, "  %-16s %s\n", "signed",
			registry->delegation_signed ? "yes" : "no");
	(void)fputc('\n', out);
}

static const char *grade_text(enum names_grade grade)
{
	switch (grade) {
	case NAMES_NOTE:
		return "note";
	case NAMES_UNKNOWN:
		return "not checked";
	case NAMES_WRONG:
		break;
	}
	return "WRONG";
}

static void print_verdict(FILE *out, const struct names_verdict *verdict)
{
	if (verdict->count == 0)
		(void)fputs("Verdict: nothing is wrong\n", out);
	else
		(void)fputs("Verdict\n", out);
	for (unsigned i = 0; i < verdict->count; i++) {
		char text[2 * NAMES_VERDICT_TEXT];

		printable_copy(text, sizeof(text), verdict->lines[i].text);
		(void)fprintf(
			out, "  %s: %s\n", grade_text(verdict->lines[i].grade), text);
	}
}

void names_view_print(
	FILE *out, const struct names_report *report, const struct names_verdict *verdict)
{
	char title[3 * OBS_NAME];

	(void)snprintf(title, sizeof(title),
		"The zone above (%s%s) says of %s, without a resolver between",
		report->parent[0] ? "" : "the root", report->parent, report->zone);
	print_role(out, report, OBS_PARENT, title);
	print_role(out, report, OBS_AUTHORITY, "Its own name servers say");
	print_role(out, report, OBS_RESOLVER, "The resolver says");
	print_registry(out, report);
	if (report->left_out)
		(void)fprintf(
			out, "%zu further answers found no room\n", report->left_out);
	print_verdict(out, verdict);
}
