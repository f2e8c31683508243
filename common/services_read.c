#include "astray/services.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/conf.h"
#include "astray/status.h"
#include "astray/wire.h"

#define FILE_LIMIT ((size_t)4 << 20)
#define DEFAULT_PORT 443

/* One service as the file writes it: lists still lists, numbers not yet checked. */
struct draft {
	char name[OBS_NAME];
	char url[OBS_TEXT];
	char zone[OBS_NAME];
	double false_pages;
	struct conf_texts hosts, addresses;
	const struct json *ports, *expect;
};

struct expect_draft {
	struct conf_texts countries, name_servers, mail, issuers;
	const struct json *asns;
};

#define FIELD(type, name) offsetof(type, name), sizeof(((type *)0)->name)

static const struct conf_option service_options[] = {
	{"name", CONF_TEXT, FIELD(struct draft, name), 0, 0, NULL,
		"What people call it; the key of all that is measured."},
	{"hosts", CONF_TEXTS, FIELD(struct draft, hosts), 0, SERVICE_HOSTS, NULL,
		"Names that it is reached by: exact, or \"*.\" and a suffix."},
	{"ports", CONF_VALUE, FIELD(struct draft, ports), 0, 0, NULL,
		"TCP ports; 443 when absent."},
	{"addresses", CONF_TEXTS, FIELD(struct draft, addresses), 0, SERVICE_ADDRESSES,
		NULL, "Addresses that belong to it when no name is seen."},
	{"url", CONF_TEXT, FIELD(struct draft, url), 0, 0, NULL,
		"What active checks ask for."},
	{"zone", CONF_TEXT, FIELD(struct draft, zone), 0, 0, NULL,
		"The zone whose delegation is watched."},
	{"false_pages", CONF_NUMBER, FIELD(struct draft, false_pages), .01, 1000, NULL,
		"False pages that it may raise in a hundred weeks; for the collector."},
	{"expect", CONF_VALUE, FIELD(struct draft, expect), 0, 0, NULL,
		"Policy: what is named is right, anything else a violation at once."},
	{0},
};

static const struct conf_option expect_options[] = {
	{"countries", CONF_TEXTS, FIELD(struct expect_draft, countries), 0,
		SERVICE_EXPECT, NULL,
		"Where the path may go and the answers may lie (ISO 3166-1 alpha-2)."},
	{"asns", CONF_VALUE, FIELD(struct expect_draft, asns), 0, 0, NULL,
		"The networks that its addresses may belong to."},
	{"name_servers", CONF_TEXTS, FIELD(struct expect_draft, name_servers), 0,
		SERVICE_EXPECT, NULL, "The full allowed set at the parent."},
	{"mail", CONF_TEXTS, FIELD(struct expect_draft, mail), 0, SERVICE_EXPECT, NULL,
		"The full allowed set of mail exchangers."},
	{"issuers", CONF_TEXTS, FIELD(struct expect_draft, issuers), 0, SERVICE_EXPECT,
		NULL, "The full allowed set of certificate issuers."},
	{0},
};

/* Where a reader stands: faults are said about `at`, under the name `where`. */
struct spot {
	const struct json_doc *doc;
	const struct json *at;
	const char *where;
	struct fault *fault;
};

static int refuse(const struct spot *spot, int rc, const char *key, const char *what,
	const char *why)
{
	char field[sizeof(spot->fault->field)];

	(void)snprintf(field, sizeof(field), "%s.%s", spot->where, key);
	rc = fault_at(spot->fault, rc, field, "\"%.80s\" %s", what, why);
	if (spot->fault)
		spot->fault->line = json_line(spot->doc, spot->at);
	return rc;
}

/* Lower case without the trailing dot; letters, digits, - _ and dots between. A leading
 * "*." is allowed where `wild`. */
static bool take_name(char out[static OBS_NAME], const char *text, bool wild)
{
	size_t len = strlen(text);
	size_t from = wild && strncmp(text, "*.", 2) == 0 ? 2 : 0;

	if (len > from && text[len - 1] == '.')
		len--;
	if (len <= from || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool inner_dot = c == '.' && i > from && text[i - 1] != '.';

		if (i >= from && !isalnum(c) && c != '-' && c != '_' && !inner_dot)
			return false;
		out[i] = (char)tolower(c);
	}
	out[len] = '\0';
	return true;
}

static int take_names(const struct spot *spot, const char *key,
	const struct conf_texts *texts, char (*out)[OBS_NAME], bool wild)
{
	for (unsigned i = 0; i < texts->count; i++)
		if (!take_name(out[i], texts->text[i], wild))
			return refuse(spot, STATUS_RANGE, key, texts->text[i],
				"is not a host name");
	return 0;
}

static int take_countries(const struct spot *spot, struct service_expect *expect,
	const struct conf_texts *texts)
{
	for (unsigned i = 0; i < texts->count; i++) {
		const char *code = texts->text[i];

		if (strlen(code) != 2 || !isupper((unsigned char)code[0]) ||
			!isupper((unsigned char)code[1]))
			return refuse(spot, STATUS_RANGE, "countries", code,
				"is not a country code such as \"JP\"");
		memcpy(expect->countries[i], code, 3);
	}
	expect->country_count = texts->count;
	return 0;
}

/* A list of whole numbers between 1 and max into out; returns how many, or negative. */
static int take_numbers(const struct spot *spot, const char *key, const struct json *list,
	int64_t *out, unsigned limit, int64_t max)
{
	unsigned count = 0;
	char what[32];

	if (json_type(list) != JSON_ARRAY)
		return refuse(
			spot, STATUS_SYNTAX, key, "", "should be a list of numbers");
	for (const struct json *row = json_first(list); row; row = json_next(row)) {
		int64_t number = 0;

		if (count == limit)
			return refuse(
				spot, STATUS_LIMIT, key, "", "has too many entries");
		if (!json_as_int(row, &number) || number < 1 || number > max) {
			(void)snprintf(what, sizeof(what), "%lld", (long long)number);
			return refuse(spot, STATUS_RANGE, key, what, "is out of range");
		}
		out[count++] = number;
	}
	return (int)count;
}

static int take_ports(
	const struct spot *spot, struct service *service, const struct json *list)
{
	int64_t numbers[SERVICE_PORTS];
	int count;

	if (!list) {
		service->ports[0] = DEFAULT_PORT;
		service->port_count = 1;
		return 0;
	}
	count = take_numbers(spot, "ports", list, numbers, SERVICE_PORTS, UINT16_MAX);
	if (count < 0)
		return count;
	service->port_count = (unsigned)count;
	for (int i = 0; i < count; i++)
		service->ports[i] = (uint16_t)numbers[i];
	return 0;
}

static int take_addresses(
	const struct spot *spot, struct service *service, const struct conf_texts *texts)
{
	for (unsigned i = 0; i < texts->count; i++)
		if (address_parse(&service->addresses[i], texts->text[i]))
			return refuse(spot, STATUS_RANGE, "addresses", texts->text[i],
				"is not an IP address");
	service->address_count = texts->count;
	return 0;
}

static int take_asns(
	const struct spot *spot, struct service_expect *expect, const struct json *list)
{
	int64_t numbers[SERVICE_EXPECT];
	int count = 0;

	if (list)
		count = take_numbers(
			spot, "asns", list, numbers, SERVICE_EXPECT, UINT32_MAX);
	if (count < 0)
		return count;
	expect->asn_count = (unsigned)count;
	for (int i = 0; i < count; i++)
		expect->asns[i] = (uint32_t)numbers[i];
	return 0;
}

static void note_given(struct service_expect *expect, const struct json *object)
{
	expect->countries_given = json_member(object, "countries");
	expect->asns_given = json_member(object, "asns");
	expect->name_servers_given = json_member(object, "name_servers");
	expect->mail_given = json_member(object, "mail");
	expect->issuers_given = json_member(object, "issuers");
}

static int fill_expect(const struct spot *spot, struct service_expect *expect,
	const struct expect_draft *draft)
{
	int rc = take_countries(spot, expect, &draft->countries);

	if (rc == 0)
		rc = take_asns(spot, expect, draft->asns);
	if (rc == 0)
		rc = take_names(spot, "name_servers", &draft->name_servers,
			expect->name_servers, false);
	if (rc == 0)
		rc = take_names(spot, "mail", &draft->mail, expect->mail, false);
	expect->name_server_count = draft->name_servers.count;
	expect->mail_count = draft->mail.count;
	expect->issuer_count = draft->issuers.count;
	for (unsigned i = 0; i < draft->issuers.count; i++)
		(void)snprintf(
			expect->issuers[i], OBS_NAME, "%s", draft->issuers.text[i]);
	return rc;
}

static int read_expect(const struct spot *service_spot, struct service_expect *expect,
	const struct json *object)
{
	struct expect_draft *draft = calloc(1, sizeof(*draft));
	char where[64];
	struct spot spot = *service_spot;
	int rc = -ENOMEM;

	if (!draft)
		goto done;
	(void)snprintf(where, sizeof(where), "%s.expect", service_spot->where);
	spot.where = where;
	spot.at = object;
	rc = conf_read(draft, expect_options, spot.doc, object, where, spot.fault);
	if (rc)
		goto done;
	note_given(expect, object);
	rc = fill_expect(&spot, expect, draft);
done:
	free(draft);
	return rc;
}

static int fill_service(
	const struct spot *spot, struct service *service, const struct draft *draft)
{
	int rc;

	if (!wire_service_is_valid(draft->name))
		return refuse(spot, STATUS_RANGE, "name", draft->name,
			"is not a service's name: letters, digits and . _ - : / [ ] @");
	service->false_pages = draft->false_pages;
	if (draft->zone[0] && !take_name(service->zone, draft->zone, false))
		return refuse(
			spot, STATUS_RANGE, "zone", draft->zone, "is not a zone's name");
	(void)snprintf(service->name, sizeof(service->name), "%s", draft->name);
	(void)snprintf(service->url, sizeof(service->url), "%s", draft->url);
	service->host_count = draft->hosts.count;
	rc = take_names(spot, "hosts", &draft->hosts, service->hosts, true);
	if (rc == 0)
		rc = take_ports(spot, service, draft->ports);
	if (rc == 0)
		rc = take_addresses(spot, service, &draft->addresses);
	if (rc == 0 && draft->expect)
		rc = read_expect(spot, &service->expect, draft->expect);
	return rc;
}

static int read_service(struct service *service, const struct spot *spot)
{
	struct draft *draft = calloc(1, sizeof(*draft));
	int rc = -ENOMEM;

	if (!draft)
		return rc;
	rc = conf_read(
		draft, service_options, spot->doc, spot->at, spot->where, spot->fault);
	if (rc == 0)
		rc = fill_service(spot, service, draft);
	free(draft);
	return rc;
}

int services_read(struct services *out, const struct json_doc *doc,
	const struct json *array, struct fault *fault)
{
	struct spot spot = {.doc = doc, .at = array, .where = "services", .fault = fault};
	size_t count = json_count(array);
	char where[32];
	int rc = 0;

	*out = (struct services){0};
	if (json_type(array) != JSON_ARRAY)
		return fault_at(
			fault, STATUS_SYNTAX, "services", "should be a list [{…}]");
	if (count > SERVICES_MAX)
		return fault_at(fault, STATUS_LIMIT, "services",
			"has more than %d entries", SERVICES_MAX);
	out->list = calloc(count ? count : 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	spot.where = where;
	for (spot.at = json_first(array); spot.at && rc == 0;
		spot.at = json_next(spot.at)) {
		struct service *service = &out->list[out->count];

		(void)snprintf(where, sizeof(where), "services[%zu]", out->count);
		rc = read_service(service, &spot);
		if (rc == 0 && services_find(out, service->name))
			rc = refuse(&spot, STATUS_DUPLICATE, "name", service->name,
				"names an earlier service too");
		out->count++;
	}
	if (rc)
		services_free(out);
	return rc;
}

int services_read_file(struct services *out, const char *path, struct fault *fault)
{
	static const struct conf_option options[] = {
		{"services", CONF_VALUE, 0, 0, 0, 0, NULL, "The services."}, {0}};
	const struct json *list = NULL;
	struct json_doc *doc;
	int rc;

	*out = (struct services){0};
	rc = json_parse_file(&doc, path, FILE_LIMIT, JSON_COMMENTS, fault);
	if (rc)
		return rc;
	rc = conf_read(&list, options, doc, json_root(doc), "", fault);
	if (rc == 0 && !list)
		rc = fault_at(fault, STATUS_MISSING, "services",
			"is missing: {\"services\":[…]}");
	if (rc == 0)
		rc = services_read(out, doc, list, fault);
	json_doc_free(doc);
	if (rc && fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%s", path);
	return rc;
}
