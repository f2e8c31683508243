#include "astray/provider_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct row {
	const char *name;
	const char *label;    /* before the suffix; each # stands for a digit */
	unsigned number_max;  /* that the digits make */
	const char *suffixes; /* each with a blank behind */
	const char *source;
};

/* Each row has its test: real names of that provider. */
static const struct row rows[] = {
	{"Amazon Route 53", "awsdns-##", 63, "com net org co.uk ",
		"docs.aws.amazon.com/Route53"},
	{"Azure DNS", "azure-dns", 0, "com net org info ",
		"learn.microsoft.com/azure/dns"},
	{"Google Cloud DNS", "googledomains", 0, "com ", "cloud.google.com/dns/docs"},
	{"Cloudflare", "cloudflare", 0, "com ", "developers.cloudflare.com/dns"},
	{"NS1", "nsone", 0, "net ", "ibm.com/docs/ns1-connect"},
	{"Akamai", "akam", 0, "net ", "techdocs.akamai.com/edge-dns"},
	{"UltraDNS", "ultradns", 0, "com net org info biz co.uk ", "docs.ultradns.com"},
	{"GoDaddy", "domaincontrol", 0, "com ", "godaddy.com/help"},
	{"DNSimple", "dnsimple", 0, "com ", "support.dnsimple.com"},
	{"DNSimple", "dnsimple-edge", 0, "net org io ", "support.dnsimple.com"},
	{"easyDNS", "easydns", 0, "com net org info ", "kb.easydns.com"},
	{"DNS Made Easy", "dnsmadeeasy", 0, "com ", "support.dnsmadeeasy.com"},
	{"Constellix", "constellix", 0, "com net ", "support.constellix.com"},
	{"IONOS", "ui-dns", 0, "com de org biz ", "ionos.com/help"},
	{"Hetzner", "hetzner", 0, "com de ", "docs.hetzner.com/dns-console"},
	{"INWX", "inwx", 0, "de eu ", "inwx.com/en/help"},
	{"deSEC", "desec", 0, "io org ", "desec.readthedocs.io"},
	{"OVH", "ovh", 0, "net ", "help.ovhcloud.com"},
	{"Gandi", "gandi", 0, "net ", "docs.gandi.net"},
	{"Namecheap", "registrar-servers", 0, "com ", "namecheap.com/support"},
	{"DigitalOcean", "digitalocean", 0, "com ", "docs.digitalocean.com"},
	{"Linode", "linode", 0, "com ", "techdocs.akamai.com/cloud-computing"},
	{"Hurricane Electric", "he", 0, "net ", "dns.he.net"},
	{"Oracle Dyn", "dynect", 0, "net ", "docs.oracle.com"},
	{"Alibaba Cloud", "alidns", 0, "com ", "alibabacloud.com/help/dns"},
	{"Vercel", "vercel-dns", 0, "com ", "vercel.com/docs"},
	{"Sakura", "dns", 0, "ne.jp ", "help.sakura.ad.jp"},
	{"GMO", "dnsv", 0, "jp ", "onamae.com/guide"},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool matches_label(const struct row *row, const char *label, size_t len)
{
	unsigned number = 0;

	if (strlen(row->label) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (row->label[i] == '#' && is_digit(label[i]))
			number = number * 10 + (unsigned)(label[i] - '0');
		else if (row->label[i] != label[i])
			return false;
	}
	return number <= row->number_max;
}

static bool has_suffix(const struct row *row, const char *suffix)
{
	size_t len = strlen(suffix);

	for (const char *at = row->suffixes; *at; at = strchr(at, ' ') + 1)
		if (strncmp(at, suffix, len) == 0 && at[len] == ' ')
			return true;
	return false;
}

const char *provider_table_find(const char *registrable)
{
	size_t len = strcspn(registrable, ".");

	for (size_t i = 0; registrable[len] && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (matches_label(&rows[i], registrable, len) &&
			has_suffix(&rows[i], registrable + len + 1))
			return rows[i].name;
	return NULL;
}
