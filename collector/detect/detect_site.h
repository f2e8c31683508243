/*
 * Belief: when half of what a site uses is slow, or fails, at the same time and only
 * there, it is the site's own way out, not half a dozen services. It is said once, for
 * the site, and what its services show there is excused for a while, so that it neither
 * pages again nor becomes a habit.
 */
#ifndef ASTRAY_DETECT_SITE_H
#define ASTRAY_DETECT_SITE_H

#include "detector.h"

extern const struct detector detect_site;

#endif
