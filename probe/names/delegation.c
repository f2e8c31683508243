#include "delegation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"
#include "dns_name.h"
#include "referral.h"

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int compare_glue(const void *a, const void *b)
{
	const struct delegation_glue *left = a, *right = b;
	int order = strcmp(left->host, right->host);

	return order ? order : address_compare(&left->address, &right->address);
}

static bool is_in(const char texts[][OBS_NAME], unsigned count, const char *text)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}

static int add_text(
	char texts[][OBS_NAME], unsigned *count, unsigned limit, const char *text)
{
	if (is_in((const char(*)[OBS_NAME])texts, *count, text))
		return 0;
	if (*count == limit)
		return STATUS_LIMIT;
	(void)snprintf(texts[(*count)++], OBS_NAME, "%s", text);
	return 0;
}

static bool is_proof_of_no_ds(const struct dns_record *record)
{
	return record->section == DNS_AUTHORITY &&
	       (record->type == DNS_NSEC || record->type == DNS_NSEC3);
}

/* The name servers stand in the answer when the server itself serves the zone, too. */
static bool names_server(
	const struct dns_record *record, const char *zone, enum dns_section section)
{
	return record->type == DNS_NS && record->section == section &&
	       strcmp(record->owner, zone) == 0;
}

static int take_servers(struct delegation *out, const struct dns_message *message,
	const char *zone, enum dns_section section)
{
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];
		int rc;

		if (!names_server(record, zone, section))
			continue;
		out->ttl = record->ttl;
		rc = add_text(out->servers, &out->server_count, DELEGATION_SERVERS,
			record->host);
		if (rc)
			return rc;
	}
	return 0;
}

static int take_ds(struct delegation *out, const struct dns_message *message,
	const char *zone, enum dns_section section)
{
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];
		int rc;

		if (is_proof_of_no_ds(record))
			out->ds_told = true;
		if (record->type != DNS_DS || record->section != section ||
			strcmp(record->owner, zone) != 0)
			continue;
		out->ds_told = true;
		out->ds_ttl = record->ttl;
		rc = add_text(out->ds, &out->ds_count, DELEGATION_DS, record->data);
		if (rc)
			return rc;
	}
	qsort(out->ds, out->ds_count, OBS_NAME, compare_texts);
	return 0;
}

static bool is_glue(const struct delegation *delegation, const struct dns_record *record,
	const char *zone)
{
	return record->section == DNS_ADDITIONAL &&
	       (record->type == DNS_A || record->type == DNS_AAAA) &&
	       dns_name_is_under(record->owner, zone) &&
	       delegation_has_server(delegation, record->owner);
}

static int take_glue(
	struct delegation *out, const struct dns_message *message, const char *zone)
{
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];
		struct delegation_glue *glue;

		if (!is_glue(out, record, zone))
			continue;
		if (out->glue_count == DELEGATION_GLUE)
			return STATUS_LIMIT;
		glue = &out->glue[out->glue_count++];
		(void)snprintf(glue->host, sizeof(glue->host), "%s", record->owner);
		glue->address = record->address;
		glue->ttl = record->ttl;
	}
	qsort(out->glue, out->glue_count, sizeof(out->glue[0]), compare_glue);
	return 0;
}

int delegation_read(
	struct delegation *out, const struct dns_message *message, const char *zone)
{
	struct zone_cut below;
	enum dns_section section = DNS_AUTHORITY;
	int rc;

	*out = (struct delegation){0};
	switch (referral_read(&below, message, dns_name_above(zone), zone, DNS_NS)) {
	case REFERRAL_NO_NAME:
	case REFERRAL_NO_DATA:
		return 0;
	case REFERRAL_ANSWER:
		section = DNS_ANSWER;
		break;
	case REFERRAL_DOWN:
		break;
	case REFERRAL_FAILED:
	case REFERRAL_LAME:
		return STATUS_REFUSED;
	}
	rc = take_servers(out, message, zone, section);
	out->exists = out->server_count > 0; /* an alias has none */
	qsort(out->servers, out->server_count, OBS_NAME, compare_texts);
	if (rc == 0)
		rc = take_ds(out, message, zone, DNS_AUTHORITY);
	if (rc == 0)
		rc = take_glue(out, message, zone);
	return rc;
}

int delegation_read_ds(struct delegation *delegation, const struct dns_message *message,
	const char *zone)
{
	struct zone_cut below;
	enum referral said =
		referral_read(&below, message, dns_name_above(zone), zone, DNS_DS);

	delegation->ds_count = 0;
	delegation->ds_told = said == REFERRAL_NO_DATA;
	if (said == REFERRAL_NO_DATA)
		return 0;
	return said == REFERRAL_ANSWER ? take_ds(delegation, message, zone, DNS_ANSWER)
				       : STATUS_REFUSED;
}

bool delegation_has_server(const struct delegation *delegation, const char *host)
{
	return is_in(delegation->servers, delegation->server_count, host);
}

bool delegation_same_servers(const struct delegation *a, const struct delegation *b)
{
	if (a->exists != b->exists || a->server_count != b->server_count)
		return false;
	for (unsigned i = 0; i < a->server_count; i++)
		if (strcmp(a->servers[i], b->servers[i]) != 0)
			return false;
	return true;
}

static bool same_ds(const struct delegation *a, const struct delegation *b)
{
	if (!a->ds_told || !b->ds_told)
		return true;
	if (a->ds_count != b->ds_count)
		return false;
	for (unsigned i = 0; i < a->ds_count; i++)
		if (strcmp(a->ds[i], b->ds[i]) != 0)
			return false;
	return true;
}

static bool has_glue(const struct delegation *delegation, const char *host,
	const struct address *address)
{
	for (unsigned i = 0; i < delegation->glue_count; i++)
		if (strcmp(delegation->glue[i].host, host) == 0 &&
			(!address ||
				address_equal(&delegation->glue[i].address, address)))
			return true;
	return false;
}

/* The first host of a's whose glue b knows, too, but not with this address. */
static const struct delegation_glue *glue_not_in(
	const struct delegation *a, const struct delegation *b)
{
	for (unsigned i = 0; i < a->glue_count; i++) {
		const struct delegation_glue *glue = &a->glue[i];

		if (has_glue(b, glue->host, NULL) &&
			!has_glue(b, glue->host, &glue->address))
			return glue;
	}
	return NULL;
}

bool delegation_equal(const struct delegation *a, const struct delegation *b)
{
	return delegation_same_servers(a, b) && same_ds(a, b) && !glue_not_in(a, b) &&
	       !glue_not_in(b, a);
}

__attribute__((format(printf, 2, 3))) static void add_words(
	char buf[static DELEGATION_TEXT], const char *format, ...)
{
	size_t len = strlen(buf);
	va_list args;

	if (len) {
		(void)snprintf(buf + len, DELEGATION_TEXT - len, "; ");
		len = strlen(buf);
	}
	va_start(args, format);
	(void)vsnprintf(buf + len, DELEGATION_TEXT - len, format, args);
	va_end(args);
}

static void add_server_words(char buf[static DELEGATION_TEXT],
	const struct delegation *from, const struct delegation *to, const char *what)
{
	for (unsigned i = 0; i < to->server_count; i++)
		if (!delegation_has_server(from, to->servers[i]))
			add_words(buf, "name server %s is %s", to->servers[i], what);
}

static void add_glue_words(char buf[static DELEGATION_TEXT],
	const struct delegation_glue *glue, const char *what)
{
	char address[ADDRESS_TEXT];

	if (glue)
		add_words(buf, "glue of %s: %s is %s", glue->host,
			address_text(&glue->address, address), what);
}

const char *delegation_changes_text(const struct delegation *before,
	const struct delegation *after, char buf[static DELEGATION_TEXT])
{
	buf[0] = '\0';
	if (before->exists && !after->exists) {
		add_words(buf, "the delegation is gone");
		return buf;
	}
	add_server_words(buf, before, after, "new");
	add_server_words(buf, after, before, "gone");
	if (!same_ds(before, after))
		add_words(buf, "DS is %s",
			after->ds_count == 0    ? "gone"
			: before->ds_count == 0 ? "new"
						: "another");
	add_glue_words(buf, glue_not_in(after, before), "new");
	add_glue_words(buf, glue_not_in(before, after), "gone");
	return buf;
}
