#include "detector.h"

#include "detect_certificate.h"
#include "detect_detour.h"
#include "detect_failures.h"
#include "detect_glue.h"
#include "detect_latency.h"
#include "detect_name_server.h"
#include "detect_records.h"
#include "detect_registry.h"
#include "detect_resolver.h"
#include "detect_round_trip.h"
#include "detect_silent_resolver.h"
#include "detect_site.h"
#include "detect_steady.h"
#include "detect_traffic.h"

const struct detector *const detector_table[] = {
	&detect_name_server,
	&detect_glue,
	&detect_records,
	&detect_resolver,
	&detect_steady,
	&detect_registry,
	&detect_certificate,
	&detect_detour,
	&detect_silent_resolver,
	&detect_site, /* before those whom it excuses */
	&detect_failures,
	&detect_latency,
	&detect_round_trip,
	&detect_traffic,
	NULL,
};
