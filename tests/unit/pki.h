/*
 * Certificates for tests, made by the collector's own authority in a folder that is
 * removed again.
 */
#ifndef PKI_H
#define PKI_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "astray/now.h"
#include "authority.h"

struct pki {
	char folder[64];
	struct authority *authority;
};

static const char *const pki_files[] = {"ca.pem", "ca-key.pem", "server.pem",
	"server-key.pem", "probe.pem", "probe-key.pem", "expired.pem", "expired-key.pem",
	"stranger.pem", "stranger-key.pem", "server2.pem", "server2-key.pem", NULL};

static inline const char *pki_path(
	const struct pki *pki, const char *file, char buf[static 128])
{
	(void)snprintf(buf, 128, "%s/%s", pki->folder, file);
	return buf;
}

static inline void pki_issue(struct pki *pki, const char *stem, const char *name,
	bool server, int64_t from_us, int64_t until_us)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", NULL};
	char certificate[128], key[128], file[64];
	struct fault fault = {0};
	struct authority_order order = {.name = name,
		.from = moment_plus_us(now_moment(), from_us),
		.until = moment_plus_us(now_moment(), until_us),
		.hosts = server ? hosts : NULL};
	struct authority_files files = {.certificate = certificate, .key = key};

	(void)snprintf(file, sizeof(file), "%s.pem", stem);
	(void)pki_path(pki, file, certificate);
	(void)snprintf(file, sizeof(file), "%s-key.pem", stem);
	(void)pki_path(pki, file, key);
	if (pki->authority)
		assert_int_equal(
			authority_issue(pki->authority, &order, &files, &fault), 0);
	else
		assert_int_equal(
			authority_create(&pki->authority, &order, &files, &fault), 0);
}

static inline void pki_make(struct pki *pki)
{
	*pki = (struct pki){.folder = "/tmp/astray-pki-XXXXXX"};
	assert_non_null(mkdtemp(pki->folder));
	pki_issue(pki, "ca", "test authority", false, -MOMENT_HOUR_US, MOMENT_DAY_US);
	pki_issue(pki, "server", "localhost", true, -MOMENT_HOUR_US, MOMENT_DAY_US);
	pki_issue(pki, "probe", "tyo-laptop-17", false, -MOMENT_HOUR_US, MOMENT_DAY_US);
	pki_issue(pki, "expired", "tyo-laptop-18", false, -2 * MOMENT_HOUR_US,
		-MOMENT_HOUR_US);
}

static inline void pki_remove(struct pki *pki)
{
	char path[128];

	for (const char *const *file = pki_files; *file; file++)
		(void)unlink(pki_path(pki, *file, path));
	(void)rmdir(pki->folder);
	authority_free(pki->authority);
}

#endif
