#include "detect_registry.h"

#include <string.h>
#include <strings.h>

#include "archive.h"
#include "known.h"

/* A touched registration is said for a day: its incident, if there is one, comes within
 * it. */
#define TOUCHED_US MOMENT_DAY_US

enum fact { REGISTRAR, LOCK, SERVERS, SIGNATURE, TOUCHED, FACTS };

struct registry_of_service {
	bool known;
	uint64_t registrar; /* while it was undisputed */
	bool locked, is_signed;
	struct moment last_changed;
	struct moment touched; /* when we saw that move; 0: not lately */
	bool accused[FACTS];
	struct moment since[FACTS];
};

static const char *const subjects[FACTS] = {
	[REGISTRAR] = "registrar",
	[LOCK] = "lock",
	[SERVERS] = "servers",
	[SIGNATURE] = "signature",
	[TOUCHED] = "touched",
};

static bool is_locked(const struct obs_registry *registry)
{
	for (unsigned i = 0; i < registry->status_count; i++)
		if (strcasestr(registry->status[i], "transfer prohibited") ||
			strcasestr(registry->status[i], "update prohibited"))
			return true;
	return false;
}

/* The first server that is not expected, or NULL. */
static const char *foreign_server(
	const struct service *service, const struct obs_registry *registry)
{
	for (unsigned i = 0;
		service->expect.name_servers_given && i < registry->server_count; i++) {
		bool expected = false;

		for (unsigned k = 0; k < service->expect.name_server_count; k++)
			expected |= strcasecmp(service->expect.name_servers[k],
					    registry->name_servers[i]) == 0;
		if (!expected)
			return registry->name_servers[i];
	}
	return NULL;
}

/* Says the fact while it holds, and once that it is over. */
static void tell(const struct detector_case *call, struct registry_of_service *registry,
	enum fact fact, bool holds, const char *brief, const char *detail)
{
	struct finding finding = detector_finding(call, CAUSE_REGISTRY);

	if (!holds && registry->accused[fact])
		detector_end(call, CAUSE_REGISTRY, "", subjects[fact]);
	if (holds && !registry->accused[fact])
		registry->since[fact] = call->at;
	registry->accused[fact] = holds;
	if (!holds)
		return;
	finding.severity =
		fact == TOUCHED || fact == LOCK ? SEVERITY_WARN : SEVERITY_PAGE;
	finding.lone = call->vantage->role == OBS_ENDPOINT;
	finding.security = fact != TOUCHED;
	finding.policy = fact == SERVERS;
	finding.since = registry->since[fact];
	finding.effect = 1;
	(void)detector_write(
		finding.subject, sizeof(finding.subject), "%s", subjects[fact]);
	(void)detector_write(finding.brief, sizeof(finding.brief), "%s", brief);
	(void)detector_write(finding.text, sizeof(finding.text),
		"the registry says of %s: %s%s%s", call->obs->registry.domain, brief,
		*detail ? ": " : "", detail);
	detector_say(call, &finding);
}

static void remember(struct registry_of_service *known, const struct obs_registry *now)
{
	known->known = true;
	known->registrar = now->registrar[0] ? known_key(now->registrar) : 0;
	known->locked = is_locked(now);
	known->is_signed = now->signed_known && now->delegation_signed;
	known->last_changed = now->last_changed;
}

static void see(struct detector_case *call)
{
	struct registry_of_service *known = detector_of_service(call);
	const struct obs_registry *now = &call->obs->registry;
	const char *server = foreign_server(call->service, now);
	char changed[MOMENT_TEXT];

	if (!known->known || call->announced)
		remember(known, now);
	if (now->last_changed.us && now->last_changed.us != known->last_changed.us) {
		known->touched = call->rx;
		known->last_changed = now->last_changed;
	}
	tell(call, known, SERVERS, server != NULL, "name servers that are not expected",
		server ? server : "");
	tell(call, known, REGISTRAR,
		known->registrar && now->registrar[0] &&
			known_key(now->registrar) != known->registrar,
		"the registrar has changed", now->registrar);
	tell(call, known, LOCK, known->locked && now->status_count && !is_locked(now),
		"the lock against transfer and update is gone", "");
	tell(call, known, SIGNATURE,
		known->is_signed && now->signed_known && !now->delegation_signed,
		"the delegation is no longer signed", "");
	tell(call, known, TOUCHED,
		known->touched.us &&
			moment_since_us(call->rx, known->touched) < TOUCHED_US,
		"the registration was changed",
		moment_text(now->last_changed, false, changed));
}

static void keep_service(struct archive *archive, void *state)
{
	struct registry_of_service *registry = state;

	archive_bool(archive, &registry->known);
	archive_u64(archive, &registry->registrar);
	archive_bool(archive, &registry->locked);
	archive_bool(archive, &registry->is_signed);
	archive_moment(archive, &registry->last_changed);
	archive_moment(archive, &registry->touched);
	for (unsigned i = 0; i < FACTS; i++) {
		archive_bool(archive, &registry->accused[i]);
		archive_moment(archive, &registry->since[i]);
	}
}

const struct detector detect_registry = {
	.name = "registry",
	.kinds = 1u << OBS_REGISTRY,
	.service_size = sizeof(struct registry_of_service),
	.see = see,
	.keep_service = keep_service,
};
