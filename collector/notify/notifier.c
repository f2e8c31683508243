#include "notifier.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "alertmanager.h"
#include "pagerduty.h"
#include "slack.h"
#include "webhook.h"

const struct notifier_kind *const notifier_kinds[] = {
	&webhook_notifier,
	&alertmanager_notifier,
	&pagerduty_notifier,
	&slack_notifier,
	NULL,
};

static void append(char *out, size_t cap, const char *text)
{
	size_t len = strlen(out);

	(void)snprintf(out + len, cap - len, "%s", text);
}

void notifier_join(char *out, size_t cap, const char *names, size_t width, unsigned count)
{
	*out = '\0';
	for (unsigned i = 0; i < count; i++) {
		append(out, cap, i ? ", " : "");
		append(out, cap, names + i * width);
	}
}

void notifier_causes(char *out, size_t cap, unsigned causes)
{
	*out = '\0';
	for (unsigned i = 0; i < INCIDENT_CAUSES; i++)
		if (causes & 1u << i) {
			append(out, cap, *out ? ", " : "");
			append(out, cap, incident_cause_text((enum incident_cause)i));
		}
}

static void append_escaped(char *out, size_t cap, const char *text)
{
	for (const char *at = text; *at; at++) {
		const char letter[2] = {*at, '\0'};
		char escaped[4];

		(void)snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*at);
		append(out, cap,
			isalnum((unsigned char)*at) || strchr("-._~", *at) ? letter
									   : escaped);
	}
}

void notifier_link(
	char *out, size_t cap, const char *dashboard, const struct incident *incident)
{
	size_t len = strlen(dashboard);

	(void)snprintf(out, cap, "%s", dashboard);
	if (len == 0 || incident->service_count == 0)
		return;
	append(out, cap, dashboard[len - 1] == '/' ? "#" : "/#");
	append_escaped(out, cap, incident->services[0]);
}
