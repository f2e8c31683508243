#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "astray/provider_table.h"
#include "astray/suffix.h"

/* Real names, one at least for each row. */
static const struct {
	const char *host, *provider;
} genuine[] = {
	{"ns-1515.awsdns-61.org", "Amazon Route 53"},
	{"ns-42.awsdns-05.com", "Amazon Route 53"},
	{"ns-520.awsdns-01.net", "Amazon Route 53"},
	{"ns-1988.awsdns-56.co.uk", "Amazon Route 53"},
	{"ns1-205.azure-dns.com", "Azure DNS"},
	{"ns4-205.azure-dns.info", "Azure DNS"},
	{"ns-cloud-a1.googledomains.com", "Google Cloud DNS"},
	{"ada.ns.cloudflare.com", "Cloudflare"},
	{"dns1.p01.nsone.net", "NS1"},
	{"a1-67.akam.net", "Akamai"},
	{"pdns1.ultradns.net", "UltraDNS"},
	{"pdns5.ultradns.info", "UltraDNS"},
	{"ns01.domaincontrol.com", "GoDaddy"},
	{"ns1.dnsimple.com", "DNSimple"},
	{"ns4.dnsimple-edge.org", "DNSimple"},
	{"dns2.easydns.net", "easyDNS"},
	{"ns0.dnsmadeeasy.com", "DNS Made Easy"},
	{"ns41.constellix.net", "Constellix"},
	{"ns1045.ui-dns.biz", "IONOS"},
	{"helium.ns.hetzner.de", "Hetzner"},
	{"ns3.inwx.eu", "INWX"},
	{"ns2.desec.org", "deSEC"},
	{"dns10.ovh.net", "OVH"},
	{"ns-1-a.gandi.net", "Gandi"},
	{"dns1.registrar-servers.com", "Namecheap"},
	{"ns1.digitalocean.com", "DigitalOcean"},
	{"ns1.linode.com", "Linode"},
	{"ns1.he.net", "Hurricane Electric"},
	{"ns1.p01.dynect.net", "Oracle Dyn"},
	{"ns1.alidns.com", "Alibaba Cloud"},
	{"ns1.vercel-dns.com", "Vercel"},
	{"ns1.dns.ne.jp", "Sakura"},
	{"01.dnsv.jp", "GMO"},
};

static const char *provider_of(const char *host)
{
	char domain[OBS_NAME];

	assert_int_equal(suffix_registrable(domain, host), 0);
	return provider_table_find(domain);
}

static void every_provider_is_known_by_his_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(genuine) / sizeof(genuine[0]); i++) {
		const char *provider = provider_of(genuine[i].host);

		assert_non_null(provider);
		assert_string_equal(provider, genuine[i].provider);
	}
}

static void what_he_does_not_use_is_not_his(void **state)
{
	(void)state;
	assert_null(provider_of("ns-1515.awsdns-061.org"));
	assert_null(provider_of("ns-1515.awsdns-64.org"));
	assert_null(provider_of("ns-1515.awsdns-6.org"));
	assert_null(provider_of("ns-1515.awsdns-6l.org"));
	assert_null(provider_of("ns-1515.awsdns-61.info"));
	assert_null(provider_of("ns1-205.azure-dns.co"));
	assert_null(provider_of("awsdns-61.example"));
	assert_null(provider_table_find("awsdns-61"));
	assert_null(provider_table_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_provider_is_known_by_his_names),
		cmocka_unit_test(what_he_does_not_use_is_not_his),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
