#include "signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELEMENT (OBS_NAME + 8)

struct elements {
	unsigned count;
	char text[OBS_HOPS][ELEMENT];
};

static int alphabetical(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What finds no room is told apart by its hash: two long texts are equal only if all of
 * them is. */
static void append(struct signature *out, const char *text)
{
	size_t used = strlen(out->text), room = SIGNATURE_MAX - 24;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	if (used + strlen(text) + 1 < room) {
		(void)snprintf(
			out->text + used, room - used, "%s%s", used ? " " : "", text);
		return;
	}
	if (used >= room) {
		(void)sscanf(out->text + room, "#%" SCNx64, &hash);
		used = room;
	}
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	memset(out->text + used, ' ', room - used);
	(void)snprintf(out->text + room, SIGNATURE_MAX - room, "#%016" PRIx64, hash);
}

static void join(struct signature *out, struct elements *elements)
{
	qsort(elements->text, elements->count, ELEMENT, alphabetical);
	*out = (struct signature){0};
	for (unsigned i = 0; i < elements->count; i++)
		if (i == 0 || strcmp(elements->text[i - 1], elements->text[i]) != 0)
			append(out, elements->text[i]);
}

static void add_place(struct elements *elements, const struct place *place)
{
	const char *country = place->source == PLACE_SOURCE_ANYCAST ||
					      place->verdict == PLACE_IMPOSSIBLE
				      ? ""
				      : place->country;

	if (!country[0] && !place->asn)
		return;
	(void)snprintf(elements->text[elements->count++], ELEMENT, "%s/%" PRIu32,
		country[0] ? country : "-", place->asn);
}

/* Where nothing is placed the neighbourhood of an address has to do: a balanced path's
 * routers and a pool's servers mostly share it. */
static void add_neighbourhood(struct elements *elements, const struct address *address)
{
	if (!address->family || address_is_private(address))
		return;
	if (address->family == 4)
		(void)snprintf(elements->text[elements->count++], ELEMENT, "%u.%u/16",
			address->bytes[0], address->bytes[1]);
	else
		(void)snprintf(elements->text[elements->count++], ELEMENT,
			"%02x%02x:%02x%02x/32", address->bytes[0], address->bytes[1],
			address->bytes[2], address->bytes[3]);
}

void signature_of_trace(struct signature *out, const struct obs_trace *trace)
{
	struct elements elements = {0};
	int hidden = trace->reached ? 0 : OBS_HOPS;

	for (unsigned i = 0; i < trace->hop_count; i++) {
		add_place(&elements, &trace->hops[i].place);
		hidden += trace->hops[i].address.family == 0;
	}
	if (elements.count == 0)
		for (unsigned i = 0; i < trace->hop_count; i++)
			add_neighbourhood(&elements, &trace->hops[i].address);
	join(out, &elements);
	out->hidden = hidden;
}

static void add_answers(struct elements *elements, const struct obs_dns *dns)
{
	bool addresses = strcmp(dns->type, "A") == 0 || strcmp(dns->type, "AAAA") == 0;

	for (unsigned i = 0; addresses && i < dns->answer_count; i++)
		add_place(elements, &dns->answers[i].place);
	if (elements->count)
		return;
	for (unsigned i = 0; i < dns->answer_count; i++) {
		struct address address;

		if (addresses && address_parse(&address, dns->answers[i].data) == 0 &&
			!address_is_private(&address))
			add_neighbourhood(elements, &address);
		else
			(void)snprintf(elements->text[elements->count++], ELEMENT, "%s",
				dns->answers[i].data);
	}
}

bool signature_of_dns(struct signature *out, const struct obs_dns *dns)
{
	struct elements elements = {0};

	*out = (struct signature){0};
	if (strcmp(dns->rcode, "NXDOMAIN") == 0) {
		append(out, "NXDOMAIN");
		return true;
	}
	if (strcmp(dns->rcode, "NOERROR") != 0 || dns->answer_count == 0)
		return false;
	add_answers(&elements, dns);
	join(out, &elements);
	return true;
}

void signature_of_registry(struct signature *out, const struct obs_registry *registry)
{
	struct elements elements = {0};

	for (unsigned i = 0; i < registry->server_count; i++)
		(void)snprintf(elements.text[elements.count++], ELEMENT, "ns:%s",
			registry->name_servers[i]);
	for (unsigned i = 0; i < registry->status_count; i++)
		(void)snprintf(elements.text[elements.count++], ELEMENT, "status:%s",
			registry->status[i]);
	join(out, &elements);
	append(out, registry->registrar);
	if (registry->signed_known)
		append(out, registry->delegation_signed ? "signed" : "unsigned");
}

void signature_of_certificate(
	struct signature *out, const struct obs_certificate *certificate)
{
	*out = (struct signature){0};
	append(out, certificate->spki_sha256);
	append(out, certificate->issuer);
}

void signature_of_check(struct signature *out, const struct obs_check *check)
{
	char status[32];

	*out = (struct signature){0};
	append(out, obs_check_error_text(check->error));
	if (check->status == OBS_ABSENT)
		return;
	(void)snprintf(status, sizeof(status), "%" PRId64, check->status);
	append(out, status);
}

bool signature_within(const char *part, const char *whole)
{
	while (*part) {
		size_t len = strcspn(part, " ");
		const char *at = whole;

		while (*at && (strcspn(at, " ") != len || strncmp(at, part, len) != 0)) {
			at += strcspn(at, " ");
			at += *at == ' ';
		}
		if (!*at)
			return false;
		part += len;
		part += *part == ' ';
	}
	return true;
}
