#include "referral.h"

#include <stdio.h>
#include <string.h>

#include "dns_name.h"

/* A zone's servers come with one owner; the first that leads nearer to the name decides.
 */
static bool leads_down(
	const struct dns_record *record, const char *zone, const char *name)
{
	return record->section == DNS_AUTHORITY && record->type == DNS_NS &&
	       dns_name_is_under(record->owner, zone) &&
	       strcmp(record->owner, zone) != 0 && dns_name_is_under(name, record->owner);
}

static bool is_glue(
	const struct dns_record *record, const struct zone_cut *cut, const char *zone)
{
	return record->section == DNS_ADDITIONAL &&
	       (record->type == DNS_A || record->type == DNS_AAAA) &&
	       (zone[0] == '\0' || dns_name_is_under(record->owner, cut->zone));
}

static bool read_down(struct zone_cut *out, const struct dns_message *message,
	const char *zone, const char *name)
{
	*out = (struct zone_cut){0};
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];

		if (!leads_down(record, zone, name))
			continue;
		if (!out->zone[0]) {
			(void)snprintf(out->zone, OBS_NAME, "%s", record->owner);
			out->ttl = record->ttl;
		}
		if (strcmp(out->zone, record->owner) == 0)
			zone_cut_add_host(out, record->host);
	}
	if (out->host_count == 0)
		return false;
	for (unsigned i = 0; i < message->record_count; i++)
		if (is_glue(&message->records[i], out, zone))
			zone_cut_add_address(out, message->records[i].owner,
				&message->records[i].address);
	return true;
}

static bool has_answer(const struct dns_message *message, const char *name, uint16_t type)
{
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];

		if (record->section == DNS_ANSWER && strcmp(record->owner, name) == 0 &&
			(record->type == type || record->type == DNS_CNAME))
			return true;
	}
	return false;
}

static bool has_soa(const struct dns_message *message, const char *zone, const char *name)
{
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];

		if (record->section == DNS_AUTHORITY && record->type == DNS_SOA &&
			dns_name_is_under(record->owner, zone) &&
			dns_name_is_under(name, record->owner))
			return true;
	}
	return false;
}

enum referral referral_read(struct zone_cut *out, const struct dns_message *message,
	const char *zone, const char *name, uint16_t type)
{
	*out = (struct zone_cut){0};
	if (message->rcode != DNS_NOERROR && message->rcode != DNS_NXDOMAIN)
		return REFERRAL_FAILED;
	if (message->authoritative && has_answer(message, name, type))
		return REFERRAL_ANSWER;
	if (message->rcode == DNS_NXDOMAIN)
		return message->authoritative || has_soa(message, zone, name)
			       ? REFERRAL_NO_NAME
			       : REFERRAL_LAME;
	if (message->authoritative || has_soa(message, zone, name))
		return REFERRAL_NO_DATA;
	return read_down(out, message, zone, name) ? REFERRAL_DOWN : REFERRAL_LAME;
}
