#include "dns_name.h"

#include <string.h>

#include "astray/status.h"

#define LABEL_MAX 63
#define NAME_MAX_TEXT 253

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

int dns_name_read(char out[static OBS_NAME], const char *text)
{
	size_t len = strlen(text), label = 0;

	out[0] = '\0';
	if (strcmp(text, ".") == 0)
		return 0;
	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len == 0 || len > NAME_MAX_TEXT)
		return STATUS_SYNTAX;
	for (size_t i = 0; i < len; i++) {
		char c = lower(text[i]);

		label = c == '.' ? 0 : label + 1;
		if (label > LABEL_MAX || (c == '.' && (i == 0 || text[i - 1] == '.')) ||
			(c != '.' && !is_name_char(c))) {
			out[0] = '\0';
			return STATUS_SYNTAX;
		}
		out[i] = c;
	}
	if (label == 0) {
		out[0] = '\0';
		return STATUS_SYNTAX;
	}
	out[len] = '\0';
	return 0;
}

bool dns_name_is_under(const char *name, const char *zone)
{
	size_t name_len = strlen(name), zone_len = strlen(zone);

	if (zone_len == 0)
		return true;
	if (name_len < zone_len || strcmp(name + name_len - zone_len, zone) != 0)
		return false;
	return name_len == zone_len || name[name_len - zone_len - 1] == '.';
}

unsigned dns_name_labels(const char *name)
{
	unsigned labels = name[0] ? 1 : 0;

	for (; *name; name++)
		labels += *name == '.';
	return labels;
}

const char *dns_name_above(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : name + strlen(name);
}
