#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "astray/lookalike.h"
#include "astray/suffix.h"
#include "obs_maker.h"

#define SETS 20000
#define MUTATIONS_EACH 40
#define SET 4

static const char *const aws_suffixes[SET] = {"com", "net", "org", "co.uk"};

/* One genuine set: four servers, one of each suffix; 512 numbers for each, eight to a
 * zone. */
static void make_aws_set(char set[SET][OBS_NAME], uint64_t *seed)
{
	for (unsigned i = 0; i < SET; i++) {
		unsigned number = (unsigned)obs_maker_below(seed, 512);

		(void)snprintf(set[i], OBS_NAME, "ns-%u.awsdns-%02u.%s", number + 512 * i,
			number / 8, aws_suffixes[i]);
	}
}

static struct lookalike judge_one(const char *name, const char *approved)
{
	static char list[1][OBS_NAME];

	(void)snprintf(list[0], OBS_NAME, "%s", approved);
	return lookalike_judge(name, (const char(*)[OBS_NAME])list, 1);
}

static void expect(const char *name, const char *approved, enum lookalike_kind kind,
	enum lookalike_reason reason)
{
	struct lookalike result = judge_one(name, approved);

	if (result.kind != kind || result.reason != reason)
		fail_msg("%s beside %s is %s (%d)", name, approved,
			lookalike_kind_text(result.kind), result.reason);
}

static void the_pair_of_2020_is_a_lookalike(void **state)
{
	char text[LOOKALIKE_TEXT];
	struct lookalike result;

	(void)state;
	expect("ns-1515.awsdns-061.org", "ns-1515.awsdns-61.org", LOOKALIKE_IMITATES,
		LOOKALIKE_LOOKS_EQUAL);
	result = judge_one("ns-1515.awsdns-061.org", "ns-1515.awsdns-61.org");
	assert_string_equal(lookalike_explain(&result, "ns-1515.awsdns-061.org", text),
		"ns-1515.awsdns-061.org imitates ns-1515.awsdns-61.org: the same to the "
		"eye, "
		"\"061\" stands for \"61\" in awsdns-061.org");
}

static void each_kind_has_its_example(void **state)
{
	const char *own = "ns-1515.awsdns-61.org";

	(void)state;
	expect("NS-1515.AWSDNS-61.org", own, LOOKALIKE_SAME, LOOKALIKE_NO_REASON);
	expect("ns-1514.awsdns-61.org", own, LOOKALIKE_SAME_ZONE, LOOKALIKE_NO_REASON);
	expect("ns-42.awsdns-05.com", own, LOOKALIKE_SAME_PROVIDER, LOOKALIKE_NO_REASON);
	expect("ada.ns.cloudflare.com", own, LOOKALIKE_FOREIGN, LOOKALIKE_NO_REASON);
	expect("ns-1515.awsdns-61.info", own, LOOKALIKE_IMITATES, LOOKALIKE_OTHER_SUFFIX);
	expect("ns-1515.awsdns-6l.org", own, LOOKALIKE_IMITATES, LOOKALIKE_LOOKS_EQUAL);
	expect("ns-1515.AWSDNS-6I.org", own, LOOKALIKE_IMITATES, LOOKALIKE_LOOKS_EQUAL);
	expect("ns-1515.avvsdns-61.org", own, LOOKALIKE_IMITATES, LOOKALIKE_LOOKS_EQUAL);
	expect("ns-1515.awsdns-77.org", own, LOOKALIKE_IMITATES, LOOKALIKE_OTHER_DIGITS);
	expect("ns-1515.awsdsn-61.org", own, LOOKALIKE_IMITATES, LOOKALIKE_NEAR);
	expect("ns-1515.awsdns-61.evil.example", own, LOOKALIKE_IMITATES,
		LOOKALIKE_HOST_LABEL);
	expect("ns1.my-awsdns.example", own, LOOKALIKE_IMITATES, LOOKALIKE_CONTAINS);
}

static void what_a_provider_shares_is_said(void **state)
{
	char text[LOOKALIKE_TEXT];
	struct lookalike result =
		judge_one("zoe.ns.cloudflare.com", "ada.ns.cloudflare.com");

	(void)state;
	assert_int_equal(result.kind, LOOKALIKE_SAME_ZONE);
	assert_string_equal(result.provider, "Cloudflare");
	assert_string_equal(lookalike_explain(&result, "zoe.ns.cloudflare.com", text),
		"zoe.ns.cloudflare.com stands in the same domain as "
		"ada.ns.cloudflare.com, of "
		"Cloudflare, whom customers share: perhaps another customer's");
}

static void the_nearest_approved_name_is_told(void **state)
{
	const char approved[3][OBS_NAME] = {
		"ns-42.awsdns-05.com", "ns-1515.awsdns-61.org", "ns-520.awsdns-01.net"};
	struct lookalike result = lookalike_judge("ns-1515.awsdns-061.org", approved, 3);

	(void)state;
	assert_string_equal(result.approved, approved[1]);
	result = lookalike_judge("ns-521.awsdns-02.net", approved, 3);
	assert_int_equal(result.kind, LOOKALIKE_SAME_PROVIDER);
	assert_string_equal(result.approved, approved[2]);
}

/* Edit distance finds every hundredth pair of these alike. */
static void another_genuine_set_is_never_a_lookalike(void **state)
{
	unsigned kinds[LOOKALIKE_FOREIGN + 1] = {0};
	uint64_t seed = 20200531;

	(void)state;
	for (int i = 0; i < SETS; i++) {
		char own[SET][OBS_NAME], other[SET][OBS_NAME];

		make_aws_set(own, &seed);
		make_aws_set(other, &seed);
		kinds[lookalike_judge(other[obs_maker_below(&seed, SET)],
			(const char(*)[OBS_NAME])own, SET)
				.kind]++;
	}
	assert_int_equal(kinds[LOOKALIKE_IMITATES], 0);
	assert_int_equal(kinds[LOOKALIKE_FOREIGN], 0);
	/* One of 64 zones of that suffix is the set's own. */
	assert_in_range(kinds[LOOKALIKE_SAME_ZONE] + kinds[LOOKALIKE_SAME], 250, 375);
	assert_in_range(kinds[LOOKALIKE_SAME], 0, 80);
}

static const char *const real_names[] = {"ns1.google.com", "ada.ns.cloudflare.com",
	"bob.ns.cloudflare.com", "ns-1515.awsdns-61.org", "ns-520.awsdns-01.net",
	"ns1-205.azure-dns.com", "ns2-205.azure-dns.net", "pdns1.ultradns.net",
	"a1-67.akam.net", "dns1.p01.nsone.net", "ns01.domaincontrol.com",
	"ns1.dnsimple.com", "dns1.easydns.com", "ns0.dnsmadeeasy.com",
	"ns11.constellix.com", "ns41.constellix.net", "ns1045.ui-dns.de",
	"hydrogen.ns.hetzner.com", "ns.inwx.de", "ns1.desec.io", "dns10.ovh.net",
	"ns-1-a.gandi.net", "dns1.registrar-servers.com", "ns1.digitalocean.com",
	"ns1.linode.com", "ns1.he.net", "ns1.p01.dynect.net", "ns1.alidns.com",
	"ns1.vercel-dns.com", "ns1.dns.ne.jp", "01.dnsv.jp", "ns1.xserver.jp",
	"ns0.wikimedia.org", "a.ns.facebook.com", "dns0.iij.ad.jp", "udns1.cscdns.net",
	"ns1.markmonitor.com", "ns1.wordpress.com", "ns11.wixdns.net",
	"ns1.dreamhost.com"};

#define REAL_NAMES (sizeof(real_names) / sizeof(real_names[0]))

static void real_names_do_not_imitate_each_other(void **state)
{
	unsigned kinds[LOOKALIKE_FOREIGN + 1] = {0};

	(void)state;
	assert_int_equal(REAL_NAMES, 40);
	for (size_t i = 0; i < REAL_NAMES; i++)
		for (size_t j = 0; j < REAL_NAMES; j++) {
			struct lookalike result;

			if (i == j)
				continue;
			result = judge_one(real_names[i], real_names[j]);
			kinds[result.kind]++;
			if (result.kind == LOOKALIKE_IMITATES)
				fail_msg("%s imitates %s", real_names[i], real_names[j]);
		}
	assert_int_equal(kinds[LOOKALIKE_SAME_ZONE], 2);     /* Cloudflare's, both ways */
	assert_int_equal(kinds[LOOKALIKE_SAME_PROVIDER], 6); /* AWS, Azure, Constellix */
	assert_int_equal(kinds[LOOKALIKE_FOREIGN], 1560 - 8);
}

/* Forms in which an imitator registers a domain. */
enum mutation {
	HOMOGLYPH,
	OMISSION,
	REPETITION,
	TRANSPOSITION,
	BIT_FLIP,
	HYPHEN,
	ZERO_PAD,
	EXTRA_DIGIT,
	OTHER_SUFFIX,
	AFFIX,
	HOST_LABEL,
	MUTATIONS
};

static const char *const homoglyphs[][2] = {{"o", "0"}, {"l", "1"}, {"i", "1"},
	{"i", "l"}, {"m", "rn"}, {"w", "vv"}, {"d", "cl"}, {"s", "5"}, {"0", "o"},
	{"1", "l"}, {"5", "s"}};

static bool is_host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool swap_homoglyph(char *label, uint64_t *seed)
{
	size_t first = obs_maker_below(seed, sizeof(homoglyphs) / sizeof(homoglyphs[0]));

	for (size_t i = 0; i < sizeof(homoglyphs) / sizeof(homoglyphs[0]); i++) {
		const char *const *pair =
			homoglyphs[(first + i) %
				   (sizeof(homoglyphs) / sizeof(homoglyphs[0]))];
		char *at = strstr(label, pair[0]);
		size_t old_len = strlen(pair[0]), new_len = strlen(pair[1]);

		if (!at)
			continue;
		memmove(at + new_len, at + old_len, strlen(at + old_len) + 1);
		memcpy(at, pair[1], new_len);
		return true;
	}
	return false;
}

static void insert(char *label, size_t at, char c)
{
	memmove(label + at + 1, label + at, strlen(label + at) + 1);
	label[at] = c;
}

static bool pad_number(char *label)
{
	char *digit = strpbrk(label, "0123456789");

	if (digit)
		insert(label, (size_t)(digit - label), '0');
	return digit;
}

/* Changes the label or the suffix; false where that form is not possible. */
static bool mutate(enum mutation mutation, char *label, char *suffix, uint64_t *seed)
{
	static const char *const others[] = {"com", "net", "org", "info", "co.jp", "io"};
	static const char *const affixes[] = {
		"my-", "dns", "-ns", "1", "-backup", "secure"};
	size_t len = strlen(label), at = obs_maker_below(seed, len);
	char copy[OBS_NAME];

	switch (mutation) {
	case HOMOGLYPH:
		return swap_homoglyph(label, seed);
	case OMISSION:
		memmove(label + at, label + at + 1, len - at);
		return true;
	case REPETITION:
		insert(label, at, label[at]);
		return true;
	case TRANSPOSITION:
		if (at + 1 == len || label[at] == label[at + 1])
			return false;
		copy[0] = label[at];
		label[at] = label[at + 1];
		label[at + 1] = copy[0];
		return true;
	case BIT_FLIP:
		label[at] = (char)(label[at] ^ 1 << obs_maker_below(seed, 5));
		return is_host_char(label[at]);
	case HYPHEN:
		insert(label, at, '-');
		return at > 0;
	case ZERO_PAD:
		return pad_number(label);
	case EXTRA_DIGIT:
		insert(label, len, (char)('0' + obs_maker_below(seed, 10)));
		return true;
	case OTHER_SUFFIX:
		(void)snprintf(suffix, OBS_NAME, "%s", others[obs_maker_below(seed, 6)]);
		return true;
	case AFFIX:
		(void)snprintf(copy, sizeof(copy), "%s", label);
		if (obs_maker_coin(seed))
			(void)snprintf(label, OBS_NAME, "%s%s",
				affixes[obs_maker_below(seed, 6)], copy);
		else
			(void)snprintf(label, OBS_NAME, "%s%s", copy,
				affixes[obs_maker_below(seed, 6)]);
		return true;
	case HOST_LABEL:
		(void)snprintf(label + len, OBS_NAME - len, ".evil");
		return true;
	case MUTATIONS:
		break;
	}
	return false;
}

static bool is_possible_label(const char *label)
{
	return label[0] && label[0] != '-' && label[strlen(label) - 1] != '-';
}

struct tally {
	unsigned imitates, same_provider, missed_short;
};

static void try_mutation(
	struct tally *tally, const char *name, enum mutation mutation, uint64_t *seed)
{
	char domain[OBS_NAME], label[2 * OBS_NAME], suffix[OBS_NAME],
		mutant[4 * OBS_NAME];
	char registrable[OBS_NAME];
	struct lookalike result;
	size_t host_len, label_len;

	assert_int_equal(suffix_registrable(domain, name), 0);
	host_len = strlen(name) - strlen(domain);
	label_len = strcspn(domain, ".");
	(void)snprintf(label, sizeof(label), "%.*s", (int)label_len, domain);
	(void)snprintf(suffix, sizeof(suffix), "%s", domain + label_len + 1);
	if (!mutate(mutation, label, suffix, seed) || !is_possible_label(label))
		return;
	(void)snprintf(
		mutant, sizeof(mutant), "%.*s%s.%s", (int)host_len, name, label, suffix);
	if (suffix_registrable(registrable, mutant) || strcmp(registrable, domain) == 0)
		return;
	result = judge_one(mutant, name);
	if (result.kind == LOOKALIKE_IMITATES)
		tally->imitates++;
	else if (result.kind == LOOKALIKE_SAME_PROVIDER)
		tally->same_provider++;
	else if (mutation == AFFIX && label_len == 4)
		tally->missed_short++;
	else
		fail_msg("%s is %s beside %s", mutant, lookalike_kind_text(result.kind),
			name);
}

static void nearly_every_imitation_is_seen(void **state)
{
	struct tally tally = {0};
	uint64_t seed = 1515;

	(void)state;
	for (size_t i = 0; i < REAL_NAMES; i++) {
		char domain[OBS_NAME];

		/* Nothing can be said of words of two or three letters. */
		assert_int_equal(suffix_registrable(domain, real_names[i]), 0);
		if (strcspn(domain, ".") < 4)
			continue;
		for (enum mutation mutation = 0; mutation < MUTATIONS; mutation++)
			for (int n = 0; n < MUTATIONS_EACH; n++)
				try_mutation(&tally, real_names[i], mutation, &seed);
	}
	print_message("%u lookalikes, %u same-provider, %u of short labels missed\n",
		tally.imitates, tally.same_provider, tally.missed_short);
	assert_true(tally.imitates > 10000);
	assert_true(tally.same_provider < tally.imitates / 20);
	assert_true(tally.missed_short < tally.imitates / 50);
}

static void names_without_sense_are_foreign(void **state)
{
	char long_name[OBS_NAME];

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	expect("", "ns1.example.com", LOOKALIKE_FOREIGN, LOOKALIKE_NO_REASON);
	expect(long_name, "ns1.example.com", LOOKALIKE_FOREIGN, LOOKALIKE_NO_REASON);
	expect("co.uk", "ns1.example.com", LOOKALIKE_FOREIGN, LOOKALIKE_NO_REASON);
	assert_int_equal(
		lookalike_judge("ns1.example.com", NULL, 0).kind, LOOKALIKE_FOREIGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pair_of_2020_is_a_lookalike),
		cmocka_unit_test(each_kind_has_its_example),
		cmocka_unit_test(what_a_provider_shares_is_said),
		cmocka_unit_test(the_nearest_approved_name_is_told),
		cmocka_unit_test(another_genuine_set_is_never_a_lookalike),
		cmocka_unit_test(real_names_do_not_imitate_each_other),
		cmocka_unit_test(nearly_every_imitation_is_seen),
		cmocka_unit_test(names_without_sense_are_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
