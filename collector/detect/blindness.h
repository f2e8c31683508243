/*
 * Belief: gateways and sentinels do not sleep. When all of a site that have spoken for a
 * day fall silent, the site has not become quiet: nobody measures it any more, because
 * its probes, their way here or their upgrade are broken. That is a finding of its own,
 * so that silence is read neither as fallen traffic nor as calm. One that stays away for
 * a day was taken down, and is no longer waited for; laptops come and go and prove
 * nothing.
 */
#ifndef ASTRAY_BLINDNESS_H
#define ASTRAY_BLINDNESS_H

#include "finding.h"
#include "vantages.h"

struct archive;

struct blindness {
	bool sites[VANTAGES_SITES]; /* of which nothing is known now */
};

/* What is said goes to `emit`: a site's own trouble, without a service. */
struct blindness_watch {
	const struct vantages *vantages;
	enum incident_severity severity;
	/* Whether somebody has said that there would be silence. */
	bool (*is_announced)(void *arg, const char *site);
	finding_fn emit;
	void *arg;
};

/* Every few minutes. */
void blindness_look(struct blindness *blindness, const struct blindness_watch *watch,
	struct moment now);
/* Both ways of a snapshot, of the first so many sites. */
void blindness_keep(struct archive *archive, struct blindness *blindness, unsigned sites);

#endif
