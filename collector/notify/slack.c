#include "slack.h"

#include <stdio.h>
#include <string.h>

#include "astray/json.h"
#include "printable.h"

#define SECTION_MAX 3000 /* characters of one section; more is refused */

/* Left unescaped, "<!channel>" in a name from outside would call everybody. */
static const char *escape_of(char letter)
{
	switch (letter) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	default:
		return NULL;
	}
}

/* Appends whole characters only, as many as fit. */
static void append(char *out, size_t cap, const char *text)
{
	size_t len = strlen(out), left = strlen(text);

	while (left > 0) {
		size_t wide = printable_utf8_length((const unsigned char *)text, left);
		const char *escaped = escape_of(*text);
		const char *from = escaped ? escaped : text;
		size_t from_len = escaped ? strlen(escaped) : wide ? wide : 1;

		if (len + from_len >= cap)
			break;
		memcpy(out + len, from, from_len);
		out[len += from_len] = '\0';
		text += wide ? wide : 1;
		left -= wide ? wide : 1;
	}
}

static void append_markup(char *out, size_t cap, const char *markup)
{
	size_t len = strlen(out);

	(void)snprintf(out + len, cap - len, "%s", markup);
}

static void add_section(struct json *blocks, const char *text)
{
	struct json *section = json_add_object(blocks, NULL);
	struct json *content;

	json_add_text(section, "type", "section");
	content = json_add_object(section, "text");
	json_add_text(content, "type", "mrkdwn");
	json_add_text(content, "text", text);
}

static void write_headline(char *out, size_t cap, const struct incident *incident)
{
	*out = '\0';
	append_markup(out, cap, incident_state_text(incident->state));
	append_markup(out, cap, ", ");
	append_markup(out, cap, incident_severity_text(incident->severity));
	append_markup(out, cap, ": ");
	append(out, cap, incident->title);
}

static int compose(char *body, size_t cap, const struct notifier_target *target,
	const struct incident *incident, const char *dashboard)
{
	struct json *message = json_new_object();
	char text[SECTION_MAX], link[NOTIFIER_URL];
	struct json *blocks;
	int len;

	(void)target;
	write_headline(text, sizeof(text), incident);
	json_add_text(message, "text", text);
	blocks = json_add_array(message, "blocks");
	add_section(blocks, text);
	*text = '\0';
	append(text, sizeof(text), incident->text);
	if (*text)
		add_section(blocks, text);
	notifier_link(link, sizeof(link), dashboard, incident);
	if (*link) {
		(void)snprintf(text, sizeof(text), "<%s|dashboard>", link);
		add_section(blocks, text);
	}
	len = json_print(message, body, cap);
	json_free(message);
	return len;
}

const struct notifier_kind slack_notifier = {
	.name = "slack",
	.help = "messages for a Slack channel (incoming webhook)",
	.compose = compose,
};
