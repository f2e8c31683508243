#include "alias.h"

#include <string.h>

static const struct dns_record *find(
	const struct dns_message *message, const char *name, uint16_t type)
{
	for (unsigned i = 0; i < message->record_count; i++)
		if (message->records[i].section == DNS_ANSWER &&
			message->records[i].type == type &&
			strcmp(message->records[i].owner, name) == 0)
			return &message->records[i];
	return NULL;
}

const struct dns_record *alias_find(const struct dns_message *message, const char *name)
{
	return find(message, name, DNS_CNAME);
}

const char *alias_end(const struct dns_message *message, const char *name)
{
	for (int i = 0; i < ALIAS_LINKS; i++) {
		const struct dns_record *alias = alias_find(message, name);

		if (!alias)
			break;
		name = alias->host;
	}
	return name;
}

const char *alias_open_end(
	const struct dns_message *message, const char *name, uint16_t type)
{
	const char *end = alias_end(message, name);

	if (end == name || alias_find(message, end) || find(message, end, type))
		return NULL;
	return end;
}
