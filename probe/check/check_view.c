#include "check_view.h"

#include <inttypes.h>

#include "printable.h"

static void print_phase(FILE *out, const char *name, int64_t us)
{
	if (us != OBS_ABSENT)
		(void)fprintf(out, "  %-12s %10.3f ms\n", name, (double)us / 1000);
}

static void print_result(FILE *out, const struct obs_check *check)
{
	char text[OBS_TEXT];

	printable_copy(text, sizeof(text), check->error_text);
	if (check->error != OBS_CHECK_OK)
		(void)fprintf(out, "  %-12s %s: %s\n", "FAILED",
			obs_check_error_text(check->error), text);
	else
		(void)fprintf(out, "  %-12s %" PRId64 "\n", "status", check->status);
}

static void print_text(FILE *out, const char *name, const char *value)
{
	char text[OBS_TEXT];

	printable_copy(text, sizeof(text), value);
	if (*text)
		(void)fprintf(out, "  %-12s %s\n", name, text);
}

static void print_validity(
	FILE *out, const struct obs_certificate *certificate, struct moment now)
{
	char from[MOMENT_TEXT], until[MOMENT_TEXT], span[MOMENT_TEXT];
	int64_t left_us = moment_since_us(certificate->not_after, now);

	if (certificate->not_before.us == 0 || certificate->not_after.us == 0)
		return;
	(void)fprintf(out, "  %-12s %s to %s, ", "valid",
		moment_text(certificate->not_before, false, from),
		moment_text(certificate->not_after, false, until));
	if (left_us > 0)
		(void)fprintf(out, "%s left\n", moment_span_text(left_us, span));
	else
		(void)fprintf(out, "ended %s ago\n", moment_span_text(-left_us, span));
}

static void print_names(FILE *out, const struct obs_certificate *certificate)
{
	for (unsigned i = 0; i < certificate->name_count; i++)
		print_text(out, i ? "" : "names", certificate->names[i]);
	if (certificate->names_in_all > certificate->name_count)
		(void)fprintf(out, "  %-12s %" PRId64 " more\n",
			certificate->name_count ? "" : "names",
			certificate->names_in_all - certificate->name_count);
}

static void print_chain(FILE *out, const struct obs_certificate *certificate)
{
	char subject[OBS_NAME];

	for (unsigned i = 0; i < certificate->chain_count; i++) {
		const struct obs_voucher *voucher = &certificate->chain[i];

		printable_copy(subject, sizeof(subject), voucher->subject);
		(void)fprintf(out, "  %-12s %s, key %.16s\n", i ? "" : "chain", subject,
			voucher->spki_sha256);
	}
}

static void print_certificate(
	FILE *out, const struct obs_certificate *certificate, struct moment now)
{
	if (!certificate->present)
		return;
	(void)fprintf(out, "  %-12s %s\n", "certificate",
		certificate->verified ? "verified" : "NOT VERIFIED");
	print_text(out, "protocol", certificate->version);
	print_text(out, "subject", certificate->subject);
	print_text(out, "issuer", certificate->issuer);
	print_validity(out, certificate, now);
	print_text(out, "key sha256", certificate->spki_sha256);
	print_chain(out, certificate);
	print_names(out, certificate);
}

void check_view_print(FILE *out, const struct obs_check *check, struct moment now)
{
	char url[OBS_TEXT], peer[ADDRESS_TEXT];

	printable_copy(url, sizeof(url), check->url);
	(void)fputs(url, out);
	if (check->peer.family)
		(void)fprintf(out, " at %s", address_text(&check->peer, peer));
	(void)fputc('\n', out);
	print_phase(out, "name", check->dns_us);
	print_phase(out, "connect", check->connect_us);
	print_phase(out, "TLS", check->tls_us);
	print_phase(out, "first byte", check->first_byte_us);
	print_phase(out, "in all", check->total_us);
	print_result(out, check);
	print_certificate(out, &check->tls, now);
}
