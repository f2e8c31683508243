/*
 * Belief: a service that rests with its staff at weekends rests with it on holidays too.
 * How many of a site's people are there is asked of the other services that live by them,
 * so that one service's trouble moves nothing and a closed office does; where there are
 * too few of those, of the machines that are on. Only a service that proves to live by
 * its people is excused by their absence, and only so far.
 */
#ifndef ASTRAY_ATTENDANCE_H
#define ASTRAY_ATTENDANCE_H

#include <stdbool.h>

#include "detector.h"

struct archive;
struct season;

/* What a service at a site shows of the people there. It is the first of what its
 * detector keeps of a site, so that the other services' can be asked. */
struct attendance {
	double rest;       /* how far it rests at weekends; 0 until known */
	int64_t slot;      /* of five minutes, last judged */
	float seen, usual; /* in the ten minutes up to it; usual: with everybody there */
	float there;       /* of its people, when last anybody could tell */
	struct moment there_at;
};

/* How much of what is usual there is reason to expect of it now, 0 to 1. */
double attendance_expect(
	const struct detector_case *call, unsigned site, struct attendance *attendance);
/* Whether it lives, at least partly, by people who rest; whether it is known not to. */
bool attendance_is_staffs(const struct attendance *attendance);
bool attendance_is_anybodys(const struct attendance *attendance);
void attendance_note(
	struct attendance *attendance, int64_t slot, double seen, double usual);
/* Once a day, of what its weeks look like. */
void attendance_learn(struct attendance *attendance, const struct season *season);
/* Both ways of a snapshot. */
void attendance_keep(struct archive *archive, struct attendance *attendance);

#endif
