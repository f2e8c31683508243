#include "first_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "astray/json.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "authority.h"
#include "batch_text.h"

#define PATH_TEXT 600
#define YEAR_US (365 * MOMENT_DAY_US)
#define AUTHORITY_YEARS 10
#define FOLDER_MODE 0750
#define KEY_MODE_SHARED 0640

static const char *path_of(const char *folder, const char *stem, const char *ending,
	char buf[static PATH_TEXT])
{
	(void)snprintf(buf, PATH_TEXT, "%s/%s%s", folder, stem, ending);
	return buf;
}

bool first_files_exist(const char *folder)
{
	char path[PATH_TEXT];

	return access(path_of(folder, "ca", "-key.pem", path), F_OK) == 0;
}

static int write_text(const char *path, const char *text, struct fault *fault)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool failed;

	if (!out) {
		int rc = fault_at(fault, -errno, "", "%s: %s", path, strerror(errno));

		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	failed = fputs(text, out) < 0;
	if (fclose(out) || failed)
		return fault_at(fault, -EIO, "", "%s: cannot be written", path);
	return 0;
}

static int share(const struct first_files_order *order, const char *path, mode_t mode,
	struct fault *fault)
{
	if (chown(path, (uid_t)-1, order->group) || chmod(path, mode))
		return fault_at(fault, -errno, "", "%s: %s", path, strerror(errno));
	return 0;
}

static int share_all(const struct first_files_order *order, struct fault *fault)
{
	char path[PATH_TEXT];
	int rc = share(order, order->folder, FOLDER_MODE, fault);

	if (rc == 0)
		rc = share(order, path_of(order->folder, "server", "-key.pem", path),
			KEY_MODE_SHARED, fault);
	return rc ? rc
		  : share(order, path_of(order->folder, "collector", ".json", path),
			    KEY_MODE_SHARED, fault);
}

/* Written as text, because comments are half of what a first configuration is for; `%`
 * stands for the folder. Names were checked: nothing in them needs quoting. */
static const char collector_text[] =
	"// A first configuration. astray-collector check-config --help tells of every "
	"key.\n"
	"{\n"
	"  \"listen\": \"%2$s\",  // for probes\n"
	"  \"tls\": {\n"
	"    \"certificate\": \"%1$s/server.pem\",\n"
	"    \"key\": \"%1$s/server-key.pem\",\n"
	"    \"client_ca\": \"%1$s/ca.pem\"  // whose certificates probes show\n"
	"  },\n"
	"  \"data\": \"%3$s\",\n"
	"  \"web\": {\"listen\": \"127.0.0.1:8080\"},  // dashboard, API and /metrics\n"
	"  \"services\": [\n"
	"    // {\"name\": \"exchange\", \"hosts\": [\"exchange.example\"], \"url\": "
	"\"https://exchange.example/\",\n"
	"    //  \"zone\": \"exchange.example\", \"expect\": {\"countries\": [\"JP\"]}}\n"
	"  ],\n"
	"  \"assignment\": {\n"
	"    \"endpoint\": {\"sources\": {\"trace\": {}, \"check\": {}}}\n"
	"  },\n"
	"  \"notify\": [\n"
	"    // {\"name\": \"oncall\", \"kind\": \"webhook\", \"url\": "
	"\"https://example.org/hook\"}\n"
	"  ]\n"
	"}\n";

static const char probe_text[] = "// For astray-probe run --config %3$s.json; copy it "
				 "with ca.pem, %3$s.pem and %3$s-key.pem.\n"
				 "{\n"
				 "  \"probe\": \"%3$s\",\n"
				 "  \"role\": \"endpoint\",\n"
				 "  \"collector\": {\n"
				 "    \"url\": \"https://%2$s\",\n"
				 "    \"ca\": \"%1$s/ca.pem\",\n"
				 "    \"certificate\": \"%1$s/%3$s.pem\",\n"
				 "    \"key\": \"%1$s/%3$s-key.pem\"\n"
				 "  },\n"
				 "  \"spool\": {\"directory\": \"%1$s/spool-%3$s\"}\n"
				 "}\n";

static int write_collector(const struct first_files_order *order, struct fault *fault)
{
	char path[PATH_TEXT], *text = NULL;
	int rc;

	if (asprintf(&text, collector_text, order->folder, order->listen, order->data) <
		0)
		return fault_at(fault, -ENOMEM, "", "no memory");
	rc = write_text(path_of(order->folder, "collector", ".json", path), text, fault);
	free(text);
	return rc;
}

static int write_probe(
	const struct first_files_order *order, const char *name, struct fault *fault)
{
	char path[PATH_TEXT], *text = NULL, at[PATH_TEXT];
	int rc;

	(void)snprintf(at, sizeof(at), "%s%s", order->host, strrchr(order->listen, ':'));
	if (asprintf(&text, probe_text, order->folder, at, name) < 0)
		return fault_at(fault, -ENOMEM, "", "no memory");
	rc = write_text(path_of(order->folder, name, ".json", path), text, fault);
	free(text);
	return rc;
}

static int issue(struct authority *authority, const struct first_files_order *order,
	const char *stem, const char *name, const char *const *hosts, struct fault *fault)
{
	char certificate[PATH_TEXT], key[PATH_TEXT];
	const struct authority_files files = {
		.certificate = path_of(order->folder, stem, ".pem", certificate),
		.key = path_of(order->folder, stem, "-key.pem", key)};
	const struct authority_order mine = {.name = name,
		.from = moment_plus_us(order->now, -MOMENT_HOUR_US),
		.until = moment_plus_us(order->now, YEAR_US),
		.hosts = hosts};

	return authority_issue(authority, &mine, &files, fault);
}

int first_files_collector(const struct first_files_order *order, struct fault *fault)
{
	char certificate[PATH_TEXT], key[PATH_TEXT];
	const struct authority_files files = {
		.certificate = path_of(order->folder, "ca", ".pem", certificate),
		.key = path_of(order->folder, "ca", "-key.pem", key)};
	const struct authority_order mine = {.name = "astray authority",
		.from = moment_plus_us(order->now, -MOMENT_HOUR_US),
		.until = moment_plus_us(order->now, AUTHORITY_YEARS * YEAR_US)};
	struct authority *authority;
	int rc;

	if (mkdir(order->folder, FOLDER_MODE) && errno != EEXIST)
		return fault_at(
			fault, -errno, "", "%s: %s", order->folder, strerror(errno));
	rc = authority_create(&authority, &mine, &files, fault);
	if (rc == 0)
		rc = issue(authority, order, "server", "astray collector", order->hosts,
			fault);
	if (rc == 0)
		rc = write_collector(order, fault);
	if (rc == 0 && order->shared)
		rc = share_all(order, fault);
	authority_free(authority);
	return rc;
}

static bool is_taken(const char *name)
{
	static const char *const taken[] = {"ca", "ca-key", "server", "server-key",
		"collector", BATCH_TEXT_OPERATOR, NULL};

	for (const char *const *at = taken; *at; at++)
		if (strcmp(*at, name) == 0)
			return true;
	return false;
}

int first_files_probe(
	const struct first_files_order *order, const char *name, struct fault *fault)
{
	char certificate[PATH_TEXT], key[PATH_TEXT];
	const struct authority_files files = {
		.certificate = path_of(order->folder, "ca", ".pem", certificate),
		.key = path_of(order->folder, "ca", "-key.pem", key)};
	struct authority *authority;
	int rc;

	if (!wire_word_is_valid(name) || is_taken(name))
		return fault_at(fault, STATUS_RANGE, "--probe",
			"%s: a probe's name is 1 to 63 letters, digits and . _ -, and "
			"none of the "
			"collector's own",
			name);
	rc = authority_load(&authority, &files, fault);
	if (rc == 0)
		rc = issue(authority, order, name, name, NULL, fault);
	if (rc == 0)
		rc = write_probe(order, name, fault);
	authority_free(authority);
	return rc;
}
