/*
 * Belief: where no resolver answers, people reach nothing, and their silence is nobody
 * else's trouble. A site's resolvers are silent when nobody there has been given an
 * answer for any of the services in two rounds of questions. What the services show there
 * is then the site's (they are excused, as detect_site does). One service whose name
 * cannot be resolved while others can is that service's trouble. An employee's machine
 * alone is worth a note, a gateway or sentinel a warning, two machines a page.
 */
#ifndef ASTRAY_DETECT_SILENT_RESOLVER_H
#define ASTRAY_DETECT_SILENT_RESOLVER_H

#include "detector.h"

extern const struct detector detect_silent_resolver;

#endif
