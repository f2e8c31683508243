#include "router_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "astray/status.h"

#define PLACES 512
#define TOKENS 2048
#define RULES 128
#define ASNS 4
#define CODE 4
#define WORD 24
#define SUFFIX 48
#define NAME 256
#define LINE 256

struct site {
	char code[CODE], country[3], city[WORD];
	double latitude, longitude;
};

struct token {
	char table[WORD], text[WORD];
	const struct site *site;
};

struct rule {
	char suffix[SUFFIX], table[WORD];
	unsigned label, piece;
	unsigned asn_count;
	uint32_t asns[ASNS];
};

struct router_names {
	unsigned site_count, token_count, rule_count;
	struct site sites[PLACES];
	struct token tokens[TOKENS];
	struct rule rules[RULES];
};

static const struct site *site_of(const struct router_names *names, const char *code)
{
	for (unsigned i = 0; i < names->site_count; i++)
		if (strcmp(names->sites[i].code, code) == 0)
			return &names->sites[i];
	return NULL;
}

static int add_token(
	struct router_names *names, const char *table, const char *text, const char *code)
{
	struct token *token = &names->tokens[names->token_count];

	if (names->token_count == TOKENS)
		return STATUS_LIMIT;
	token->site = site_of(names, code);
	if (!token->site)
		return STATUS_UNKNOWN;
	(void)snprintf(token->table, sizeof(token->table), "%s", table);
	(void)snprintf(token->text, sizeof(token->text), "%s", text);
	names->token_count++;
	return 0;
}

static int read_place(struct router_names *names, const char *line)
{
	struct site *site = &names->sites[names->site_count];
	char rest;

	if (names->site_count == PLACES)
		return STATUS_LIMIT;
	if (sscanf(line, "place %3s %2s %lf %lf %23s %c", site->code, site->country,
		    &site->latitude, &site->longitude, site->city, &rest) != 5)
		return STATUS_SYNTAX;
	if (site->latitude < -90 || site->latitude > 90 || site->longitude < -180 ||
		site->longitude > 180)
		return STATUS_RANGE;
	for (char *at = site->city; *at; at++)
		if (*at == '-')
			*at = ' ';
	names->site_count++;
	return add_token(names, "iata", site->code, site->code);
}

static int read_token(struct router_names *names, const char *line)
{
	char table[WORD], text[WORD], code[CODE], rest;

	if (sscanf(line, "token %23s %23s %3s %c", table, text, code, &rest) != 3)
		return STATUS_SYNTAX;
	return add_token(names, table, text, code);
}

static int read_asns(struct rule *rule, const char *list)
{
	char *end;

	while (*list) {
		unsigned long asn = strtoul(list, &end, 10);

		if (end == list || asn == 0 || asn > UINT32_MAX ||
			rule->asn_count == ASNS)
			return STATUS_SYNTAX;
		rule->asns[rule->asn_count++] = (uint32_t)asn;
		list = end + strspn(end, " ");
	}
	return rule->asn_count ? 0 : STATUS_MISSING;
}

static int read_rule(struct router_names *names, const char *line)
{
	struct rule *rule = &names->rules[names->rule_count];
	char example[NAME], code[CODE];
	struct place place = {0};
	int end = 0, rc;

	if (names->rule_count == RULES)
		return STATUS_LIMIT;
	if (sscanf(line, "rule %47s %2u %2u %23s %255s %3s %n", rule->suffix,
		    &rule->label, &rule->piece, rule->table, example, code, &end) != 6 ||
		end == 0 || !rule->label || !rule->piece)
		return STATUS_SYNTAX;
	rc = read_asns(rule, line + end);
	if (rc)
		return rc;
	names->rule_count++;
	if (!site_of(names, code) ||
		!router_names_place(names, example, rule->asns[0], &place) ||
		strcmp(place.country, site_of(names, code)->country) != 0 ||
		strcmp(place.city, site_of(names, code)->city) != 0)
		return STATUS_CORRUPT;
	return 0;
}

static int read_text(struct router_names *names, const char *text, const char *input,
	struct fault *fault)
{
	for (unsigned number = 1; *text; number++) {
		size_t len = strcspn(text, "\n");
		char line[LINE] = "";
		int rc = 0;

		if (len < sizeof(line))
			memcpy(line, text, len);
		if (len >= sizeof(line))
			rc = STATUS_LIMIT;
		else if (strncmp(line, "place ", 6) == 0)
			rc = read_place(names, line);
		else if (strncmp(line, "token ", 6) == 0)
			rc = read_token(names, line);
		else if (strncmp(line, "rule ", 5) == 0)
			rc = read_rule(names, line);
		else if (len && line[0] != '#')
			rc = STATUS_UNKNOWN;
		if (rc) {
			if (fault)
				fault->line = number;
			return fault_at(fault, rc, "", "%s: %s", input, status_text(rc));
		}
		text += len + (text[len] == '\n');
	}
	return 0;
}

int router_names_new(struct router_names **out, const char *places, const char *rules,
	struct fault *fault)
{
	struct router_names *names = calloc(1, sizeof(*names));
	int rc;

	*out = NULL;
	if (!names)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	rc = read_text(names, places, "places", fault);
	if (rc == 0)
		rc = read_text(names, rules, "rules", fault);
	if (rc) {
		router_names_free(names);
		return rc;
	}
	*out = names;
	return 0;
}

void router_names_free(struct router_names *names)
{
	free(names);
}

/* Where the label begins that is the number-th before `end`, which is moved to its end;
 * NULL when there are fewer. */
static const char *label_before(const char *name, const char **end, unsigned number)
{
	const char *at = *end;

	for (;;) {
		const char *stop = at;

		while (at > name && at[-1] != '.')
			at--;
		if (--number == 0) {
			*end = stop;
			return at;
		}
		if (at == name)
			return NULL;
		at--;
	}
}

static bool take_token(
	const struct rule *rule, const char *name, size_t before, char token[static WORD])
{
	const char *end = name + before, *at = label_before(name, &end, rule->label);
	size_t len = 0;

	for (unsigned piece = 1; at && piece < rule->piece; piece++) {
		at = memchr(at, '-', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	while (at && at + len < end && isalpha((unsigned char)at[len]))
		len++;
	if (len == 0 || len >= WORD)
		return false;
	memcpy(token, at, len);
	token[len] = '\0';
	return true;
}

static bool is_of_network(const struct rule *rule, uint32_t asn)
{
	for (unsigned i = 0; i < rule->asn_count; i++)
		if (rule->asns[i] == asn)
			return true;
	return asn == 0;
}

static const struct rule *rule_for(
	const struct router_names *names, const char *name, size_t *before)
{
	size_t len = strlen(name);

	for (unsigned i = 0; i < names->rule_count; i++) {
		const struct rule *rule = &names->rules[i];
		size_t suffix = strlen(rule->suffix);

		if (len <= suffix + 1 || name[len - suffix - 1] != '.' ||
			strcasecmp(name + len - suffix, rule->suffix) != 0)
			continue;
		*before = len - suffix - 1;
		return rule;
	}
	return NULL;
}

bool router_names_place(const struct router_names *names, const char *name, uint32_t asn,
	struct place *out)
{
	size_t before;
	const struct rule *rule = rule_for(names, name, &before);
	char token[WORD];

	if (!rule || !is_of_network(rule, asn) || !take_token(rule, name, before, token))
		return false;
	for (unsigned i = 0; i < names->token_count; i++) {
		const struct token *known = &names->tokens[i];

		if (strcmp(known->table, rule->table) != 0 ||
			strcasecmp(known->text, token) != 0)
			continue;
		(void)snprintf(
			out->country, sizeof(out->country), "%s", known->site->country);
		(void)snprintf(out->city, sizeof(out->city), "%s", known->site->city);
		out->located = true;
		out->latitude = known->site->latitude;
		out->longitude = known->site->longitude;
		out->source = PLACE_SOURCE_RDNS;
		return true;
	}
	return false;
}
