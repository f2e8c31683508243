#include "announcements.h"

#include <string.h>

#include "archive.h"

/* People begin early, and things take a while to settle. */
#define EARLY_US (5 * MOMENT_MINUTE_US)
#define AFTER_US (45 * MOMENT_MINUTE_US)

void announcements_add(
	struct announcements *announcements, const struct obs_maintenance *work)
{
	unsigned at = announcements->count;

	if (at == ANNOUNCEMENTS_MAX) {
		at = 0;
		for (unsigned i = 1; i < ANNOUNCEMENTS_MAX; i++)
			if (moment_before(announcements->list[i].until,
				    announcements->list[at].until))
				at = i;
	} else {
		announcements->count++;
	}
	memcpy(announcements->list[at].service, work->service, sizeof(work->service));
	memcpy(announcements->list[at].site, work->site, sizeof(work->site));
	announcements->list[at].from = work->from;
	announcements->list[at].until = work->until;
}

bool announcements_cover(const struct announcements *announcements, const char *service,
	const char *site, struct moment at)
{
	for (unsigned i = 0; i < announcements->count; i++) {
		bool same_service = strcmp(announcements->list[i].service, "*") == 0 ||
				    strcmp(announcements->list[i].service, service) == 0;
		bool same_site = !announcements->list[i].site[0] || !*site ||
				 strcmp(announcements->list[i].site, site) == 0;

		if (same_service && same_site &&
			at.us >= announcements->list[i].from.us - EARLY_US &&
			at.us <= announcements->list[i].until.us + AFTER_US)
			return true;
	}
	return false;
}

void announcements_keep(struct archive *archive, struct announcements *announcements)
{
	archive_count(archive, &announcements->count, ANNOUNCEMENTS_MAX);
	for (unsigned i = 0; i < announcements->count; i++) {
		archive_text(archive, announcements->list[i].service, OBS_NAME);
		archive_text(archive, announcements->list[i].site, OBS_WORD);
		archive_moment(archive, &announcements->list[i].from);
		archive_moment(archive, &announcements->list[i].until);
	}
}
