/*
 * Reading the store, apart from series: each function calls back for every row that fits;
 * texts live during the call. What the program has fed is seen at once, except sums,
 * which are seen after the next flush. 0 or negative.
 */
#ifndef ASTRAY_STORE_READ_H
#define ASTRAY_STORE_READ_H

#include <stdbool.h>
#include <stdint.h>

struct store;

/* One service at one site. */
struct store_sighting {
	const char *service, *site;
	int64_t probes, first_us, last_us;
};

struct store_probe {
	const char *name, *site;
	int64_t first_us, last_us;
	int64_t behind_us; /* how much earlier than its arrival the last observation was
			      made */
	const char *hello, *health; /* the last of each as wire lines, or "" */
};

struct store_form {
	const char *signature, *line; /* "": there is none */
	int64_t first_us, last_us;
};

/* See subject.h: a path, a name's answers, a registration, a certificate, a check. */
struct store_subject {
	int64_t id;
	const char *kind, *service, *site, *probe, *name;
	int64_t since_us, at_us;
	struct store_form now, before;
};

struct store_incident {
	const char *id, *state, *severity;
	int64_t opened_us, since_us, rx_us;
	const char *line; /* the incident in the form of the wire contract */
};

struct store_note {
	int64_t rx_us;
	const char *by, *note;
};

struct store_work {
	const char *service, *site, *note;
	int64_t rx_us, from_us, until_us;
};

struct store_incident_filter {
	const char *service; /* NULL: all */
	const char *state; /* "open": all but resolved; else the very state; NULL: all */
	int64_t before_us; /* opened before; 0: no bound */
	int64_t limit;
};

/* The site of a probe, or "". */
const char *store_read_site(const struct store *store, const char *probe);
/* service NULL: all. Ordered by service and site. */
int store_read_sightings(struct store *store, const char *service,
	void (*each)(void *arg, const struct store_sighting *row), void *arg);
int store_read_probes(struct store *store,
	void (*each)(void *arg, const struct store_probe *row), void *arg);
/* Of one kind ("path") and service; name NULL: all. Those seen last come first. */
int store_read_subjects(struct store *store, const char *kind, const char *service,
	const char *name, void (*each)(void *arg, const struct store_subject *row),
	void *arg);
/* Every form that is known of a subject, the newest first. */
int store_read_forms(struct store *store, int64_t subject,
	void (*each)(void *arg, const struct store_form *row), void *arg);
/* The newest first. */
int store_read_incidents(struct store *store, const struct store_incident_filter *filter,
	void (*each)(void *arg, const struct store_incident *row), void *arg);
/* The form that it has now; STATUS_MISSING when there is no such incident. */
int store_read_incident(struct store *store, const char *id,
	void (*each)(void *arg, const struct store_incident *row), void *arg);
/* What was said of it to the outside, and by people, in order. */
int store_read_incident_forms(struct store *store, const char *id,
	void (*each)(void *arg, const struct store_incident *row), void *arg);
int store_read_incident_notes(struct store *store, const char *id,
	void (*each)(void *arg, const struct store_note *row), void *arg);
/* Work that touches from_us..until_us. */
int store_read_maintenance(struct store *store, int64_t from_us, int64_t until_us,
	void (*each)(void *arg, const struct store_work *row), void *arg);

#endif
