#include "detect_certificate.h"

#include <string.h>
#include <strings.h>

#include "archive.h"
#include "known.h"

#define ROUNDS_TO_SPEAK 2
#define MET 32
/* Renewal usually comes with a third of the life left, and a few days of habit. */
#define LIFE_LEFT_AT_RENEWAL .36
/* Whoever steals a name orders the certificate for it then. */
#define FRESH_US (7 * MOMENT_DAY_US)
/* What has not been met for so long explains no renewal any more. */
#define CURRENT_US (7 * MOMENT_DAY_US)
#define ENDS_SOON_US (10 * MOMENT_DAY_US)
#define ENDS_SOON_SHARE (1. / 6)
#define ENDS_NOW_US MOMENT_DAY_US
#define ENDS_NOW_SHARE (1. / 24)
/* Services at which one machine meets the same stranger: not theirs, but its own. */
#define INTERCEPTED_SERVICES 3
#define INTERCEPTED_OF_FEW 2
#define INTERCEPTED_US MOMENT_HOUR_US
#define ENDING_KEY 1 /* stands for "ends soon" among the keys of certificates */

/* A certificate that is known to be the service's own. */
struct met {
	uint64_t pair, issuer, spki;
	uint64_t root; /* the key that it was verified by; 0: not known */
	struct moment last, not_before, not_after;
};

struct certificates_of_service {
	uint32_t met_count;
	struct met met[MET];
	struct testimony strange;
	struct known strangers; /* (issuer, vantage) of those */
	struct moment first;
};

enum complaint {
	NONE,
	RENEWED,
	ENDING,
	ENDED,
	UNVERIFIED,
	FOREIGN_ISSUER,
	NEW_ISSUER,
	EARLY_KEY,
	OTHER_EDGE,
};

static uint64_t root_of(const struct obs_certificate *certificate)
{
	const struct obs_voucher *last;

	if (!certificate->verified || !certificate->chain_count)
		return 0;
	last = &certificate->chain[certificate->chain_count - 1];
	return *last->spki_sha256 ? known_key(last->spki_sha256) : 0;
}

static struct met met_of(const struct obs_certificate *certificate, struct moment at)
{
	uint64_t issuer = known_key(certificate->issuer),
		 spki = known_key(certificate->spki_sha256);

	return (struct met){.pair = issuer * 31 + spki,
		.issuer = issuer,
		.spki = spki,
		.root = root_of(certificate),
		.last = at,
		.not_before = certificate->not_before,
		.not_after = certificate->not_after};
}

static struct met *find_met(struct certificates_of_service *certificates, uint64_t pair)
{
	for (uint32_t i = 0; i < certificates->met_count; i++)
		if (certificates->met[i].pair == pair)
			return &certificates->met[i];
	return NULL;
}

/* An authority signs now with this, now with that key of its own: one root stands over
 * them. */
static bool is_one_authority(const struct met *a, const struct met *b)
{
	return a->issuer == b->issuer || (a->root && a->root == b->root);
}

static bool knows_issuer(
	const struct certificates_of_service *certificates, const struct met *met)
{
	for (uint32_t i = 0; i < certificates->met_count; i++)
		if (is_one_authority(&certificates->met[i], met))
			return true;
	return false;
}

static bool knows_key(
	const struct certificates_of_service *certificates, const struct met *met)
{
	for (uint32_t i = 0; i < certificates->met_count; i++)
		if (certificates->met[i].spki == met->spki)
			return true;
	return false;
}

static double life_left(const struct met *met, struct moment now)
{
	double life = (double)moment_since_us(met->not_after, met->not_before);

	return life > 0 ? (double)moment_since_us(met->not_after, now) / life : 0;
}

/* Whether one of the certificates that are in use is due: one of the same authority,
 * unless the operator has said which issuers may follow each other. */
static bool is_due(const struct certificates_of_service *certificates,
	const struct met *met, struct moment now, bool policy)
{
	for (uint32_t i = 0; i < certificates->met_count; i++) {
		const struct met *old = &certificates->met[i];

		if ((policy || is_one_authority(old, met)) &&
			moment_since_us(now, old->last) < CURRENT_US &&
			life_left(old, now) <= LIFE_LEFT_AT_RENEWAL)
			return true;
	}
	return false;
}

static bool ends_within(
	const struct met *met, struct moment now, int64_t us, double share)
{
	return met->not_after.us && moment_since_us(met->not_after, now) < us &&
	       life_left(met, now) < share;
}

static bool is_expected_issuer(const struct service *service, const char *issuer)
{
	for (unsigned i = 0; i < service->expect.issuer_count; i++)
		if (strcasestr(issuer, service->expect.issuers[i]))
			return true;
	return false;
}

static enum complaint complain_of_known(const struct detector_case *call,
	const struct obs_certificate *certificate, const struct met *met)
{
	if (!certificate->verified)
		return met->not_after.us && moment_before(met->not_after, call->rx)
			       ? ENDED
			       : UNVERIFIED;
	return ends_within(met, call->rx, ENDS_SOON_US, ENDS_SOON_SHARE) ? ENDING : NONE;
}

static enum complaint complain(const struct detector_case *call,
	struct certificates_of_service *certificates, const struct met *met)
{
	const struct obs_certificate *certificate = &call->obs->check.tls;
	bool learnt = moment_since_us(call->rx, certificates->first) >=
		      call->settings->learn_names_us;
	bool policy = call->service->expect.issuers_given;

	if (policy && !is_expected_issuer(call->service, certificate->issuer))
		return FOREIGN_ISSUER;
	if (find_met(certificates, met->pair))
		return complain_of_known(call, certificate, met);
	if (!certificate->verified)
		return UNVERIFIED;
	if (call->announced || !learnt || knows_key(certificates, met))
		return complain_of_known(call, certificate, met);
	if (!policy && !knows_issuer(certificates, met))
		return NEW_ISSUER;
	if (is_due(certificates, met, call->rx, policy))
		return RENEWED;
	return moment_since_us(call->rx, met->not_before) < FRESH_US ? EARLY_KEY
								     : OTHER_EDGE;
}

static const char *brief_of(enum complaint complaint)
{
	switch (complaint) {
	case ENDING:
		return "its certificate ends soon";
	case ENDED:
		return "its certificate has ended";
	case UNVERIFIED:
		return "its certificate does not verify";
	case FOREIGN_ISSUER:
		return "certificate of an issuer that is not expected";
	case NEW_ISSUER:
		return "certificate of an issuer never seen here";
	case EARLY_KEY:
		return "new certificate key long before renewal";
	case OTHER_EDGE:
		return "an older certificate never seen here";
	case NONE:
	case RENEWED:
		break;
	}
	return "certificate renewed";
}

static bool is_attack(enum complaint complaint)
{
	return complaint == UNVERIFIED || complaint == FOREIGN_ISSUER ||
	       complaint == NEW_ISSUER || complaint == EARLY_KEY;
}

/* At how many services that probe has met the issuer lately, as a stranger. */
static unsigned services_with(
	const struct detector_case *call, uint64_t issuer, unsigned vantage)
{
	unsigned count = 0;

	for (unsigned i = 0; i < cells_services(call->cells); i++) {
		char *block = cells_of_service(call->cells, i);
		struct certificates_of_service *certificates =
			(void *)(block + call->service_offset);
		const struct known_item *item =
			known_find(&certificates->strangers, issuer + vantage);

		count += item && moment_since_us(call->at, item->last) < INTERCEPTED_US;
	}
	return count;
}

/* Of all that meet it at a site, the one that meets it at most services. */
static unsigned most_services_with(const struct detector_case *call,
	const struct testimony *strange, const struct met *met, unsigned site)
{
	unsigned most = 0;

	for (uint32_t i = 0; i < strange->count; i++) {
		const struct testimony_item *item = &strange->items[i];
		unsigned services;

		if (item->key != met->pair || item->source.site != site)
			continue;
		services = services_with(call, met->issuer, item->source.vantage);
		if (services > most)
			most = services;
	}
	return most;
}

/* Whether wherever it is met it stands between people and all that they visit. A gateway
 * or sentinel is not behind a portal. */
static bool is_interception(const struct detector_case *call,
	const struct testimony *strange, const struct met *met)
{
	unsigned many = cells_services(call->cells) < INTERCEPTED_SERVICES
				? INTERCEPTED_OF_FEW
				: INTERCEPTED_SERVICES;

	for (uint32_t i = 0; i < strange->count; i++) {
		const struct testimony_source *source = &strange->items[i].source;

		if (strange->items[i].key == met->pair &&
			(source->weighty || most_services_with(call, strange, met,
						    source->site) < many))
			return false;
	}
	return true;
}

static enum incident_severity severity_of(const struct detector_case *call,
	enum complaint complaint, const struct met *met,
	const struct testimony_weight *weight)
{
	bool sure = weight->vantages >= 2 || weight->rounds >= ROUNDS_TO_SPEAK;

	if (!sure)
		return SEVERITY_INFO;
	if (complaint == OTHER_EDGE ||
		(complaint == ENDING &&
			!ends_within(met, call->rx, ENDS_NOW_US, ENDS_NOW_SHARE)))
		return SEVERITY_WARN;
	return SEVERITY_PAGE;
}

static void write_text(const struct detector_case *call, enum complaint complaint,
	unsigned intercepted, struct finding *finding)
{
	const struct obs_check *check = &call->obs->check;
	char peer[ADDRESS_TEXT], from[MOMENT_TEXT], until[MOMENT_TEXT], also[96] = "";
	char root[80] = "";

	if (intercepted)
		(void)detector_write(also, sizeof(also),
			"; the same issuer at %u services there: a proxy or a portal of "
			"its own",
			intercepted);
	if (check->tls.chain_count > 1)
		(void)detector_write(root, sizeof(root), " below \"%.60s\"",
			check->tls.chain[check->tls.chain_count - 1].subject);
	(void)detector_write(finding->brief, sizeof(finding->brief), "%s%s",
		intercepted ? "certificates are replaced at " : brief_of(complaint),
		intercepted ? call->site : "");
	(void)detector_write(finding->text, sizeof(finding->text),
		"%s: %s shows a key %.16s… of \"%.160s\"%s, valid from %s to %s%s, met "
		"from "
		"%s%s",
		brief_of(complaint), address_text(&check->peer, peer),
		check->tls.spki_sha256, check->tls.issuer, root,
		moment_text(check->tls.not_before, false, from),
		moment_text(check->tls.not_after, false, until),
		check->tls.verified ? "" : ", not verified", call->site, also);
}

static void name_subject(struct finding *finding, uint64_t key)
{
	if (key == ENDING_KEY)
		(void)detector_write(finding->subject, sizeof(finding->subject), "end");
	else
		detector_name_subject(finding, key);
}

static void accuse(const struct detector_case *call, enum complaint complaint,
	const struct met *met, uint64_t key, const struct testimony_weight *weight)
{
	struct finding finding = detector_finding(call, CAUSE_CERTIFICATE);
	const struct certificates_of_service *certificates = detector_of_service(call);
	const struct testimony *strange = &certificates->strange;
	bool intercepted = is_attack(complaint) && is_interception(call, strange, met);

	finding.severity =
		intercepted ? SEVERITY_INFO : severity_of(call, complaint, met, weight);
	finding.security = is_attack(complaint) && !intercepted;
	finding.policy = complaint == FOREIGN_ISSUER && !intercepted;
	finding.since = weight->since;
	finding.effect = finding.security ? 1 : 0;
	name_subject(&finding, key);
	write_text(call, complaint,
		intercepted ? most_services_with(call, strange, met, call->vantage->site)
			    : 0,
		&finding);
	detector_say(call, &finding);
}

static void learn(struct certificates_of_service *certificates, const struct met *met)
{
	struct met *place = find_met(certificates, met->pair);

	if (!place && certificates->met_count < MET)
		place = &certificates->met[certificates->met_count++];
	if (!place) {
		place = &certificates->met[0];
		for (uint32_t i = 1; i < MET; i++)
			if (moment_before(certificates->met[i].last, place->last))
				place = &certificates->met[i];
	}
	*place = *met;
}

/* This probe meets something else at that address now. */
static void acquit(const struct detector_case *call,
	struct certificates_of_service *certificates,
	const struct testimony_source *source, uint64_t met)
{
	for (uint32_t i = certificates->strange.count; i-- > 0;) {
		struct testimony_item *item = &certificates->strange.items[i];
		struct finding subject = {0};
		uint64_t key = item->key;

		if (key == met || !testimony_is_refuted(item, source))
			continue;
		testimony_remove(&certificates->strange, i);
		if (testimony_weigh(&certificates->strange, key).items)
			continue;
		name_subject(&subject, key);
		detector_end(call, CAUSE_CERTIFICATE, "", subject.subject);
	}
}

static bool may_speak(const struct testimony_weight *weight)
{
	return weight->vantages >= 2 || weight->most >= ROUNDS_TO_SPEAK;
}

static void see(struct detector_case *call)
{
	struct certificates_of_service *certificates = detector_of_service(call);
	const struct obs_check *check = &call->obs->check;
	struct testimony_source source = {.vantage = call->vantage->number,
		.site = call->vantage->site,
		.weighty = call->vantage->role != OBS_ENDPOINT,
		.server = address_hash(&check->peer, 0) | 1};
	struct met met = met_of(&check->tls, call->rx);
	struct testimony_weight weight;
	enum complaint complaint;
	uint64_t key;

	if (!check->tls.present || call->vantage->roaming)
		return;
	if (!certificates->first.us)
		certificates->first = call->rx;
	complaint = complain(call, certificates, &met);
	if (complaint == NONE || complaint == RENEWED || complaint == ENDING)
		learn(certificates, &met);
	if (complaint == NONE || complaint == RENEWED) {
		acquit(call, certificates, &source, 0);
		return;
	}
	key = complaint == ENDING ? ENDING_KEY : met.pair;
	(void)testimony_give(&certificates->strange, key, &source, call->at);
	if (is_attack(complaint))
		(void)known_see(&certificates->strangers,
			met.issuer + call->vantage->number, call->at,
			call->vantage->number);
	weight = testimony_weigh(&certificates->strange, key);
	/* An edge that has stood there all day is one of theirs. */
	if (complaint == OTHER_EDGE &&
		moment_since_us(call->rx, weight.since) >= call->settings->learn_names_us)
		learn(certificates, &met);
	if (may_speak(&weight))
		accuse(call, complaint, &met, key, &weight);
	acquit(call, certificates, &source, key);
}

static void keep_service(struct archive *archive, void *state)
{
	struct certificates_of_service *certificates = state;

	archive_count(archive, &certificates->met_count, MET);
	for (uint32_t i = 0; i < certificates->met_count; i++) {
		struct met *met = &certificates->met[i];

		archive_u64(archive, &met->pair);
		archive_u64(archive, &met->issuer);
		archive_u64(archive, &met->spki);
		archive_u64(archive, &met->root);
		archive_moment(archive, &met->last);
		archive_moment(archive, &met->not_before);
		archive_moment(archive, &met->not_after);
	}
	testimony_keep(archive, &certificates->strange);
	known_keep(archive, &certificates->strangers);
	archive_moment(archive, &certificates->first);
}

const struct detector detect_certificate = {
	.name = "certificate",
	.kinds = 1u << OBS_CHECK,
	.service_size = sizeof(struct certificates_of_service),
	.see = see,
	.keep_service = keep_service,
};
