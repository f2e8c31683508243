#include "detect_certificate.h"

#include <string.h>
#include <strings.h>

#include "archive.h"
#include "known.h"

#define ROUNDS_TO_SPEAK 2
/* Renewal usually comes with a third of the life left, and a few days of habit. */
#define LIFE_LEFT_AT_RENEWAL .36

struct certificates_of_service {
	struct known keys;      /* of issuer and public key together */
	struct known issuers;   /* alone */
	struct known strangers; /* witnesses: who met it last */
	struct moment first;
	struct moment not_before, not_after; /* of the last known one */
};

enum complaint { NONE, RENEWED, UNVERIFIED, FOREIGN_ISSUER, NEW_ISSUER, EARLY_KEY };

static uint64_t pair_of(const struct obs_certificate *certificate)
{
	return known_key(certificate->issuer) * 31 + known_key(certificate->spki_sha256);
}

static bool is_expected_issuer(const struct service *service, const char *issuer)
{
	for (unsigned i = 0; i < service->expect.issuer_count; i++)
		if (strcasestr(issuer, service->expect.issuers[i]))
			return true;
	return false;
}

static double life_left(
	const struct certificates_of_service *certificates, struct moment now)
{
	double life = (double)moment_since_us(
		certificates->not_after, certificates->not_before);

	return life > 0 ? (double)moment_since_us(certificates->not_after, now) / life
			: 0;
}

static enum complaint complain(
	const struct detector_case *call, struct certificates_of_service *certificates)
{
	const struct obs_certificate *certificate = &call->obs->check.tls;
	const struct service_expect *expect = &call->service->expect;
	bool learnt = moment_since_us(call->rx, certificates->first) >=
		      call->settings->learn_names_us;

	if (expect->issuers_given &&
		!is_expected_issuer(call->service, certificate->issuer))
		return FOREIGN_ISSUER;
	if (!certificate->verified)
		return UNVERIFIED;
	if (call->announced || !learnt ||
		known_find(&certificates->keys, pair_of(certificate)))
		return NONE;
	if (!expect->issuers_given &&
		!known_find(&certificates->issuers, known_key(certificate->issuer)))
		return NEW_ISSUER;
	return life_left(certificates, call->rx) > LIFE_LEFT_AT_RENEWAL ? EARLY_KEY
									: RENEWED;
}

static const char *brief_of(enum complaint complaint)
{
	switch (complaint) {
	case UNVERIFIED:
		return "its certificate does not verify";
	case FOREIGN_ISSUER:
		return "certificate of an issuer that is not expected";
	case NEW_ISSUER:
		return "certificate of an issuer never seen here";
	case EARLY_KEY:
		return "new certificate key long before renewal";
	case NONE:
	case RENEWED:
		break;
	}
	return "certificate renewed";
}

static void accuse(const struct detector_case *call, const struct known_item *stranger,
	enum complaint complaint)
{
	struct finding finding = detector_finding(call, CAUSE_CERTIFICATE);
	const struct obs_check *check = &call->obs->check;
	char peer[ADDRESS_TEXT], from[MOMENT_TEXT];

	finding.severity = SEVERITY_PAGE;
	finding.security = true;
	finding.policy = complaint == FOREIGN_ISSUER;
	finding.since = stranger->first;
	finding.effect = 1;
	detector_name_subject(&finding, stranger->key);
	(void)detector_write(
		finding.brief, sizeof(finding.brief), "%s", brief_of(complaint));
	(void)detector_write(finding.text, sizeof(finding.text),
		"%s: %s shows a key %.16s… of \"%.160s\", valid from %s%s, met from %s",
		brief_of(complaint), address_text(&check->peer, peer),
		check->tls.spki_sha256, check->tls.issuer,
		moment_text(check->tls.not_before, false, from),
		check->tls.verified ? "" : ", not verified", call->site);
	detector_say(call, &finding);
}

static void learn(
	const struct detector_case *call, struct certificates_of_service *certificates)
{
	const struct obs_certificate *certificate = &call->obs->check.tls;

	(void)known_see(&certificates->keys, pair_of(certificate), call->rx,
		call->vantage->number);
	(void)known_see(&certificates->issuers, known_key(certificate->issuer), call->rx,
		call->vantage->number);
	certificates->not_before = certificate->not_before;
	certificates->not_after = certificate->not_after;
}

/* This vantage meets a good one again: it no longer bears witness against any. */
static void acquit(
	const struct detector_case *call, struct certificates_of_service *certificates)
{
	for (uint32_t i = certificates->strangers.count; i-- > 0;) {
		struct known_item *stranger = &certificates->strangers.items[i];
		struct finding subject = {0};

		stranger->witnesses &= ~(UINT64_C(1) << call->vantage->number % 64);
		if (stranger->witnesses)
			continue;
		detector_name_subject(&subject, stranger->key);
		detector_end(call, CAUSE_CERTIFICATE, "", subject.subject);
		known_remove(&certificates->strangers, stranger->key);
	}
}

static void see(struct detector_case *call)
{
	struct certificates_of_service *certificates = detector_of_service(call);
	enum complaint complaint;
	struct known_item *stranger;

	if (!call->obs->check.tls.present || call->vantage->roaming)
		return;
	if (!certificates->first.us)
		certificates->first = call->rx;
	complaint = complain(call, certificates);
	if (complaint == NONE || complaint == RENEWED) {
		learn(call, certificates);
		acquit(call, certificates);
		return;
	}
	stranger = known_see(&certificates->strangers, pair_of(&call->obs->check.tls),
		call->at, call->vantage->number);
	if (__builtin_popcountll(stranger->witnesses) >= 2 ||
		(stranger->times >= ROUNDS_TO_SPEAK &&
			call->vantage->role != OBS_ENDPOINT))
		accuse(call, stranger, complaint);
}

static void keep_service(struct archive *archive, void *state)
{
	struct certificates_of_service *certificates = state;

	known_keep(archive, &certificates->keys);
	known_keep(archive, &certificates->issuers);
	known_keep(archive, &certificates->strangers);
	archive_moment(archive, &certificates->first);
	archive_moment(archive, &certificates->not_before);
	archive_moment(archive, &certificates->not_after);
}

const struct detector detect_certificate = {
	.name = "certificate",
	.kinds = 1u << OBS_CHECK,
	.service_size = sizeof(struct certificates_of_service),
	.see = see,
	.keep_service = keep_service,
};
