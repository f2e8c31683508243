#include "lab_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include "astray/conf.h"
#include "astray/status.h"

#define PREFIXES 4096
#define REMEMBERED 4096 /* a power of two */
#define PATHS 4096
#define LONGEST_US 60e6

struct owner {
	struct lab_prefix prefix;
	int host;
};

struct entry {
	int from;
	struct lab_prefix to;
	struct lab_path *path;
};

/* A way that was found before; every command makes all of them forgotten. */
struct remembered {
	unsigned edition;
	int from;
	struct address source, destination;
	bool found;
	struct lab_way way;
};

struct lab_program {
	unsigned edition; /* of the program: how often it was changed */
	unsigned host_count, owner_count, path_count;
	struct lab_host hosts[LAB_HOSTS];
	struct owner owners[PREFIXES];
	struct entry paths[PATHS];
	struct remembered remembered[REMEMBERED];
};

struct lab_program *lab_program_new(void)
{
	return calloc(1, sizeof(struct lab_program));
}

void lab_program_free(struct lab_program *program)
{
	if (!program)
		return;
	for (unsigned i = 0; i < program->path_count; i++)
		lab_path_free(program->paths[i].path);
	free(program);
}

const struct lab_host *lab_program_host(const struct lab_program *program, int host)
{
	return &program->hosts[host];
}

static int find_host(const struct lab_program *program, const char *name)
{
	for (unsigned i = 0; i < program->host_count; i++)
		if (!strcmp(program->hosts[i].name, name))
			return (int)i;
	return -1;
}

static int read_prefix(struct lab_prefix *out, const char *text)
{
	char address[CONF_TEXT_MAX];
	const char *slash = strchr(text, '/');
	unsigned most;

	(void)snprintf(address, sizeof(address), "%.*s",
		slash ? (int)(slash - text) : (int)strlen(text), text);
	if (address_parse(&out->address, address) < 0)
		return STATUS_SYNTAX;
	most = out->address.family == 4 ? 32 : 128;
	out->bits = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : most;
	return out->bits <= most ? 0 : STATUS_RANGE;
}

static bool covers(const struct lab_prefix *prefix, const struct address *address)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (prefix->address.family != address->family ||
		memcmp(prefix->address.bytes, address->bytes, whole))
		return false;
	return !rest ||
	       !((prefix->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest));
}

static bool same_prefix(const struct lab_prefix *a, const struct lab_prefix *b)
{
	return a->bits == b->bits && address_equal(&a->address, &b->address);
}

struct host_words {
	char name[LAB_NAME], namespace[LAB_FILE], device[16], what[16];
	struct conf_texts addresses;
	bool listens, silent;
};

static const struct conf_option host_options[] = {
	{"do", CONF_TEXT, offsetof(struct host_words, what), 16, 0, 0, NULL, ""},
	{"name", CONF_TEXT, offsetof(struct host_words, name), LAB_NAME, 0, 0, NULL, ""},
	{"namespace", CONF_TEXT, offsetof(struct host_words, namespace), LAB_FILE, 0, 0,
		"\"\"", ""},
	{"device", CONF_TEXT, offsetof(struct host_words, device), 16, 0, 0, "\"net0\"",
		""},
	{"addresses", CONF_TEXTS, offsetof(struct host_words, addresses), 0, 0,
		CONF_TEXTS_MAX, "[]", ""},
	{"listens", CONF_BOOL, offsetof(struct host_words, listens), 0, 0, 0, "false",
		""},
	{"silent", CONF_BOOL, offsetof(struct host_words, silent), 0, 0, 0, "false", ""},
	{0},
};

int lab_program_add_host(
	struct lab_program *program, const struct json_doc *doc, struct fault *fault)
{
	struct host_words words = {0};
	struct lab_host *host = &program->hosts[program->host_count];
	int rc = conf_read(&words, host_options, doc, json_root(doc), "", fault);

	program->edition++;
	if (rc < 0)
		return rc;
	if (program->host_count == LAB_HOSTS ||
		program->owner_count + words.addresses.count > PREFIXES)
		return fault_at(
			fault, STATUS_LIMIT, "name", "too many hosts or addresses");
	if (find_host(program, words.name) >= 0)
		return fault_at(fault, STATUS_DUPLICATE, "name", "%s is there already",
			words.name);
	for (unsigned i = 0; i < words.addresses.count; i++) {
		struct owner *owner = &program->owners[program->owner_count + i];

		owner->host = (int)program->host_count;
		if (read_prefix(&owner->prefix, words.addresses.text[i]) < 0)
			return fault_at(fault, STATUS_SYNTAX, "addresses",
				"%s is no prefix", words.addresses.text[i]);
	}
	program->owner_count += words.addresses.count;
	memcpy(host->name, words.name, sizeof(host->name));
	memcpy(host->namespace, words.namespace, sizeof(host->namespace));
	memcpy(host->device, words.device, sizeof(host->device));
	host->listens = words.listens;
	host->silent = words.silent;
	return (int)program->host_count++;
}

struct path_words {
	char what[16], from[LAB_NAME], to[LAB_FILE];
	struct conf_texts forgers;
	const struct json *routes;
	struct lab_path path;
};

#define IN(member) offsetof(struct path_words, member)
static const struct conf_option path_options[] = {
	{"do", CONF_TEXT, IN(what), 16, 0, 0, NULL, ""},
	{"from", CONF_TEXT, IN(from), LAB_NAME, 0, 0, NULL, ""},
	{"to", CONF_TEXT, IN(to), LAB_FILE, 0, 0, NULL, ""},
	{"rtt_us", CONF_INT, IN(path.rtt_us), 0, 0, LONGEST_US, "0", ""},
	{"jitter_us", CONF_INT, IN(path.jitter_us), 0, 0, LONGEST_US, "0", ""},
	{"loss", CONF_NUMBER, IN(path.loss), 0, 0, 1, "0", ""},
	{"balance_packets", CONF_BOOL, IN(path.balance_packets), 0, 0, 0, "false", ""},
	{"reorders", CONF_BOOL, IN(path.reorders), 0, 0, 0, "false", ""},
	{"loops_to", CONF_INT, IN(path.loops_to), 0, 0, LAB_HOPS, "0", ""},
	{"forgers", CONF_TEXTS, IN(forgers), 0, 0, 2, "[]", ""},
	{"routes", CONF_VALUE, IN(routes), 0, 0, 0, NULL, ""},
	{0},
};
#undef IN

struct hop_words {
	struct conf_texts addresses, nat;
	const struct json *labels;
	int64_t quote;
	struct lab_hop hop;
};

#define IN(member) offsetof(struct hop_words, member)
static const struct conf_option hop_options[] = {
	{"addresses", CONF_TEXTS, IN(addresses), 0, 0, CONF_TEXTS_MAX, "[]", ""},
	{"rtt_us", CONF_INT, IN(hop.rtt_us), 0, 0, LONGEST_US, NULL, ""},
	{"jitter_us", CONF_INT, IN(hop.jitter_us), 0, 0, LONGEST_US, "0", ""},
	{"silent", CONF_BOOL, IN(hop.silent), 0, 0, 0, "false", ""},
	{"loss", CONF_NUMBER, IN(hop.loss), 0, 0, 1, "0", ""},
	{"answer_loss", CONF_NUMBER, IN(hop.answer_loss), 0, 0, 1, "0", ""},
	{"answers_per_s", CONF_NUMBER, IN(hop.answers_per_s), 0, 0, 1e6, "0", ""},
	{"burst", CONF_NUMBER, IN(hop.burst), 0, 1, 1e6, "1", ""},
	{"refuses4", CONF_INT, IN(hop.refusals[0]), 0, -1, 255, "-1", ""},
	{"refuses6", CONF_INT, IN(hop.refusals[1]), 0, -1, 255, "-1", ""},
	{"mtu", CONF_INT, IN(hop.mtu), 0, 0, 65535, "0", ""},
	{"nat", CONF_TEXTS, IN(nat), 0, 0, 2, "[]", ""},
	{"tos", CONF_INT, IN(hop.tos), 0, -1, 255, "-1", ""},
	{"quoted_ttl", CONF_INT, IN(hop.quoted_ttl), 0, -1, 255, "-1", ""},
	{"quote", CONF_INT, IN(quote), 0, 0, 1232, "0", ""},
	{"labels", CONF_VALUE, IN(labels), 0, 0, 0, NULL, ""},
	{"bare_extension", CONF_BOOL, IN(hop.error.bare_extension), 0, 0, 0, "false", ""},
	{0},
};
#undef IN

static int add_router(struct lab_hop *hop, const char *text)
{
	struct address address;
	unsigned family;

	if (address_parse(&address, text) < 0)
		return STATUS_SYNTAX;
	family = address.family == 6;
	if (hop->way_counts[family] == LAB_WAYS)
		return STATUS_LIMIT;
	hop->ways[family][hop->way_counts[family]++] =
		(struct lab_router){.address = address, .budget = hop->burst};
	return 0;
}

static int add_nat(struct lab_hop *hop, const char *text)
{
	struct address address;

	if (address_parse(&address, text) < 0)
		return STATUS_SYNTAX;
	hop->nat[address.family == 6] = address;
	return 0;
}

static int add_labels(struct lab_error *error, const struct json *labels)
{
	for (const struct json *at = json_first(labels); at; at = json_next(at)) {
		int64_t label;

		if (error->label_count == LAB_LABELS || !json_as_int(at, &label) ||
			label < 0 || label >= 1 << 20)
			return STATUS_RANGE;
		error->labels[error->label_count++] = (uint32_t)label;
	}
	return 0;
}

static int each(struct lab_hop *hop, const struct conf_texts *texts,
	int (*add)(struct lab_hop *hop, const char *text))
{
	int rc = 0;

	for (unsigned i = 0; i < texts->count && rc >= 0; i++)
		rc = add(hop, texts->text[i]);
	return rc;
}

static int read_hop(struct lab_hop *out, const struct json_doc *doc,
	const struct json *value, struct fault *fault)
{
	struct hop_words *words = calloc(1, sizeof(*words));
	int rc = -ENOMEM;

	if (!words)
		return rc;
	rc = conf_read(words, hop_options, doc, value, "routes[][]", fault);
	if (rc < 0)
		goto fail;
	if ((rc = each(&words->hop, &words->addresses, add_router)) < 0 ||
		(rc = each(&words->hop, &words->nat, add_nat)) < 0) {
		fault_at(fault, rc, "routes[][]", "addresses and nat hold addresses");
		goto fail;
	}
	if ((rc = add_labels(&words->hop.error, words->labels)) < 0) {
		fault_at(
			fault, rc, "labels", "at most %d numbers below 2^20", LAB_LABELS);
		goto fail;
	}
	words->hop.error.quote = (size_t)words->quote;
	*out = words->hop;
fail:
	free(words);
	return rc;
}

static bool rewrites(const struct lab_hop *hop)
{
	return hop->nat[0].family || hop->nat[1].family || hop->tos >= 0;
}

static int read_route(struct lab_path *path, const struct json_doc *doc,
	const struct json *hops, struct fault *fault)
{
	struct lab_route *route = &path->routes[path->route_count];
	size_t count = json_count(hops);

	if (path->route_count == LAB_ROUTES || json_type(hops) != JSON_ARRAY ||
		count > LAB_HOPS)
		return fault_at(fault, STATUS_RANGE, "routes",
			"at most %d lists of at most %d hops", LAB_ROUTES, LAB_HOPS);
	route->hops = calloc(count ? count : 1, sizeof(*route->hops));
	if (!route->hops)
		return -ENOMEM;
	path->route_count++;
	for (const struct json *at = json_first(hops); at; at = json_next(at)) {
		int rc = read_hop(&route->hops[route->hop_count], doc, at, fault);

		if (rc < 0)
			return rc;
		path->rewrites |= rewrites(&route->hops[route->hop_count++]);
	}
	return 0;
}

static int read_routes(struct lab_path *path, const struct json_doc *doc,
	const struct json *routes, struct fault *fault)
{
	for (const struct json *at = json_first(routes); at; at = json_next(at)) {
		int rc = read_route(path, doc, at, fault);

		if (rc < 0)
			return rc;
	}
	if (!path->route_count)
		return fault_at(fault, STATUS_MISSING, "routes",
			"a path needs one, even without hops");
	return 0;
}

static int read_forgers(
	struct lab_path *path, const struct conf_texts *texts, struct fault *fault)
{
	for (unsigned i = 0; i < texts->count; i++) {
		struct address address;

		if (address_parse(&address, texts->text[i]) < 0)
			return fault_at(
				fault, STATUS_SYNTAX, "forgers", "%s", texts->text[i]);
		path->forgers[address.family == 6] = address;
		path->forges = true;
	}
	return 0;
}

static struct entry *find_path(
	struct lab_program *program, int from, const struct lab_prefix *to)
{
	for (unsigned i = 0; i < program->path_count; i++) {
		struct entry *entry = &program->paths[i];

		if (entry->from == from && same_prefix(&entry->to, to))
			return entry;
	}
	return NULL;
}

static int read_ends(const struct lab_program *program, const struct path_words *words,
	struct entry *out, struct fault *fault)
{
	out->from = find_host(program, words->from);
	if (out->from < 0)
		return fault_at(fault, STATUS_UNKNOWN, "from", "no host %s", words->from);
	if (read_prefix(&out->to, words->to) < 0)
		return fault_at(fault, STATUS_SYNTAX, "to", "%s is no prefix", words->to);
	return 0;
}

static int put_path(
	struct lab_program *program, const struct entry *entry, struct fault *fault)
{
	struct entry *there = find_path(program, entry->from, &entry->to);

	program->edition++;
	if (there) {
		lab_path_free(there->path);
		*there = *entry;
		return 0;
	}
	if (program->path_count == PATHS)
		return fault_at(fault, STATUS_LIMIT, "to", "at most %d paths", PATHS);
	program->paths[program->path_count++] = *entry;
	return 0;
}

int lab_program_set_path(
	struct lab_program *program, const struct json_doc *doc, struct fault *fault)
{
	struct path_words *words = calloc(1, sizeof(*words));
	struct entry entry = {.path = calloc(1, sizeof(*entry.path))};
	int rc = -ENOMEM;

	if (!words || !entry.path)
		goto fail;
	if ((rc = conf_read(words, path_options, doc, json_root(doc), "", fault)) < 0 ||
		(rc = read_ends(program, words, &entry, fault)) < 0)
		goto fail;
	*entry.path = words->path;
	if ((rc = read_forgers(entry.path, &words->forgers, fault)) < 0 ||
		(rc = read_routes(entry.path, doc, words->routes, fault)) < 0 ||
		(rc = put_path(program, &entry, fault)) < 0)
		goto fail;
	free(words);
	return 0;

fail:
	lab_path_free(entry.path);
	free(words);
	return rc;
}

int lab_program_drop_path(
	struct lab_program *program, const struct json_doc *doc, struct fault *fault)
{
	struct path_words *words = calloc(1, sizeof(*words));
	struct entry entry, *there;
	int rc = -ENOMEM;

	if (!words)
		return rc;
	rc = conf_read(words, path_options, doc, json_root(doc), "", fault);
	if (rc >= 0)
		rc = read_ends(program, words, &entry, fault);
	free(words);
	if (rc < 0)
		return rc;
	there = find_path(program, entry.from, &entry.to);
	if (!there)
		return fault_at(fault, STATUS_UNKNOWN, "to", "there is no such path");
	program->edition++;
	lab_path_free(there->path);
	*there = program->paths[--program->path_count];
	return 0;
}

static int owner_of(const struct lab_program *program, const struct address *address)
{
	int host = -1;
	unsigned best = 0;

	for (unsigned i = 0; i < program->owner_count; i++) {
		const struct owner *owner = &program->owners[i];

		if (owner->prefix.bits >= best && covers(&owner->prefix, address)) {
			best = owner->prefix.bits;
			host = owner->host;
		}
	}
	return host;
}

static struct lab_path *nearest_path(
	const struct lab_program *program, int from, const struct address *to)
{
	const struct entry *best = NULL;

	for (unsigned i = 0; i < program->path_count; i++) {
		const struct entry *entry = &program->paths[i];

		if (entry->from == from && (!best || entry->to.bits > best->to.bits) &&
			covers(&entry->to, to))
			best = entry;
	}
	return best ? best->path : NULL;
}

static bool find_way(const struct lab_program *program, int from,
	const struct lab_packet *packet, struct lab_way *out)
{
	out->to = owner_of(program, &packet->to);
	if (out->to < 0)
		return false;
	out->back = false;
	out->path = nearest_path(program, from, &packet->to);
	if (out->path)
		return true;
	out->back = true;
	out->path = nearest_path(program, out->to, &packet->from);
	return out->path;
}

bool lab_program_way(struct lab_program *program, int from,
	const struct lab_packet *packet, struct lab_way *out)
{
	uint64_t hash =
		address_hash(&packet->to, address_hash(&packet->from, (uint64_t)from));
	struct remembered *there = &program->remembered[hash & (REMEMBERED - 1)];

	if (there->edition != program->edition || there->from != from ||
		!address_equal(&there->source, &packet->from) ||
		!address_equal(&there->destination, &packet->to)) {
		*there = (struct remembered){.edition = program->edition,
			.from = from,
			.source = packet->from,
			.destination = packet->to};
		there->found = find_way(program, from, packet, &there->way);
	}
	*out = there->way;
	return there->found;
}
