/*
 * One detector's judgement about one service, at one site or everywhere. It pages nobody;
 * an incident gathers it. Said again while it holds, and once more when it has ended. A
 * plain value; its texts are the detector's own and may hold names from outside (the
 * incident makes them printable).
 */
#ifndef ASTRAY_FINDING_H
#define ASTRAY_FINDING_H

#include <stdbool.h>

#include "incident.h"

#define FINDING_BRIEF 160

enum finding_state {
	FINDING_HOLDS,
	FINDING_ENDED, /* its statistic is below half its threshold, or the thing is gone
			*/
};

struct finding {
	enum incident_cause cause;
	enum finding_state state;
	enum incident_severity severity;
	bool policy;   /* against what the operator expects */
	bool security; /* stays until somebody has acknowledged it */
	bool lone; /* one person's machine says so: until another vantage says the same
		      it may only add to what is known */
	char service[OBS_NAME]; /* "": a site's own trouble */
	char zone[OBS_NAME];    /* that the service's names lie in; "" when not watched */
	char site[OBS_WORD];    /* "": wherever the service is used */
	char vantage[OBS_WORD]; /* who saw it; "" when it is a sum over many */
	char subject[OBS_WORD]; /* tells findings of one cause apart: the hash of a name,
				   for instance */
	struct moment rx;
	struct moment since; /* the first witness */
	double effect; /* how bad, 0 to 1: the share of requests missing or failing, … */
	char brief[FINDING_BRIEF]; /* a few words for the title: "40 % of its requests are
				      missing" */
	char text[OBS_TEXT];       /* expected against seen, with the figures */
};

typedef void (*finding_fn)(void *arg, const struct finding *finding);

#endif
