#include "attendance.h"

#include <math.h>
#include <stdlib.h>

#include "archive.h"
#include "season.h"

#define STAFF_REST .5
#define STAFF_EXPECTED 15
#define STAFF_SERVICES 3
#define STAFF_COUNTS 40 /* at most, where none is sure */
#define STAFF_ASKED 64
/* The fewer there are, the less alike are those who are left. */
#define STAFF_MARGIN .4
/* Between these a service is partly its staff's. */
#define REST_OF_NONE .3
#define REST_LEAST .01
#define REST_OF_ALL .7
#define AWAY_US (12 * MOMENT_HOUR_US)

static int by_value(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;

	return left < right ? -1 : left > right;
}

/* What the services at one site show that live by its staff, but for the judged one. */
struct staff {
	float shares[STAFF_ASKED];
	unsigned sure, asked;
	double seen, season; /* of all who were asked, none counting for much */
};

static void ask(struct staff *staff, const struct attendance *other)
{
	double part = fmin(1, STAFF_COUNTS / fmax(other->usual, 1));

	staff->asked++;
	staff->seen += part * other->seen;
	staff->season += part * other->usual;
	if (other->usual >= STAFF_EXPECTED && staff->sure < STAFF_ASKED)
		staff->shares[staff->sure++] = other->seen / other->usual;
}

/* The share of a site's people that is there: the median of what such services see of
 * what the season expects, so that one service's trouble does not move it and a closed
 * office does; of all together when each expects little; the machines that are on where
 * there are few such services. Negative: nobody can tell. */
static double people_there(const struct detector_case *call, unsigned site)
{
	struct staff staff = {0};
	double machines;

	for (unsigned i = 0; i < cells_services(call->cells); i++) {
		const char *cell = cells_find(call->cells, i, site);
		const struct attendance *other =
			cell ? (const void *)(cell + call->cell_offset) : NULL;

		if (other && i != call->service_number && other->rest > STAFF_REST &&
			other->slot >= call->slot - 1)
			ask(&staff, other);
	}
	if (staff.sure >= STAFF_SERVICES) {
		qsort(staff.shares, staff.sure, sizeof(staff.shares[0]), by_value);
		return fmin(staff.shares[staff.sure / 2], 1);
	}
	if (staff.asked >= STAFF_SERVICES && staff.season >= STAFF_EXPECTED)
		return fmin(staff.seen / staff.season, 1);
	machines = presence_share(call->presence, site);
	return machines < 1 ? machines : -1;
}

/* How far the service rests where that is known; 0 when it is nowhere. */
static double rest_elsewhere(const struct detector_case *call)
{
	double sum = 0;
	unsigned known = 0;

	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		const struct attendance *there = detector_of_site(call, site);

		if (there && there->rest > 0) {
			sum += there->rest;
			known++;
		}
	}
	return known ? sum / known : 0;
}

/* Only a service that proves to live by them is excused by their absence. Who was away
 * when last anybody could tell still is. */
double attendance_expect(
	const struct detector_case *call, unsigned site, struct attendance *attendance)
{
	double coupling, there;

	/* Nobody measures a weekend where the gateway is off with the lights. */
	if (!(attendance->rest > 0))
		attendance->rest = rest_elsewhere(call);
	coupling =
		fmin((attendance->rest - REST_OF_NONE) / (REST_OF_ALL - REST_OF_NONE), 1);
	if (coupling <= 0)
		return 1;
	there = people_there(call, site);
	if (there >= 0) {
		attendance->there = (float)there;
		attendance->there_at = call->rx;
	} else if (moment_since_us(call->rx, attendance->there_at) < AWAY_US)
		there = attendance->there;
	else
		return 1;
	there *= 1 - STAFF_MARGIN * (1 - there);
	return 1 - coupling * (1 - there);
}

bool attendance_is_staffs(const struct attendance *attendance)
{
	return attendance->rest > REST_OF_NONE;
}

bool attendance_is_anybodys(const struct attendance *attendance)
{
	return attendance->rest > 0 && attendance->rest < REST_OF_NONE;
}

void attendance_note(
	struct attendance *attendance, int64_t slot, double seen, double usual)
{
	attendance->slot = slot;
	attendance->seen = (float)seen;
	attendance->usual = (float)usual;
}

void attendance_learn(struct attendance *attendance, const struct season *season)
{
	double rest = season_rest(season);

	if (rest >= 0)
		attendance->rest = fmax(rest, REST_LEAST);
}

void attendance_keep(struct archive *archive, struct attendance *attendance)
{
	archive_double(archive, &attendance->rest);
	archive_index(archive, &attendance->slot);
	archive_float(archive, &attendance->seen);
	archive_float(archive, &attendance->usual);
	archive_float(archive, &attendance->there);
	archive_moment(archive, &attendance->there_at);
}
